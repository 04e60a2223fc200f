"""From a stranger's file to plain pixels: upright, in sRGB, on paper, without a word about who, where and when.

Cameras and programs write many things that browsers show wrongly or not at all: ink colours, sixteen bits, palettes
with holes, profiles, sideways pictures.  All of them come out alike, and nothing but pixels comes out.
"""

import io
from typing import Final

from PIL import Image, ImageChops, ImageCms
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile

from app.picture_checks import decoding, open_picture, orientation, upright_size

PAPER: Final = "#FFFFFF"

Size = tuple[int, int]


def decode(data: bytes, largest: Size) -> tuple[Image.Image, Size]:
    """Return the picture, upright, RGB in sRGB on paper white, within `largest`, and its upright size before.

    Decodes in the calling process.  PictureRefused when the file breaks a limit or does not decode to its end.
    """
    _, image = open_picture(data)
    turn = _TURNS.get(orientation(image))
    original = upright_size(image)
    wanted = within(image.size, largest if turn not in _LYING else largest[::-1])
    with decoding():
        _load(image, wanted)
        picture = _in_srgb(shrunk(_plain(image), wanted), image.info.get("icc_profile"))
    # Nothing that the file said about itself goes on from here.
    picture.info = {}
    return (picture if turn is None else picture.transpose(turn)), original


def within(size: Size, largest: Size) -> Size:
    """Scale down to fit `largest`, keeping the shape; never up."""
    scale = min(1, largest[0] / size[0], largest[1] / size[1])
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def shrunk(image: Image.Image, size: Size) -> Image.Image:
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3)


_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""How a picture of each EXIF orientation comes upright."""
_LYING: Final = {_TURNS[each] for each in (5, 6, 7, 8)}
_SRGB: Final = ImageCms.createProfile("sRGB")
_MODES_OF_PROFILES: Final = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}


def _load(image: ImageFile, wanted: Size) -> None:
    if isinstance(image, JpegImageFile):
        # The decoder itself skips detail that nobody will see, and never holds it in memory.
        image.draft(None, (wanted[0] * 2, wanted[1] * 2))
    image.load()


def _plain(image: ImageFile) -> Image.Image:
    """Eight bits a channel, no palette: L, RGB or CMYK, or LA or RGBA when something shows through."""
    if image.mode == "CMYK":
        # Pillow reads every CMYK JPEG as Adobe writes them: ink inverted.  Without Adobe's mark it is not.
        return image if "adobe" in image.info else ImageChops.invert(image)
    if image.mode.startswith("I"):
        return image.point(lambda value: value / 257).convert("L")
    grey = image.mode in {"1", "L", "LA"}
    if image.has_transparency_data:
        return _as_mode(image, "LA" if grey else "RGBA")
    return _as_mode(image, "L" if grey else "RGB")


def _as_mode(image: Image.Image, mode: str) -> Image.Image:
    # Pillow's convert copies even when there is nothing to do: a third of a gigabyte for the largest picture.
    return image if image.mode == mode else image.convert(mode)


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    opaque = _on_paper(image)
    return (_translated(opaque, profile) if profile else None) or opaque.convert("RGB")


def _on_paper(image: Image.Image) -> Image.Image:
    if image.mode not in {"LA", "RGBA"}:
        return image
    paper = Image.new("L" if image.mode == "LA" else "RGB", image.size, PAPER)
    paper.paste(image.convert(paper.mode), mask=image.getchannel("A"))
    return paper


def _translated(image: Image.Image, profile: bytes) -> Image.Image | None:
    """The colours in sRGB; None for a profile that is broken or belongs to another kind of picture."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if _MODES_OF_PROFILES.get(source.profile.xcolor_space.strip()) != image.mode:
            return None
        return ImageCms.profileToProfile(image, source, _SRGB, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        return None
