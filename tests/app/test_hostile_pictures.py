"""Damaged and hostile files are refused, soon, and never fill the memory."""

import contextlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import pictures
from app.language import ROOT
from app.picture_checks import PictureDamaged, PictureRefused
from tests import pictures as made_up
from tests.pictures import heic, jpeg, png, scene, webp

# Decoders warn about odd files; in a market's life that is a line in the log and no end.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.mark.parametrize("data", [jpeg(), jpeg(progressive=True), png(made_up.photo()), webp(made_up.photo()), heic()])
def test_a_file_cut_anywhere_is_refused(data: bytes) -> None:
    cuts = [*range(1, 40), *range(40, len(data) - 60, max(1, len(data) // 60)), len(data) // 2, len(data) - 60]
    for cut in cuts:
        with pytest.raises(PictureRefused):
            pictures.read_upright(data[:cut])


@pytest.mark.parametrize("data", [jpeg(), png(), webp()])
def test_most_uploads_that_broke_off_are_told_at_once(data: bytes) -> None:
    with pytest.raises(PictureDamaged):
        pictures.check(data[: len(data) * 3 // 4], "a.jpg")


def result_or_refusal(data: bytes) -> None:
    with contextlib.suppress(PictureRefused):
        pictures.check(data, "a.jpg")
    with contextlib.suppress(PictureRefused):
        pictures.read_upright(data)


BEGINNINGS = [b"", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"RIFF\x20\0\0\0WEBPVP8X", b"\0\0\0\x18ftypheic"]


@given(st.sampled_from(BEGINNINGS), st.binary(max_size=400))
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_a_picture_or_refused(beginning: bytes, rest: bytes) -> None:
    result_or_refusal(beginning + rest)


VICTIMS = [
    *(jpeg(64, 48, exif=made_up.exif(6)), jpeg(64, 48, progressive=True, icc_profile=made_up.swapped_profile())),
    *(png(scene(64, 48).quantize(8), exif=made_up.exif(6)), png(scene(64, 48).convert("LA"))),
    *(webp(scene(64, 48)), webp(scene(64, 48), lossless=True, exif=made_up.exif(6)), heic(scene(64, 64))),
]


@given(st.data())
@settings(max_examples=250, deadline=None)
def test_a_picture_with_changed_bytes_is_a_picture_or_refused(data: st.DataObject) -> None:
    victim = bytearray(data.draw(st.sampled_from(VICTIMS)))
    places = data.draw(st.lists(st.tuples(st.integers(0, len(victim) - 1), st.integers(0, 255)), max_size=8))
    for place, value in places:
        victim[place] = value

    result_or_refusal(bytes(victim))


BOMBS: dict[str, Callable[[], bytes]] = {
    "png 30000 x 30000": lambda: made_up.png_bomb(30_000, 30_000),
    "png 20001 wide": lambda: made_up.png_bomb(20_001, 20),
    "png rgba 9000 x 9000": lambda: made_up.png_bomb(9_000, 9_000, bits=8, colour=6),
    "webp 16383 x 16383": lambda: made_up.webp_head(16_383, 16_383),
    "webp of one giant frame": lambda: made_up.webp_head(1 << 24, 64),
    "jpeg 65000 x 65000": lambda: made_up.jpeg_of_claimed_size(65_000, 65_000),
}


#: Prints what each look refuses of each file, at the end the seconds and the megabytes that all of it took.
#: (Not by getrusage: a new process inherits its parent's peak there.)
LOOK_AT_ALL = """
import re, sys, time
from app import pictures
def peak(): return int(re.search(r"VmHWM:\\s*([0-9]+)", open("/proc/self/status").read())[1]) / 1024
def refusal(look, data):
    try: look(data)
    except pictures.PictureRefused as refused: return type(refused).__name__
looks = {"check": lambda data: pictures.check(data, "a.png"), "make": pictures.make}
files = [open(name, "rb").read() for name in sys.argv[2:]]
before, began = peak(), time.process_time()
for data in files:
    print(*(refusal(looks[name], data) for name in sys.argv[1].split()))
print(time.process_time() - began, peak() - before)
"""


def looked_at(folder: Path, looks: str, *hostile: bytes) -> tuple[list[str], float, float]:
    names = [folder / str(number) for number in range(len(hostile))]
    for name, data in zip(names, hostile, strict=True):
        name.write_bytes(data)
    ended = subprocess.run(
        [sys.executable, "-c", LOOK_AT_ALL, looks, *names], capture_output=True, cwd=ROOT, check=True
    )
    *refusals, took = ended.stdout.decode().splitlines()
    seconds, megabytes = map(float, took.split())
    return refusals, seconds, megabytes


def test_bombs_are_refused_by_their_headers_at_once(tmp_path: Path) -> None:
    refusals, seconds, megabytes = looked_at(tmp_path, "check make", *(bomb() for bomb in BOMBS.values()))

    expected = "PictureTooManyPixels PictureTooManyPixels"
    assert dict(zip(BOMBS, refusals, strict=True)) == dict.fromkeys(BOMBS, expected)
    assert seconds < 0.5
    assert megabytes < 50


def test_a_text_that_unpacks_to_much_is_refused(tmp_path: Path) -> None:
    refusals, seconds, megabytes = looked_at(tmp_path, "check make", made_up.png_with_packed_text(200_000_000))

    assert refusals == ["PictureDamaged PictureDamaged"]
    assert seconds < 0.5
    assert megabytes < 50


def test_checking_the_heaviest_picture_decodes_nothing(tmp_path: Path) -> None:
    data = made_up.png_bomb(8_900, 8_900, bits=8, colour=6)

    refusals, _, megabytes = looked_at(tmp_path, "check", data)

    assert refusals == ["None"]
    assert megabytes < 20
