"""Pictures as phones, cameras, programs and attackers make them: all in code, none on disk."""

import base64
import io
import struct
import zlib
from typing import Any

import pillow_heif
from PIL import Image, ImageCms, ImageDraw

from app.pictures import Rendition

RED, GREEN, BLUE, GREY = (200, 40, 40), (40, 160, 60), (40, 60, 190), (128, 128, 128)
#: A place in Chiang Mai, as cameras write it.
GPS = {1: "N", 2: (18.0, 47.0, 16.83), 3: "E", 4: (98.0, 59.0, 12.71)}
CAMERA = "Kamera-of-Somsri"
ORIENTATION, GPS_BLOCK, MAKER, DESCRIPTION = 0x0112, 0x8825, 0x010F, 0x010E


def scene(width: int = 400, height: int = 300) -> Image.Image:
    """Another colour in each quarter: red, green / blue, grey; so that every turn and mirroring shows."""
    image = Image.new("RGB", (width, height), RED)
    draw = ImageDraw.Draw(image)
    draw.rectangle((width // 2, 0, width, height // 2), fill=GREEN)
    draw.rectangle((0, height // 2, width // 2, height), fill=BLUE)
    draw.rectangle((width // 2, height // 2, width, height), fill=GREY)
    return image


def photo(width: int = 400, height: int = 300) -> Image.Image:
    """As `scene`, with the grain of a real photo, which costs bytes."""
    grain = Image.effect_noise((width, height), 40).convert("RGB")
    return Image.blend(scene(width, height), grain, 0.3)


def written(image: Image.Image, form: str = "JPEG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def jpeg(width: int = 400, height: int = 300, **options: Any) -> bytes:
    return written(scene(width, height), "JPEG", **options)


def png(image: Image.Image | None = None, **options: Any) -> bytes:
    return written(image or scene(), "PNG", **options)


def webp(image: Image.Image | None = None, **options: Any) -> bytes:
    return written(image or scene(), "WEBP", **options)


def heic(image: Image.Image | None = None, **options: Any) -> bytes:
    file = io.BytesIO()
    pillow_heif.from_pillow(image or scene()).save(file, quality=80, **options)
    return file.getvalue()


def exif(orientation: int = 1, description: str = "at home") -> bytes:
    tags = Image.Exif()
    tags[ORIENTATION] = orientation
    tags[MAKER] = CAMERA
    tags[DESCRIPTION] = description
    tags[GPS_BLOCK] = GPS
    return tags.tobytes()


def lying(orientation: int, image: Image.Image) -> Image.Image:
    """The pixels of a camera that was held so, of a picture that is upright as `image`."""
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    return image.transpose(turns[orientation]) if orientation in turns else image


def colour_at(image: Image.Image, across: float, down: float) -> tuple[int, int, int]:
    found = image.getpixel((int(image.width * across), int(image.height * down)))
    assert isinstance(found, tuple)
    return found[0], found[1], found[2]


CORNERS = {(0.2, 0.2): RED, (0.8, 0.2): GREEN, (0.2, 0.8): BLUE, (0.8, 0.8): GREY}


def assert_close(found: tuple[int, int, int], expected: tuple[int, int, int], most: int = 12) -> None:
    assert max(abs(a - b) for a, b in zip(found, expected, strict=True)) <= most, (found, expected)


def assert_shows_scene(image: Image.Image) -> None:
    assert image.mode == "RGB"
    for (across, down), colour in CORNERS.items():
        assert_close(colour_at(image, across, down), colour)


def opened(rendition: Rendition) -> Image.Image:
    return Image.open(io.BytesIO(rendition.data))


def swapped_profile() -> bytes:
    """A profile in which red and green have changed places: whoever ignores it shows the wrong colours."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack_from(">I", profile, 128)[0]
    entries = {bytes(profile[at : at + 4]): at for at in range(132, 132 + 12 * count, 12)}
    red, green = entries[b"rXYZ"] + 4, entries[b"gXYZ"] + 4
    profile[red : red + 8], profile[green : green + 8] = profile[green : green + 8], profile[red : red + 8]
    return bytes(profile)


_PNG = b"\x89PNG\r\n\x1a\n"


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_bomb(width: int, height: int, *, bits: int = 1, colour: int = 0) -> bytes:
    """A PNG of one colour whose pixels, though few bytes here, would fill the memory."""
    channels = {0: 1, 2: 3, 6: 4}[colour]
    row = b"\0" * (1 + (width * bits * channels + 7) // 8)
    packer = zlib.compressobj(9)
    body = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return _PNG + png_chunk(b"IHDR", head) + png_chunk(b"IDAT", body) + png_chunk(b"IEND", b"")


def without_adobe_mark(data: bytes) -> bytes:
    """A CMYK JPEG as programs other than Adobe's write it, its numbers left as they are."""
    at = data.index(b"\xff\xee")
    return data[:at] + data[at + 2 + struct.unpack_from(">H", data, at + 2)[0] :]


def png_of_16_bits(width: int, height: int, colour: int, value: int) -> bytes:
    """Every channel of every pixel is `value`, alpha too."""
    channels = {0: 1, 2: 3, 6: 4}[colour]
    row = b"\0" + struct.pack(">H", value) * channels * width
    head = struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, 0)
    body = zlib.compress(row * height)
    return _PNG + png_chunk(b"IHDR", head) + png_chunk(b"IDAT", body) + png_chunk(b"IEND", b"")


def png_with_packed_text(length: int) -> bytes:
    """A small picture with a comment that unpacks to `length` bytes."""
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(1_000_000)) for _ in range(length // 1_000_000)) + packer.flush()
    whole = png()
    return whole[:33] + png_chunk(b"zTXt", b"Comment\0\0" + packed) + whole[33:]


def webp_head(width: int, height: int) -> bytes:
    """An animation on a canvas of this size, with one small frame."""
    canvas = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    frame = webp(scene(64, 64), lossless=True)[12:]
    head = struct.pack("<4sI", b"VP8X", 10) + b"\x02\0\0\0" + canvas
    loop = struct.pack("<4sI", b"ANIM", 6) + bytes(6)
    place = bytes(6) + (63).to_bytes(3, "little") * 2 + bytes(4)
    moving = struct.pack("<4sI", b"ANMF", len(place) + len(frame)) + place + frame
    body = b"WEBP" + head + loop + moving
    return b"RIFF" + struct.pack("<I", len(body)) + body


def jpeg_of_claimed_size(width: int, height: int) -> bytes:
    """A small picture whose header claims another size."""
    whole = bytearray(jpeg())
    at = whole.index(b"\xff\xc0")
    struct.pack_into(">HH", whole, at + 5, height, width)
    return bytes(whole)


def of_data_uri(uri: str) -> bytes:
    return base64.b64decode(uri.partition(",")[2])
