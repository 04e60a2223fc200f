"""Any picture a phone, a camera or a program makes comes out upright and in its colours."""

from collections.abc import Callable

import pytest
from PIL import Image, ImageChops, ImageCms

from app import pictures
from tests import pictures as made_up
from tests.pictures import GREY, RED, assert_close, assert_shows_scene, colour_at, heic, jpeg, opened, png, scene, webp

# Decoders warn about odd files; in a market's life that is a line in the log and no end.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

WHITE, BLACK = (255, 255, 255), (0, 0, 0)


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
