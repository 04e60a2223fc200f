"""Pages get every width and format, light, and without the photographer's secrets."""

import io
import os
from collections.abc import Callable

import pytest
from PIL import Image

from app import pictures
from tests import pictures as made_up
from tests.pictures import RED, assert_close, colour_at, heic, jpeg, opened, png, scene, webp


@pytest.fixture(scope="module")
def private_photo() -> bytes:
    """Taken at somebody's home, and telling so in every way a file can."""
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">' + made_up.CAMERA.encode() + b"</x:xmpmeta>"
    profile = made_up.swapped_profile()
    return made_up.written(
        made_up.photo(2000, 1500),
        *("JPEG",),
        exif=made_up.exif(),
        xmp=xmp,
        icc_profile=profile,
        comment=made_up.CAMERA,
        quality=90,
    )


@pytest.fixture(scope="module")
def made(private_photo: bytes) -> pictures.Made:
    return pictures.make(private_photo)


def test_every_width_is_made_in_every_format(made: pictures.Made) -> None:
    expected = [(width, width * 3 // 4, suffix) for width in pictures.WIDTHS for suffix in (".avif", ".webp", ".jpg")]

    assert (made.width, made.height) == (2000, 1500)
    assert [(each.width, each.height, each.suffix) for each in made.renditions] == expected
    for each in made.renditions:
        assert opened(each).size == (each.width, each.height)
        assert Image.MIME[opened(each).format or ""] == each.content_type


def test_nothing_but_pixels_is_left(private_photo: bytes, made: pictures.Made) -> None:
    telling = (b"Exif", b"GPS", b"xmpmeta", b"ICC_PROFILE", b"acsp", b"ICCP", b"EXIF", b"XMP ", made_up.CAMERA.encode())
    assert [word for word in telling if word in private_photo] != []

    for each in (*made.renditions, made.share):
        assert [word for word in telling if word in each.data] == []
        image = opened(each)
        assert dict(image.getexif()) == {}
        assert {"icc_profile", "exif", "xmp", "comment", "XML:com.adobe.xmp"} & set(image.info) == set()


@pytest.mark.parametrize("write", [png, webp, heic])
def test_no_kind_lets_a_secret_through(write: Callable[..., bytes]) -> None:
    data = write(scene(), exif=made_up.exif())
    assert made_up.CAMERA.encode() in data

    for each in pictures.make(data).renditions:
        assert made_up.CAMERA.encode() not in each.data
        assert dict(opened(each).getexif()) == {}


def test_a_phone_gets_light_files(made: pictures.Made) -> None:
    sizes = {(each.width, each.suffix): len(each.data) for each in made.renditions}

    assert sizes[640, ".jpg"] < 80_000
    assert sizes[640, ".webp"] < sizes[640, ".jpg"]
    assert sizes[640, ".avif"] < sizes[640, ".jpg"]


def test_the_picture_to_share_fills_its_frame(made: pictures.Made) -> None:
    assert opened(made.share).size == (1200, 630)
    assert made.share.content_type == "image/jpeg"


def test_the_preview_is_tiny_and_in_the_right_colours() -> None:
    made = pictures.make(png(scene()))

    assert made.preview.startswith("data:image/webp;base64,")
    assert len(made.preview) <= pictures.LONGEST_PREVIEW
    preview = Image.open(io.BytesIO(made_up.of_data_uri(made.preview))).convert("RGB")
    assert_close(colour_at(preview, 0.2, 0.2), RED, most=40)


def test_the_colour_is_the_average_one() -> None:
    halves = Image.new("RGB", (64, 64), (200, 100, 0))
    halves.paste((100, 200, 0), (0, 0, 32, 64))

    assert pictures.make(png(halves)).colour == "#969600"


def test_the_noisiest_preview_still_fits() -> None:
    noise = Image.frombytes("RGB", (16, 16), os.urandom(768))

    assert len(pictures.make(png(noise)).preview) <= pictures.LONGEST_PREVIEW


@pytest.mark.parametrize(
    ("size", "widths"),
    [((16, 16), [16]), ((319, 200), [319]), ((320, 200), [320]), ((700, 20), [320, 640]), ((100, 5000), [86])],
)
def test_no_picture_is_made_larger_than_it_came(size: tuple[int, int], widths: list[int]) -> None:
    made = pictures.make(png(Image.new("RGB", size, RED)))

    assert [each.width for each in made.renditions if each.suffix == ".webp"] == widths
    assert (made.width, made.height) == size


@pytest.mark.parametrize("size", [(16, 20_000), (20_000, 16)])
def test_a_ribbon_is_no_trouble(size: tuple[int, int]) -> None:
    for data in (png(Image.new("RGB", size, RED)), jpeg(*size)):
        made = pictures.make(data)
        assert (made.width, made.height) == size
        assert all(opened(each).size == (each.width, each.height) for each in made.renditions)
