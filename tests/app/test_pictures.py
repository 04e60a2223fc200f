"""Any picture a phone makes comes out upright, in its colours and without its secrets; anything else is refused."""

import asyncio
import contextlib
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageCms

from app import picture_checks, pictures
from app.language import ROOT
from app.picture_checks import (
    PictureDamaged,
    PictureEmpty,
    PictureKindUnknown,
    PictureRefused,
    PictureTooHeavy,
    PictureTooLarge,
    PictureTooManyPixels,
    PictureTooSmall,
)
from tests import pictures as made_up
from tests.pictures import BLUE, GREEN, GREY, RED, colour_at, heic, jpeg, png, scene, webp

# Decoders warn about odd files; in a market's life that is a line in the log and no end.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

WHITE, BLACK = (255, 255, 255), (0, 0, 0)
CORNERS = {(0.2, 0.2): RED, (0.8, 0.2): GREEN, (0.2, 0.8): BLUE, (0.8, 0.8): GREY}


def assert_close(found: tuple[int, int, int], expected: tuple[int, int, int], most: int = 12) -> None:
    assert max(abs(a - b) for a, b in zip(found, expected, strict=True)) <= most, (found, expected)


def assert_shows_scene(image: Image.Image) -> None:
    assert image.mode == "RGB"
    for (across, down), colour in CORNERS.items():
        assert_close(colour_at(image, across, down), colour)


def opened(rendition: pictures.Rendition) -> Image.Image:
    return Image.open(io.BytesIO(rendition.data))


# What comes in


@pytest.mark.parametrize(
    ("data", "kind"),
    [(jpeg(), "JPEG"), (png(), "PNG"), (webp(), "WebP"), (heic(), "HEIC")],
    ids=["jpeg", "png", "webp", "heic"],
)
def test_the_four_kinds_are_told_by_their_contents(data: bytes, kind: str) -> None:
    checked = pictures.check(data, "whatever.txt")

    assert (checked.kind.name, checked.width, checked.height) == (kind, 400, 300)
    assert_shows_scene(pictures.read_upright(data))


POSING = {
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "gif": made_up.written(scene(), "GIF"),
    "bmp": made_up.written(scene(), "BMP"),
    "tiff": made_up.written(scene(), "TIFF"),
    "avif": made_up.written(scene(), "AVIF"),
    "pdf": made_up.written(scene(), "PDF"),
    "html": b"<!doctype html><html><body>hello</body></html>",
    "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n",
    "zip": b"PK\x03\x04" + bytes(100),
    "mp4": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(100),
    "text": "สวัสดี".encode(),
    "one byte": b"\xff",
}


@pytest.mark.parametrize("data", POSING.values(), ids=POSING)
def test_another_kind_that_poses_as_a_jpeg_is_refused(data: bytes) -> None:
    with pytest.raises(PictureKindUnknown) as refused:
        pictures.check(data, "photo.jpg")

    assert "photo.jpg" in refused.value.text("en")
    assert "photo.jpg" in refused.value.text("th")


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(PictureEmpty):
        pictures.check(b"", "a.jpg")


def test_twenty_megabytes_pass_and_one_byte_more_does_not() -> None:
    whole = jpeg()
    filled = whole + bytes(picture_checks.MOST_BYTES - len(whole))

    assert pictures.check(filled, "a.jpg").width == 400
    with pytest.raises(PictureTooLarge) as refused:
        pictures.check(filled + b"\0", "a.jpg")
    assert refused.value.status == 413


@pytest.mark.parametrize("size", [(15, 400), (400, 15), (1, 1)])
def test_a_picture_too_small_to_show_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(PictureTooSmall):
        pictures.check(jpeg(*size), "a.jpg")
    assert pictures.check(jpeg(16, 16), "a.jpg").width == 16


@pytest.mark.parametrize("size", [(0, 100), (100, 0), (0, 0)])
def test_a_picture_of_no_size_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises((PictureDamaged, PictureTooSmall)):
        pictures.check(made_up.png_bomb(*size), "a.png")


def test_the_checked_size_is_the_upright_one() -> None:
    data = made_up.written(scene(), "JPEG", exif=made_up.exif(orientation=6))

    checked = pictures.check(data, "a.jpg")

    assert (checked.width, checked.height) == (300, 400)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd.jpg", "passwd.jpg"),
        ("C:\\Users\\som\\ข้าว.jpg", "ข้าว.jpg"),
        ("/", "picture"),
        ("..", "picture"),
        ("", "picture"),
        ("a\0b\r\n\x1b[31m.jpg", "ab[31m.jpg"),
        ("photo\u202egpj.exe", "photogpj.exe"),
        ("  ผ้าทอ   มัดหมี่.heic ", "ผ้าทอ มัดหมี่.heic"),
        ("👩‍🌾 ชาวนา.jpg", "👩‍🌾 ชาวนา.jpg"),
        ("<script>alert(1)<", "<script>alert(1)<"),
        ("\ud800.jpg", "jpg"),
    ],
)
def test_a_name_is_one_plain_line(name: str, shown: str) -> None:
    assert pictures.check(jpeg(), name).name == shown


@pytest.mark.parametrize("name", ["ข้าวหอมมะลิ" * 100 + ".jpg", "🍚" * 300 + ".jpeg", "a" * 500, "x." + "y" * 300])
def test_a_long_name_keeps_its_beginning(name: str) -> None:
    shown = pictures.check(jpeg(), name).name

    assert len(shown) <= picture_checks.LONGEST_NAME
    assert shown[:2] == name[:2]


def test_a_name_with_a_percent_sign_can_be_spoken_of() -> None:
    with pytest.raises(PictureEmpty) as refused:
        pictures.check(b"", "ลด 100%(name)s.jpg")

    assert refused.value.text("th").startswith("ลด 100%(name)s.jpg เป็นไฟล์ว่าง")


# Every way to write colours


def through(mode: str) -> Image.Image:
    """The scene with its left half cut out, as `mode` can show it."""
    image = scene().convert("RGBA")
    image.paste((0, 0, 0, 0), (0, 0, 200, 300))
    return image.convert(mode)


def one_hole() -> bytes:
    image = scene().quantize(8)
    return png(image, transparency=image.getpixel((10, 10)))


SHOWING_THROUGH: dict[str, Callable[[], bytes]] = {
    "rgba png": lambda: png(through("RGBA")),
    "la png": lambda: png(through("LA")),
    "palette with alpha": lambda: png(through("RGBA").quantize(16)),
    "palette with one hole": one_hole,
    "rgb with one clear colour": lambda: png(scene(), transparency=RED),
    "grey with one clear tone": lambda: png(Image.new("L", (400, 300), 60), transparency=60),
    "rgba webp": lambda: webp(through("RGBA"), lossless=True),
    "rgba heic": lambda: heic(through("RGBA")),
}


@pytest.mark.parametrize("data", SHOWING_THROUGH.values(), ids=SHOWING_THROUGH)
def test_what_shows_through_lies_on_white_paper(data: Callable[[], bytes]) -> None:
    image = pictures.read_upright(data())

    assert image.mode == "RGB"
    assert_close(colour_at(image, 0.2, 0.2), WHITE, most=4)


def test_half_clear_colours_mix_with_the_paper() -> None:
    image = pictures.read_upright(png(Image.new("RGBA", (64, 64), (255, 0, 0, 128))))

    assert_close(colour_at(image, 0.5, 0.5), (255, 127, 127), most=2)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_grey_stays_grey(form: str) -> None:
    image = pictures.read_upright(made_up.written(Image.new("L", (64, 64), 90), form))

    assert_close(colour_at(image, 0.5, 0.5), (90, 90, 90), most=2)


def test_black_and_white_stays_so() -> None:
    image = Image.new("1", (64, 64), 1)
    image.paste(0, (0, 0, 32, 64))

    shown = pictures.read_upright(png(image))

    assert (colour_at(shown, 0.2, 0.5), colour_at(shown, 0.8, 0.5)) == (BLACK, WHITE)


@pytest.mark.parametrize("value", [0, 0x4000, 0x8000, 0xFFFF])
def test_sixteen_bits_of_grey_are_scaled_not_cut(value: int) -> None:
    image = pictures.read_upright(png(Image.new("I;16", (64, 64), value)))

    assert_close(colour_at(image, 0.5, 0.5), (value // 257,) * 3, most=1)


@pytest.mark.parametrize(("colour", "shown"), [(0, (16, 16, 16)), (2, (16, 16, 16)), (6, (239, 239, 239))])
def test_sixteen_bits_of_colour_are_scaled_not_cut(colour: int, shown: tuple[int, int, int]) -> None:
    data = made_up.png_of_16_bits(64, 64, colour, value=0x1010)

    assert_close(colour_at(pictures.read_upright(data), 0.5, 0.5), shown, most=1)


def test_ink_colours_look_as_printed() -> None:
    image = pictures.read_upright(made_up.written(scene().convert("CMYK"), "JPEG", quality=95))

    assert_shows_scene(image)


def test_ink_colours_without_adobes_mark_are_not_inverted() -> None:
    # Pillow writes them inverted; inverted once more they lie in the file as ink, as other programs write them.
    inverted = ImageChops.invert(scene().convert("CMYK"))
    data = made_up.without_adobe_mark(made_up.written(inverted, "JPEG", quality=95))

    assert_shows_scene(pictures.read_upright(data))


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_a_colour_profile_is_followed_into_srgb(form: str) -> None:
    red, green, blue = Image.new("RGB", (64, 64), (220, 30, 60)).split()
    swapped = Image.merge("RGB", (green, red, blue))

    image = pictures.read_upright(made_up.written(swapped, form, icc_profile=made_up.swapped_profile(), quality=95))

    assert_close(colour_at(image, 0.5, 0.5), (220, 30, 60), most=16)


LAB = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()


@pytest.mark.parametrize("profile", [b"nonsense", b"\0" * 200, made_up.swapped_profile()[:300], LAB])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_broken_or_foreign_profile_is_passed_over(profile: bytes, mode: str) -> None:
    image = Image.new("RGB", (64, 64), GREY).convert(mode)

    shown = pictures.read_upright(made_up.written(image, "JPEG", icc_profile=profile, quality=95))

    assert_close(colour_at(shown, 0.5, 0.5), GREY, most=4)


# Every way to hold a camera


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_a_picture_comes_upright_however_the_camera_was_held(form: str, orientation: int) -> None:
    image = made_up.lying(orientation, scene())

    upright = pictures.read_upright(made_up.written(image, form, exif=made_up.exif(orientation), quality=95))

    assert upright.size == (400, 300)
    assert_shows_scene(upright)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_heic_picture_is_turned_once_not_twice(orientation: int) -> None:
    data = heic(made_up.lying(orientation, scene()), exif=made_up.exif(orientation))

    upright = pictures.read_upright(data)

    assert upright.size == (400, 300)
    assert_shows_scene(upright)


@pytest.mark.parametrize("exif", [b"Exif\0\0nonsense", b"Exif\0\0II*\0\xff\xff\xff\xff", made_up.exif(orientation=77)])
def test_broken_exif_leaves_the_picture_as_it_is(exif: bytes) -> None:
    assert_shows_scene(pictures.read_upright(made_up.written(scene(), "JPEG", exif=exif)))


def test_a_large_jpeg_is_upright_though_the_decoder_skips_detail() -> None:
    data = made_up.written(made_up.lying(6, scene(6400, 4800)), "JPEG", exif=made_up.exif(6))

    made = pictures.make(data)

    assert (made.width, made.height) == (6400, 4800)
    assert [each.width for each in made.renditions if each.suffix == ".jpg"] == [320, 640, 960, 1440]
    assert_shows_scene(opened(made.renditions[-1]))


# Odd but honest files


def test_a_progressive_jpeg_is_read() -> None:
    assert_shows_scene(pictures.read_upright(jpeg(progressive=True)))


def test_of_a_phones_double_picture_the_first_counts() -> None:
    data = made_up.written(scene(), "MPO", save_all=True, append_images=[Image.new("RGB", (400, 300))])

    assert pictures.check(data, "a.jpg").kind.name == "JPEG"
    assert_shows_scene(pictures.read_upright(data))


def test_a_motion_photo_with_a_film_behind_it_is_read() -> None:
    assert_shows_scene(pictures.read_upright(jpeg() + b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 500))


def test_a_jpeg_with_much_exif_is_read() -> None:
    exif = made_up.exif(orientation=3, description="x" * 60_000)

    assert_shows_scene(pictures.read_upright(made_up.written(made_up.lying(3, scene()), "JPEG", exif=exif)))


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_of_a_moving_picture_the_first_frame_counts(form: str) -> None:
    frames = [Image.new("RGB", (400, 300), (each, 0, 0)) for each in (0, 120, 240)]

    image = pictures.read_upright(made_up.written(scene(), form, save_all=True, append_images=frames, duration=50))

    assert_shows_scene(image)


# Damaged and hostile files


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


# What is made


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


# Apart


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
