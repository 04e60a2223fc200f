"""`app.files` with an S3-compatible server as others built it (moto), over HTTP."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from urllib.request import Request, urlopen

import pytest

from app import files
from app.settings import settings
from tests.ground.servers import free_port

KEY = "media/rice/1.webp"


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """Address of a server with the bucket "market" in it."""
    address = f"http://127.0.0.1:{(port := free_port())}"
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"MOTO_S3_CUSTOM_ENDPOINTS": address},
    )
    try:
        ends_at = time.monotonic() + 60
        while not made(f"{address}/market") and time.monotonic() < ends_at:
            time.sleep(0.1)
        yield address
    finally:
        server.kill()
        server.wait()


def made(bucket: str) -> bool:
    try:
        with urlopen(Request(bucket, method="PUT"), timeout=5) as answer:  # noqa: S310 - our own address
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.fixture
def bucket(s3: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "for-tests")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("FILES_URL", "s3://market/of-a-test")
    settings.cache_clear()
    files._bucket.cache_clear()
    yield
    monkeypatch.undo()
    settings.cache_clear()
    files._bucket.cache_clear()


async def test_what_is_kept_comes_back_whole(bucket: None) -> None:
    await files.put(KEY, b"\x00rice\xff" * 100_000, "image/webp")
    assert await files.get(KEY) == b"\x00rice\xff" * 100_000
    assert await files.exists(KEY)


async def test_what_is_forgotten_is_gone_and_may_be_forgotten_again(bucket: None) -> None:
    await files.put(KEY, b"rice", "image/webp")
    for _ in range(2):
        await files.delete(KEY)
    assert not await files.exists(KEY)
    with pytest.raises(files.NoSuchFile):
        await files.get(KEY)


async def test_it_is_told_whether_the_store_is_in_reach(bucket: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await files.is_in_reach()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    files._bucket.cache_clear()
    assert not await files.is_in_reach()
