"""A picture is made in a process apart, whose end is a refusal and no end of the market."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app import pictures
from app.language import ROOT
from app.picture_checks import PictureDamaged, PictureKindUnknown, PictureTooHeavy, PictureTooManyPixels
from tests import pictures as made_up
from tests.pictures import heic, jpeg, png


async def test_a_process_apart_makes_the_same() -> None:
    data = heic(made_up.photo(500, 400), exif=made_up.exif(6))

    assert await pictures.make_apart(data) == pictures.make(data)
    assert (await pictures.read_apart(data)).tobytes() == pictures.read_upright(data).tobytes()


async def test_a_process_apart_refuses_in_the_same_words() -> None:
    whole = heic(made_up.photo())

    with pytest.raises(PictureDamaged):
        await pictures.make_apart(whole[: len(whole) // 2])
    with pytest.raises(PictureTooManyPixels):
        await pictures.make_apart(made_up.png_bomb(9_000, 9_000, bits=8, colour=6))
    with pytest.raises(PictureKindUnknown):
        await pictures.read_apart(b"GIF89a")


async def test_a_process_that_takes_too_long_is_ended() -> None:
    before, began = children(), time.perf_counter()

    with pytest.raises(PictureTooHeavy):
        await pictures.make_apart(jpeg(), timeout=0.05)
    assert time.perf_counter() - began < 5
    assert children() == before


async def begun_apart() -> tuple[asyncio.Task[pictures.Made], int, set[int]]:
    """A picture in the making, the process that makes it, and the processes there were before."""
    before = children()
    making = asyncio.create_task(pictures.make_apart(png(made_up.photo(3000, 2000), compress_level=1)))
    while not (fresh := children() - before):
        await asyncio.sleep(0.01)
    return making, fresh.pop(), before


def children() -> set[int]:
    return {int(each) for each in Path(f"/proc/self/task/{os.getpid()}/children").read_text("ascii").split()}


async def test_a_job_that_is_given_up_leaves_no_process_behind() -> None:
    making, _, before = await begun_apart()

    making.cancel()
    with pytest.raises(asyncio.CancelledError):
        await making
    assert children() == before


@pytest.mark.parametrize("fate", [signal.SIGKILL, signal.SIGSEGV])
async def test_a_picture_that_crashes_its_process_is_refused(fate: signal.Signals) -> None:
    making, process, _ = await begun_apart()

    os.kill(process, fate)
    with pytest.raises(PictureTooHeavy):
        await making


async def test_a_picture_is_not_to_blame_when_the_market_is_stopped() -> None:
    making, process, _ = await begun_apart()

    os.kill(process, signal.SIGTERM)
    with pytest.raises(RuntimeError, match="-15"):
        await making


def apart(code: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-c", f"from app import pictures_apart; {code}"],
        input=data,
        capture_output=True,
        cwd=ROOT,
        check=False,
    )


def test_more_memory_than_allowed_is_a_refusal_and_no_crash() -> None:
    ended = apart(
        "pictures_apart.main('make', most_memory=400 << 20)", made_up.png_bomb(8_900, 8_900, bits=8, colour=6)
    )

    assert pictures.Answer.model_validate_json(ended.stdout).refused == "PictureTooHeavy"


def test_more_computing_than_allowed_ends_the_process() -> None:
    ended = apart("pictures_apart.hold_back(most_seconds=1)\nwhile True: pass")

    assert ended.returncode in {-signal.SIGKILL, -signal.SIGXCPU}


def test_a_process_apart_writes_no_file(tmp_path: Path) -> None:
    ended = apart(f"pictures_apart.hold_back(); import pathlib; pathlib.Path({str(tmp_path / 'a')!r}).write_text('x')")

    assert b"File too large" in ended.stderr
    assert (tmp_path / "a").read_bytes() == b""


def test_the_heaviest_picture_allowed_fits_into_the_memory_allowed() -> None:
    ended = apart("pictures_apart.main('read')", made_up.png_bomb(8_900, 8_900, bits=8, colour=6))

    answer = pictures.Answer.model_validate_json(ended.stdout)
    assert answer.pixels is not None
    assert answer.pixels.size == (2600, 2600)
