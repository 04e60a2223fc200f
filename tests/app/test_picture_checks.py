"""What comes in is told by its contents and by its header, and named when it is refused."""

import pytest

from app import picture_checks, pictures
from app.picture_checks import PictureDamaged, PictureEmpty, PictureKindUnknown, PictureTooLarge, PictureTooSmall
from tests import pictures as made_up
from tests.pictures import assert_shows_scene, heic, jpeg, png, scene, webp


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
