"""`make lint` asks about known holes: one fails it, no network is said plainly and fails nothing."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.conftest import ROOT

HOLE = {
    "id": "GHSA-TEST-0000-0000",
    "summary": "a hole that tests made",
    "modified": "2026-01-01T00:00:00Z",
    "affected": [
        {
            "package": {"name": "jinja2", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}],
        }
    ],
}


class Osv(BaseHTTPRequestHandler):
    """Answers as api.osv.dev does, and knows one hole."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        found = {"vulns": [{"id": HOLE["id"], "modified": HOLE["modified"]}]}
        self._answer({"results": [found if each["package"]["name"] == "jinja2" else {} for each in asked["queries"]]})

    def do_GET(self) -> None:
        self._answer(HOLE)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Say nothing."""

    def _answer(self, told: dict[str, Any]) -> None:
        body = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def osv() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Osv)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def audit(url: str) -> subprocess.CompletedProcess[str]:
    uv = subprocess.run([sys.executable, ".ci/find_uv.py"], cwd=ROOT, capture_output=True, text=True, check=True)
    return subprocess.run(
        [sys.executable, ".ci/audit.py", uv.stdout.strip()],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env=os.environ | {"OSV_URL": url},
        check=False,
    )


def test_a_known_hole_fails(osv: str) -> None:
    done = audit(osv)
    assert done.returncode == 1
    assert "GHSA-TEST-0000-0000" in done.stdout


def test_without_a_way_to_ask_that_is_said_and_nothing_fails() -> None:
    done = audit("http://127.0.0.1:9/")
    assert done.returncode == 0
    assert "NOT checked" in done.stderr
