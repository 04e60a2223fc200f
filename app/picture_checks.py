"""What comes in as a picture: told by its contents, looked at by its header alone, refused in plain words.

Nothing here decodes a pixel, so it is quick and small enough for the request that brings the picture.  What a file
calls itself, or what a browser says it is, is never asked.
"""

import io
import re
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from PIL.Image import DecompressionBombError, Exif
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile
from pillow_heif import HeifImageFile

from app.errors import Refusal
from app.language import N_, Bilingual

MOST_BYTES: Final = 20 * 1024 * 1024
MOST_PIXELS: Final = 80_000_000
"""Above what phones make by default (12 to 50 megapixels); bounds the memory of decoding."""
LONGEST_SIDE: Final = 20_000
SHORTEST_SIDE: Final = 16
LONGEST_NAME: Final = 80

THIS_PICTURE: Final = Bilingual("รูปนี้", "This picture")


class PictureRefused(Refusal):
    """Every reason why a picture is not taken; `%(name)s` is the file's name where it is known."""

    status = 422
    message = N_("This picture cannot be used. Please choose another one.")

    def __init__(self, *, field: str | None = None, name: str | Bilingual = THIS_PICTURE) -> None:
        super().__init__(field=field, name=name)


class PictureEmpty(PictureRefused):
    message = N_("%(name)s is an empty file. Please choose the picture again.")


class PictureTooLarge(PictureRefused):
    status = 413
    message = N_("%(name)s is larger than 20 MB. Please choose a smaller picture.")


class PictureKindUnknown(PictureRefused):
    message = N_("%(name)s is not a picture we can show. Please choose a JPEG, PNG, WebP or HEIC file.")


class PictureDamaged(PictureRefused):
    message = N_("%(name)s is damaged or did not arrive whole. Please send it again or choose another one.")


class PictureTooManyPixels(PictureRefused):
    message = N_("%(name)s has too many pixels: we take up to 80 megapixels. Please make it smaller first.")


class PictureTooHeavy(PictureRefused):
    message = N_("%(name)s takes too much work to make ready. Please choose another one, or save it smaller first.")


class PictureTooSmall(PictureRefused):
    message = N_("%(name)s is too small to show. Please choose a larger picture.")


PICTURE_REFUSALS: Final = (
    *(PictureEmpty, PictureTooLarge, PictureKindUnknown, PictureDamaged),
    *(PictureTooManyPixels, PictureTooHeavy, PictureTooSmall),
)


@dataclass(frozen=True, slots=True)
class Kind:
    """One of the four kinds that we take."""

    name: str
    content_type: str
    suffix: str
    open: Callable[[io.BytesIO], ImageFile]


# The classes themselves, not Image.open: it tries further formats, and warns by limits of its own.
JPEG: Final = Kind("JPEG", "image/jpeg", ".jpg", JpegImageFile)
PNG: Final = Kind("PNG", "image/png", ".png", PngImageFile)
WEBP: Final = Kind("WebP", "image/webp", ".webp", WebPImageFile)
HEIC: Final = Kind("HEIC", "image/heic", ".heic", HeifImageFile)


@dataclass(frozen=True, slots=True)
class Checked:
    """A picture that may be kept and made ready: its kind, and its size in pixels as people see it, upright."""

    name: str
    kind: Kind
    width: int
    height: int


def check(data: bytes, filename: str) -> Checked:
    """Look at the header; PictureRefused, naming the file, when it cannot become a picture of the market.

    A file that is damaged further in passes here and is refused when it is decoded.
    """
    name = safe_name(filename)
    try:
        kind, image = open_picture(data)
    except PictureRefused as refusal:
        raise type(refusal)(name=name) from refusal
    width, height = upright_size(image)
    return Checked(name, kind, width, height)


def open_picture(data: bytes) -> tuple[Kind, ImageFile]:
    """Open without decoding, having held every limit that the header tells of; PictureRefused otherwise."""
    if not data:
        raise PictureEmpty
    if len(data) > MOST_BYTES:
        raise PictureTooLarge
    kind = kind_of(data)
    if kind is None:
        raise PictureKindUnknown
    with decoding():
        image = kind.open(io.BytesIO(data))
    hold_to_size(*image.size)
    if not _reaches_its_end(kind, data):
        raise PictureDamaged
    return kind, image


def kind_of(data: bytes) -> Kind | None:
    """Tell the kind by the first bytes."""
    if data.startswith(b"\xff\xd8\xff"):
        return JPEG
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return WEBP
    if data[4:8] == b"ftyp" and _HEIC_BRANDS & _brands(data):
        return HEIC
    return None


def hold_to_size(width: int, height: int) -> None:
    if min(width, height) < SHORTEST_SIDE:
        raise PictureTooSmall
    if max(width, height) > LONGEST_SIDE or width * height > MOST_PIXELS:
        raise PictureTooManyPixels


def upright_size(image: ImageFile) -> tuple[int, int]:
    """Width and height after the picture is turned upright."""
    width, height = image.size
    return (height, width) if orientation(image) >= _LYING else (width, height)


def orientation(image: ImageFile) -> int:
    """How the camera was held, 1 to 8 as in EXIF; 1 when it does not say, or says it in a broken way."""
    exif = Exif()
    try:
        # Not image.getexif(): for a PNG it decodes the whole picture first.
        exif.load(image.info.get("exif", b""))
        found = exif.get(_ORIENTATION)
    except Exception:  # noqa: BLE001  # hostile EXIF makes the parser raise anything; the picture itself may be fine
        return 1
    return found if isinstance(found, int) and found in range(1, 9) else 1


def safe_name(filename: str) -> str:
    """Reduce a name from a stranger's device to one line that can be shown: no folders, no invisible signs."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", filename.strip()))[-1]
    seen = "".join(sign for sign in last if sign == _JOINER or unicodedata.category(sign)[0] != "C")
    name = " ".join(seen.split()).strip(". ")
    if len(name) <= LONGEST_NAME:
        return name or "picture"
    suffix = PurePosixPath(name).suffix[:_LONGEST_SUFFIX]
    return f"{name[: LONGEST_NAME - len(suffix) - 1].rstrip()}…{suffix}"


@contextmanager
def decoding() -> Iterator[None]:
    """Around everything that reads a stranger's bytes: decoders raise whatever they like, people read a refusal."""
    try:
        yield
    except PictureRefused:
        raise
    except DecompressionBombError:
        raise PictureTooManyPixels from None
    except MemoryError:
        raise PictureTooHeavy from None
    except Exception as error:
        raise PictureDamaged from error


_ORIENTATION = 0x0112
_LYING = 5
"""Orientations from here on exchange width and height."""
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
_JOINER = "\u200d"
"""Holds emoji of several signs together."""
_LONGEST_SUFFIX = 6
_MINOR_VERSION_AT = 4
_START_OF_SCAN, _END_OF_JPEG = b"\xff\xda", b"\xff\xd9"


def _brands(data: bytes) -> set[bytes]:
    """The codings that an ISO base media file says it can be read as."""
    box = data[8 : min(int.from_bytes(data[:4], "big"), 256)]
    return {box[at : at + 4] for at in range(0, len(box), 4) if at != _MINOR_VERSION_AT}


def _reaches_its_end(kind: Kind, data: bytes) -> bool:
    """Whether the file's own end is there: a cheap look that tells most uploads that broke off."""
    if kind is JPEG:
        return data.rfind(_END_OF_JPEG) > data.find(_START_OF_SCAN)
    if kind is PNG:
        return b"IEND" in data
    if kind is WEBP:
        return len(data) >= int.from_bytes(data[4:8], "little")
    return True
