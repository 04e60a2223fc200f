"""PromptPay codes: what banks' apps will read, to the letter, and what no damaged code gets past."""

import io
from xml.etree import ElementTree as ET

import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from app.money import Satang
from orders import promptpay
from orders.promptpay import Transfer, WrongPayload, WrongProxy

VECTORS = [
    ("0801234567", None, "00020101021129370016A000000677010111011300668012345675802TH530376463046197"),
    ("0801234567", 422, "00020101021229370016A000000677010111011300668012345675802TH530376454044.22630444FE"),
    ("0801234567", 125_000, "00020101021229370016A000000677010111011300668012345675802TH530376454071250.006304583E"),
    ("1111111111111", None, "00020101021129370016A000000677010111021311111111111115802TH530376463047B5A"),
]
CODE = VECTORS[1][2]

proxies = st.one_of(
    st.from_regex(r"0[689][0-9]{8}", fullmatch=True),
    st.from_regex(r"[1-9][0-9]{12}", fullmatch=True),
    st.from_regex(r"[0-9]{15}", fullmatch=True),
)
amounts = st.none() | st.integers(1, 10**12 - 1).map(Satang)


@pytest.mark.parametrize(("proxy", "amount", "payload"), VECTORS)
def test_a_code_is_written_as_the_published_vectors(proxy: str, amount: Satang | None, payload: str) -> None:
    assert promptpay.payload(proxy, amount) == payload
    assert promptpay.parse(payload) == Transfer(proxy, amount)


@given(proxies, amounts)
def test_what_is_written_is_read_back(proxy: str, amount: Satang | None) -> None:
    assert promptpay.parse(promptpay.payload(proxy, amount)) == Transfer(proxy, amount)


@given(st.integers(0, len(CODE) - 1), st.characters())
def test_one_changed_character_is_always_noticed(at: int, char: str) -> None:
    changed = CODE[:at] + char + CODE[at + 1 :]
    if changed == CODE:
        return
    with pytest.raises(WrongPayload):
        promptpay.parse(changed)


@given(st.text() | st.text("0123456789A", max_size=80).map(lambda body: promptpay.sealed(body, "63")))
def test_any_other_text_is_a_named_refusal(text: str) -> None:
    with pytest.raises(WrongPayload):
        promptpay.parse(text)


def test_a_bill_payment_is_not_taken_for_a_transfer() -> None:
    bill = promptpay.write_tags([("00", "A000000677010112"), ("01", "010753600010286")])
    with pytest.raises(WrongPayload, match="not PromptPay"):
        promptpay.parse(promptpay.sealed(promptpay.write_tags([("00", "01"), ("29", bill), ("53", "764")]), "63"))


@pytest.mark.parametrize(
    "typed",
    [
        "0801234567",
        "080-123-4567",
        " 080 123 4567 ",
        "+66801234567",
        "+66 80 123 4567",
        "66801234567",
        "0066801234567",
        "๐๘๐-๑๒๓-๔๕๖๗",
    ],
)
def test_a_phone_is_read_as_people_type_it(typed: str) -> None:
    assert promptpay.normalise_proxy(typed) == "0801234567"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("1-2345-67890-12-3", "1234567890123"),
        ("0105560000001", "0105560000001"),
        ("004999012345678", "004999012345678"),
    ],
)
def test_thirteen_and_fifteen_digits_are_kept(typed: str, kept: str) -> None:
    assert promptpay.normalise_proxy(typed) == kept


@pytest.mark.parametrize(
    "typed",
    ["", "080123456", "08012345678", "0212345678", "021234567", "abc", "08O1234567", "12345678901234", "1" * 16],
)
def test_what_no_bank_knows_is_refused(typed: str) -> None:
    with pytest.raises(WrongProxy) as refused:
        promptpay.payload(typed)
    assert refused.value.status == 422
    assert refused.value.field == "promptpay_id"


@pytest.mark.parametrize("amount", [0, -1, 10**12])
def test_an_amount_that_cannot_be_paid_makes_no_code(amount: int) -> None:
    with pytest.raises(ValueError, match="amount"):
        promptpay.payload("0801234567", Satang(amount))


@pytest.mark.parametrize(
    ("proxy", "readable", "masked"),
    [
        ("0801234567", "080-123-4567", "xxx-xxx-4567"),
        ("1234567890123", "1-2345-67890-12-3", "x-xxxx-xxxx0-12-3"),
        ("004999012345678", "004999012345678", "xxxxxxxxxxx5678"),
    ],
)
def test_an_id_is_shown_whole_to_the_payer_and_masked_to_others(proxy: str, readable: str, masked: str) -> None:
    assert promptpay.readable(proxy) == readable
    assert promptpay.mask(proxy) == masked
    assert promptpay.normalise_proxy(readable) == proxy


@given(proxies)
def test_a_mask_shows_four_digits_and_no_more(proxy: str) -> None:
    shown = promptpay.mask(proxy).replace("-", "").replace("x", "")
    assert shown == proxy[-4:]


@pytest.mark.parametrize("scale", [2, 8])
def test_the_saved_picture_scans(scale: int) -> None:
    picture = Image.open(io.BytesIO(promptpay.qr_png(CODE, scale)))
    assert [code.text for code in zxingcpp.read_barcodes(picture.convert("L"))] == [CODE]
    margin = picture.convert("L").crop((0, 0, picture.width, promptpay.QUIET_ZONE * scale))
    assert margin.getextrema() == (255, 255)


def test_the_drawn_code_scales_speaks_and_needs_no_inline_style() -> None:
    drawn = promptpay.qr_svg(CODE, 'จ่าย ฿4.22 <b>"&')
    svg = ET.fromstring(drawn)  # noqa: S314 - our own drawing
    title = svg.find("{http://www.w3.org/2000/svg}title")
    assert title is not None
    assert title.text == 'จ่าย ฿4.22 <b>"&'
    assert svg.get("role") == "img"
    assert svg.get("viewBox") == "0 0 41 41"
    for banned in ("width=", "height=", "style", "<script", "onload"):
        assert banned not in drawn


def test_two_tags_of_one_name_or_a_short_value_are_refused() -> None:
    for text in ("0002010002AB", "0005AB", "00", "0A02AB"):
        with pytest.raises(WrongPayload):
            promptpay.read_tags(text)
    assert promptpay.read_tags("") == {}
