"""Slips: the same transfer is known again in any picture, and nothing else is taken for one."""

import io
from itertools import count

import pytest
import segno
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFilter

from app.money import Satang
from orders import promptpay, slip_qr
from orders.slip_qr import SlipReference

SLIP = SlipReference("004", "014242082547BPM04988")
CODE = slip_qr.make_payload("004", "014242082547BPM04988")

references = st.from_regex(r"[0-9A-Za-z]{6,40}", fullmatch=True)
banks = st.from_regex(r"[0-9]{3}", fullmatch=True)


def drawn(text: str, scale: int = 4) -> Image.Image:
    kept = io.BytesIO()
    segno.make(text, error="m", micro=False).save(kept, kind="png", scale=scale)
    return Image.open(kept).convert("RGB")


def screenshot(*codes: Image.Image, size: tuple[int, int] = (1080, 2340)) -> Image.Image:
    """A slip as a bank's app saves it: coloured, with lines of text, the codes at the bottom right."""
    picture = Image.new("RGB", size, "#e8f1ea")
    pen = ImageDraw.Draw(picture)
    for row in range(200, 1400, 90):
        pen.text((80, row), "โอนเงินสำเร็จ 1,250.00 บาท xxx-x-x1234-x", fill="#123", font_size=40)
    for i, code in enumerate(codes):
        picture.paste(code, (size[0] - code.width - 60, size[1] - (code.height + 60) * (i + 1)))
    return picture


def test_the_code_is_written_as_banks_write_it() -> None:
    assert CODE == "0041000600000101030040220014242082547BPM049885102TH910434DF"
    assert slip_qr.parse(CODE) == SLIP


@given(banks, references)
def test_what_is_written_is_read_back(bank: str, reference: str) -> None:
    assert slip_qr.parse(slip_qr.make_payload(bank, reference)) == SlipReference(bank, reference)


@given(st.integers(0, len(CODE) - 1), st.characters())
def test_one_changed_character_never_makes_another_transfer(at: int, char: str) -> None:
    assert slip_qr.parse(CODE[:at] + char + CODE[at + 1 :]) in (None, SLIP)


@given(st.integers(0, len(CODE) - 5), st.sampled_from("0123456789ABCDEFxyz"))
def test_a_change_before_the_checksum_makes_the_code_unreadable(at: int, char: str) -> None:
    changed = CODE[:at] + char + CODE[at + 1 :]
    # The checksum's own length may be misprinted; what it guards may not.
    assert changed == CODE or changed[:-5] == CODE[:-5] or slip_qr.parse(changed) is None


def test_a_checksum_without_its_leading_zeros_is_still_good() -> None:
    payloads = (slip_qr.make_payload("014", f"202611230{n:06}") for n in count())
    full = next(payload for payload in payloads if payload[-4:].startswith("00"))
    kept = full[-4:].lstrip("0")
    short, relabelled = full[:-4] + kept, f"{full[:-6]}{len(kept):02}{kept}"
    assert slip_qr.parse(full) is not None
    assert slip_qr.parse(short) == slip_qr.parse(relabelled) == slip_qr.parse(full)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://example.org",
        promptpay.payload("0801234567", Satang(422)),
        promptpay.sealed(promptpay.write_tags([("00", "0006000002"), ("51", "TH")]), "91"),
        promptpay.sealed(promptpay.write_tags([("00", "not tags"), ("51", "TH")]), "91"),
        slip_qr.make_payload("4", "014242082547BPM04988"),
        slip_qr.make_payload("004", "<script>"),
        slip_qr.make_payload("004", ""),
    ],
)
def test_another_code_is_no_slip(text: str) -> None:
    assert slip_qr.parse(text) is None


@given(st.text())
def test_no_text_breaks_the_reader(text: str) -> None:
    assert slip_qr.parse(text) is None
    slip_qr.parse(promptpay.sealed(text, "91"))


def test_a_bank_is_named_in_both_languages_and_an_unknown_one_by_its_code() -> None:
    assert SLIP.bank("th") == "ธนาคารกสิกรไทย"
    assert SLIP.bank("en") == "Kasikornbank"
    assert SlipReference("999", "x").bank("th") == "999"


def test_a_slip_is_found_in_a_screenshot_beside_a_payment_code() -> None:
    picture = screenshot(drawn(promptpay.payload("0801234567")), drawn(CODE))
    assert slip_qr.read_picture(picture) == SLIP


@pytest.mark.parametrize("width", [540, 720, 1080, 3000])
def test_a_slip_is_found_after_chat_apps_made_it_smaller_or_larger(width: int) -> None:
    whole = screenshot(drawn(CODE, scale=5))
    kept = io.BytesIO()
    whole.resize((width, whole.height * width // whole.width)).save(kept, "JPEG", quality=60)
    assert slip_qr.read_picture(Image.open(kept)) == SLIP


@pytest.mark.parametrize(("pixels_a_module", "blur"), [(2, 0.9), (5, 2.6), (8, 4.2)])
def test_a_tiny_or_blurred_code_is_read_at_another_look(pixels_a_module: int, blur: float) -> None:
    code = drawn(CODE, scale=8)
    side = code.width // 8 * pixels_a_module
    picture = Image.new("RGB", (600, 700), "#e8f1ea")
    picture.paste(code.resize((side, side), Image.Resampling.BILINEAR), (47, 53))
    assert slip_qr.read_picture(picture.filter(ImageFilter.GaussianBlur(blur))) == SLIP


@pytest.mark.parametrize("turn", [90, 180, 270, 8])
def test_a_slip_is_found_turned_and_a_little_blurred(turn: int) -> None:
    picture = screenshot(drawn(CODE, scale=6)).filter(ImageFilter.GaussianBlur(1.5))
    assert slip_qr.read_picture(picture.rotate(turn, expand=True)) == SLIP


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "YCbCr", "I", "F", "I;16"])
def test_every_kind_of_picture_can_be_read(mode: str) -> None:
    grey = screenshot(drawn(CODE)).convert("L")
    picture = grey.convert("I").convert("I;16") if mode == "I;16" else grey.convert(mode)
    assert slip_qr.read_picture(picture) == SLIP


def test_a_slip_on_a_transparent_ground_is_read_as_on_white() -> None:
    clear = Image.new("RGBA", (600, 600), (0, 0, 0, 0))
    code = drawn(CODE).convert("L").point(lambda grey: 255 - grey)
    clear.paste(Image.new("RGBA", code.size, "black"), (200, 200), mask=code)
    assert slip_qr.read_picture(clear) == SLIP


@pytest.mark.parametrize("size", [(0, 0), (1, 1), (20, 3000), (21, 21), (9000, 22), (640, 480)])
def test_a_picture_without_a_code_is_no_slip(size: tuple[int, int]) -> None:
    assert slip_qr.read_picture(Image.new("RGB", size, "white")) is None


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 300), st.integers(1, 300), st.floats(1, 200))
def test_noise_is_no_slip(width: int, height: int, spread: float) -> None:
    assert slip_qr.read_picture(Image.effect_noise((width, height), spread)) is None
