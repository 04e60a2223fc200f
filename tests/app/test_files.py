"""Files are kept whole, under keys of our own, on the local disk and in S3 alike."""

import asyncio
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from app import files
from app.settings import settings

BAD_KEYS = [
    *("", "/", "/photos/a.jpg", "photos//a.jpg", "photos/", "../a.jpg", "photos/../a.jpg", "photos/..", "."),
    *(
        "photos/.hidden",
        "photos/A.jpg",
        "photos/a b.jpg",
        "photos\\a.jpg",
        "photos/a.jpg\n",
        "photos/a#1",
        "photos/%2e",
    ),
    *("รูป.jpg", "photos/a\0.jpg", "~/a", "a" * 201),
]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("MARKET_HOME", str(tmp_path))
    settings.cache_clear()
    yield tmp_path
    monkeypatch.undo()
    settings.cache_clear()


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


class Bucket(BaseHTTPRequestHandler):
    """As much of S3 as we use."""

    kept: dict[str, tuple[bytes, str]]
    is_down = False

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.kept[self.path] = (body, self.headers["Content-Type"])
        self._answer(500 if self.is_down else 200)

    def do_GET(self) -> None:
        body, _ = self.kept.get(self.path, (b"", ""))
        self._answer(200 if self.path in self.kept else 404, body)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["Content-Length"])).decode()
        keys = re.findall("<Key>(.*?)</Key>", asked)
        for key in keys:
            self.kept.pop(f"/market/{key}", None)
        gone = "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in keys)
        self._answer(200, f"<DeleteResult>{gone}</DeleteResult>".encode())

    def _answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"1"')
        self.send_header("Last-Modified", "Mon, 01 Jan 2024 00:00:00 GMT")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name is http.server's
        pass


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Bucket]]:
    handler = type("FreshBucket", (Bucket,), {"kept": {}})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "FILES_URL": f"s3://market/test-{server.server_port}",
    }.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    yield handler
    monkeypatch.undo()
    settings.cache_clear()
    server.shutdown()
    server.server_close()


async def test_what_was_put_is_got_back(home: Path) -> None:
    await files.put("photos/ab/one.jpg", b"first", "image/jpeg")
    await files.put("photos/ab/one.jpg", b"second", "image/jpeg")

    assert await files.get("photos/ab/one.jpg") == b"second"
    assert await files.exists("photos/ab/one.jpg")
    assert (home / "files/photos/ab/one.jpg").read_bytes() == b"second"


async def test_what_was_deleted_is_gone_and_may_be_deleted_again(home: Path) -> None:
    await files.put("slips/a.jpg", b"slip", "image/jpeg")

    await files.delete("slips/a.jpg")
    await files.delete("slips/a.jpg")

    assert not await files.exists("slips/a.jpg")
    with pytest.raises(files.NoSuchFile):
        await files.get("slips/a.jpg")


@pytest.mark.parametrize("key", BAD_KEYS)
async def test_a_key_that_is_not_ours_reaches_no_disk(home: Path, key: str) -> None:
    with pytest.raises(ValueError, match="not a key"):
        await files.put(key, b"x", "text/plain")
    with pytest.raises(files.NoSuchFile):
        await files.get(key)

    assert not await files.exists(key)
    await files.delete(key)
    assert names_in(home) == []


async def test_a_folder_is_no_file(home: Path) -> None:
    await files.put("photos/ab/one.jpg", b"first", "image/jpeg")

    assert not await files.exists("photos/ab")
    with pytest.raises(files.NoSuchFile):
        await files.get("photos/ab")


async def test_a_reader_never_sees_half_a_file(home: Path) -> None:
    versions = [bytes([each]) * 3_000_000 for each in range(8)]
    await files.put("media/a.jpg", versions[0], "image/jpeg")

    async def rewrite() -> None:
        for version in versions:
            await files.put("media/a.jpg", version, "image/jpeg")

    writing = asyncio.create_task(rewrite())
    seen = set()
    while not writing.done():
        seen.add(await files.get("media/a.jpg"))
    await writing
    assert seen <= set(versions)
    assert names_in(home / "files/media") == ["a.jpg"]


async def test_a_disk_that_cannot_be_written_is_a_refusal(home: Path) -> None:
    await files.put("photos/one", b"a file where a folder should be", "text/plain")

    with pytest.raises(files.FilesOutOfReach):
        await files.put("photos/one/two.jpg", b"x", "image/jpeg")


def test_only_what_everybody_may_see_has_an_address() -> None:
    assert files.url("media/ab/one-640.avif") == "/media/ab/one-640.avif"
    for key in ("originals/one.heic", "slips/one.jpg", "media/../slips/one.jpg", "mediaone.jpg"):
        with pytest.raises(ValueError, match="not a file for everybody"):
            files.url(key)


async def test_a_bucket_keeps_files_as_the_disk_does(bucket: type[Bucket]) -> None:
    await files.put("media/a.avif", b"picture", "image/avif")

    assert await files.get("media/a.avif") == b"picture"
    assert await files.exists("media/a.avif")
    assert list(bucket.kept.values()) == [(b"picture", "image/avif")]
    await files.delete("media/a.avif")
    await files.delete("media/a.avif")
    assert not await files.exists("media/a.avif")
    with pytest.raises(files.NoSuchFile):
        await files.get("media/a.avif")


async def test_a_bucket_that_fails_is_a_refusal(bucket: type[Bucket]) -> None:
    bucket.is_down = True

    with pytest.raises(files.FilesOutOfReach):
        await files.put("media/a.avif", b"picture", "image/avif")


async def test_a_bucket_that_is_away_is_a_refusal_soon(bucket: type[Bucket], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("FILES_URL", "s3://nobody/home")
    settings.cache_clear()

    async with asyncio.timeout(20):
        with pytest.raises(files.FilesOutOfReach):
            await files.put("media/a.avif", b"picture", "image/avif")
