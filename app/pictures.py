"""Pictures as the pages show them: several widths, three formats, one for sharing, a tiny one that stands in.

A photo carries the place where it was taken, often somebody's home; none of that goes on.  Every rendition is built
anew from pixels alone.  Widths and formats are for the `srcset` of a 360 px phone up to a wide screen.

`check` reads the header alone and may be called anywhere.  `make` and `read_upright` decode in the calling process:
for a stranger's file use `make_apart` and `read_apart`, which decode in a process of their own, with little memory and
time and without the market's secrets, so that a hostile file hurts nobody but itself.
"""

import asyncio
import base64
import io
import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from PIL import Image, ImageOps
from pydantic import BaseModel, ConfigDict

from app.language import ROOT
from app.picture_checks import Checked, PictureRefused, PictureTooHeavy, check
from app.picture_decoding import Size, decode, shrunk, within

__all__ = [
    "Checked",
    "Made",
    "PictureRefused",
    "PictureTooHeavy",
    "Rendition",
    "check",
    "make",
    "make_apart",
    "read_apart",
    "read_upright",
]

WIDTHS: Final = (320, 640, 960, 1440)
"""Pixels; a picture is never made larger than it came."""
LARGEST: Final[Size] = (1440, 4320)
"""A very tall picture is made narrower, so that no rendition grows without bound."""
SHARE_SIZE: Final[Size] = (1200, 630)
"""What Open Graph's readers show: the only rendition that is cropped."""
READ_SIZE: Final[Size] = (2600, 2600)
"""A phone's screenshot fits whole; a code in a camera's photo is still sharp."""
PREVIEW_SIZE: Final[Size] = (16, 16)
LONGEST_PREVIEW: Final = 400

LONGEST_SECONDS: Final = 90
"""How long a process apart may take by the clock; `app.pictures_apart` bounds its computing and its memory."""


@dataclass(frozen=True, slots=True)
class Rendition:
    """One file to keep.  `suffix` names the format, width and height are pixels."""

    suffix: str
    content_type: str
    width: int
    height: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Made:
    """Everything the pages need of one picture."""

    width: int
    """Pixels of the original, upright; `height` likewise."""
    height: int
    renditions: tuple[Rendition, ...]
    """Every width in every format, narrow first; AVIF before WebP before JPEG."""
    share: Rendition
    preview: str
    """A data URI of at most `LONGEST_PREVIEW` bytes, to stand in the page until the picture has come."""
    colour: str
    """Average colour, `#rrggbb`."""


@dataclass(frozen=True, slots=True)
class Format:
    """How one format is written."""

    suffix: str
    content_type: str
    pillow_name: str
    options: dict[str, Any]


AVIF: Final = Format(".avif", "image/avif", "AVIF", {"quality": 58, "speed": 7, "max_threads": 2})
WEBP: Final = Format(".webp", "image/webp", "WEBP", {"quality": 74, "method": 4})
JPEG: Final = Format(".jpg", "image/jpeg", "JPEG", {"quality": 78, "optimize": True, "progressive": True})
FORMATS: Final = (AVIF, WEBP, JPEG)
_ROUGH: Final = Format(".webp", "image/webp", "WEBP", {"quality": 20, "method": 6})


def make(data: bytes) -> Made:
    """Make every rendition; PictureRefused when the file breaks a limit or cannot be decoded to its end."""
    picture, (width, height) = decode(data, LARGEST)
    return Made(
        width=width,
        height=height,
        renditions=tuple(_renditions(picture)),
        share=_write(ImageOps.fit(picture, SHARE_SIZE, Image.Resampling.LANCZOS), JPEG),
        preview=_preview(picture),
        colour=_average_colour(picture),
    )


async def make_apart(data: bytes, *, timeout: float = LONGEST_SECONDS) -> Made:
    """As `make`, in a process of its own; PictureTooHeavy when that ran out of memory or time, or crashed."""
    answer = await _ask_apart("make", data, timeout)
    assert answer.made is not None
    return answer.made


def read_upright(data: bytes) -> Image.Image:
    """Return the picture as people see it, RGB on white, at most `READ_SIZE`, to look for a code in it.

    PictureRefused as `make`.
    """
    return decode(data, READ_SIZE)[0]


async def read_apart(data: bytes, *, timeout: float = LONGEST_SECONDS) -> Image.Image:
    """As `read_upright`, in a process of its own; refusals as `make_apart`."""
    answer = await _ask_apart("read", data, timeout)
    assert answer.pixels is not None
    return Image.frombytes("RGB", answer.pixels.size, answer.pixels.data)


@dataclass(frozen=True, slots=True)
class Pixels:
    size: Size
    data: bytes


class Answer(BaseModel):
    """What a process apart says at its end: the name of a refusal, or what was asked for."""

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    refused: str | None = None
    made: Made | None = None
    pixels: Pixels | None = None


_at_once = asyncio.Semaphore(2)
"""Processes apart per process of the market: what bounds their memory in all."""
_FATAL: Final = {-signal.SIGKILL, -signal.SIGXCPU, -signal.SIGSEGV, -signal.SIGBUS, -signal.SIGABRT}
"""Ends that the file brought about, unlike SIGTERM and SIGINT: somebody stops the market."""


async def _ask_apart(task: str, data: bytes, timeout: float) -> Answer:
    async with _at_once:
        code, said, complaint = await _run_apart(task, data, timeout)
    if code in _FATAL:
        raise PictureTooHeavy
    if code != 0:
        raise RuntimeError(f"making a picture ended with {code}: {complaint.decode(errors='replace')[-2000:]}")
    answer = Answer.model_validate_json(said)
    if answer.refused:
        raise _refusal(answer.refused)
    return answer


async def _run_apart(task: str, data: bytes, timeout: float) -> tuple[int | None, bytes, bytes]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app.pictures_apart", task),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=ROOT,
        env=_bare_environment(),
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(timeout):
            said, complaint = await process.communicate(data)
    except TimeoutError:
        raise PictureTooHeavy from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode, said, complaint


def _bare_environment() -> dict[str, str]:
    """No database address and no key for a process that reads what strangers send."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    # Each arena of glibc would claim address space that the limit counts.
    return kept | {"MALLOC_ARENA_MAX": "2"}


def _refusal(name: str) -> PictureRefused:
    return {each.__name__: each for each in PictureRefused.__subclasses__()}.get(name, PictureTooHeavy)()


def _renditions(picture: Image.Image) -> Iterator[Rendition]:
    for width in [each for each in WIDTHS if each <= picture.width] or [picture.width]:
        shown = shrunk(picture, (width, max(1, round(picture.height * width / picture.width))))
        for form in FORMATS:
            yield _write(shown, form)


def _write(picture: Image.Image, form: Format) -> Rendition:
    data = _encoded(picture, form)
    return Rendition(form.suffix, form.content_type, picture.width, picture.height, data)


def _encoded(picture: Image.Image, form: Format) -> bytes:
    written = io.BytesIO()
    picture.save(written, form.pillow_name, **form.options)
    return written.getvalue()


def _preview(picture: Image.Image) -> str:
    small = shrunk(picture, within(picture.size, PREVIEW_SIZE))
    return f"data:image/webp;base64,{base64.b64encode(_encoded(small, _ROUGH)).decode()}"


def _average_colour(picture: Image.Image) -> str:
    red, green, blue = picture.resize((1, 1), Image.Resampling.BOX).tobytes()
    return f"#{red:02x}{green:02x}{blue:02x}"
