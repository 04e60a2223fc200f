"""The small QR code on a Thai transfer slip: which bank sent the money, under which reference.

Every bank prints the same "mini-QR": tag 00 holds {00: 000001, 01: sending bank, 02: transaction reference}, 51 is
TH, 91 the checksum.  Bank and reference name a transfer once in the country, so a slip that is shown again is known,
without asking any bank.  The code does not say amount, receiver or time: a person still looks at those.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import zxingcpp
from PIL import Image, ImageFilter

from app.language import Bilingual, Language
from orders.promptpay import WrongPayload, checksum, read_tags, sealed, write_tags

SLIP_FORMAT: Final = "000001"

BANKS: Final[dict[str, Bilingual]] = {
    "002": Bilingual("ธนาคารกรุงเทพ", "Bangkok Bank"),
    "004": Bilingual("ธนาคารกสิกรไทย", "Kasikornbank"),
    "006": Bilingual("ธนาคารกรุงไทย", "Krungthai Bank"),
    "011": Bilingual("ธนาคารทหารไทยธนชาต", "TMBThanachart Bank"),
    "014": Bilingual("ธนาคารไทยพาณิชย์", "Siam Commercial Bank"),
    "017": Bilingual("ธนาคารซิตี้แบงก์", "Citibank"),
    "020": Bilingual("ธนาคารสแตนดาร์ดชาร์เตอร์ด (ไทย)", "Standard Chartered Bank (Thai)"),
    "022": Bilingual("ธนาคารซีไอเอ็มบี ไทย", "CIMB Thai Bank"),
    "024": Bilingual("ธนาคารยูโอบี", "United Overseas Bank (Thai)"),
    "025": Bilingual("ธนาคารกรุงศรีอยุธยา", "Bank of Ayudhya (Krungsri)"),
    "030": Bilingual("ธนาคารออมสิน", "Government Savings Bank"),
    "031": Bilingual("ธนาคารเอชเอสบีซี", "HSBC"),
    "033": Bilingual("ธนาคารอาคารสงเคราะห์", "Government Housing Bank"),
    "034": Bilingual(
        "ธนาคารเพื่อการเกษตรและสหกรณ์การเกษตร (ธ.ก.ส.)", "Bank for Agriculture and Agricultural Cooperatives"
    ),
    "035": Bilingual("ธนาคารเพื่อการส่งออกและนำเข้าแห่งประเทศไทย", "Export-Import Bank of Thailand"),
    "065": Bilingual("ธนาคารธนชาต", "Thanachart Bank"),
    "066": Bilingual("ธนาคารอิสลามแห่งประเทศไทย", "Islamic Bank of Thailand"),
    "067": Bilingual("ธนาคารทิสโก้", "TISCO Bank"),
    "069": Bilingual("ธนาคารเกียรตินาคินภัทร", "Kiatnakin Phatra Bank"),
    "070": Bilingual("ธนาคารไอซีบีซี (ไทย)", "ICBC (Thai)"),
    "071": Bilingual("ธนาคารไทยเครดิต", "Thai Credit Bank"),
    "073": Bilingual("ธนาคารแลนด์ แอนด์ เฮ้าส์", "Land and Houses Bank"),
    "098": Bilingual("ธนาคารพัฒนาวิสาหกิจขนาดกลางและขนาดย่อม", "SME Development Bank"),
}
"""Sending banks by the Bank of Thailand's three-digit code."""


@dataclass(frozen=True, slots=True)
class SlipReference:
    """One transfer, whatever picture shows it."""

    bank_code: str
    trans_ref: str

    def bank(self, lang: Language) -> str:
        """Name the sending bank; one that is not in the table by its code."""
        known = BANKS.get(self.bank_code)
        return known.reading(lang) if known else self.bank_code


def parse(text: str) -> SlipReference | None:
    """Read the text of a slip's code; None for any other code, and for one that was damaged or changed."""
    found = _SEALED.fullmatch(text.strip())
    if found is None or not _is_intact(found["body"], found["crc"]):
        return None
    try:
        tags = read_tags(found["body"])
        slip = read_tags(tags.get("00", ""))
    except WrongPayload:
        return None
    bank_code, trans_ref = slip.get("01", ""), slip.get("02", "")
    is_slip = slip.get("00") == SLIP_FORMAT and tags.get("51") == "TH"
    if not is_slip or not _BANK_CODE.fullmatch(bank_code) or not _TRANS_REF.fullmatch(trans_ref):
        return None
    return SlipReference(bank_code, trans_ref)


def read_picture(image: Image.Image) -> SlipReference | None:
    """Find a slip's code in a picture that could be opened; None when there is none that can be read.

    Looks at the picture up to three ways and stops at the first slip; a PromptPay or shop code beside it is passed
    over.  It may compute for the better part of a second: call it in a thread.
    """
    for look in _looks(image):
        for code in zxingcpp.read_barcodes(look, formats=_QR_CODES):
            if (slip := parse(code.text)) is not None:
                return slip
    return None


def make_payload(bank_code: str, trans_ref: str) -> str:
    """Write the text of a slip's code as banks do, for the demo market and for tests."""
    slip = write_tags([("00", SLIP_FORMAT), ("01", bank_code), ("02", trans_ref)])
    return sealed(write_tags([("00", slip), ("51", "TH")]), "91")


_SEALED = re.compile(r"(?P<body>.*5102TH)910[1-4](?P<crc>[0-9A-Fa-f]{1,4})", re.ASCII)
_BANK_CODE = re.compile(r"[0-9]{3}")
_TRANS_REF = re.compile(r"[0-9A-Za-z_-]{6,64}")

_QR_CODES = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
_LONGEST_SIDE = 2600
"""Pixels; a phone's screenshot fits whole, a camera's photo is made smaller first."""
_SHARPER = ImageFilter.UnsharpMask(radius=4, percent=300, threshold=0)
_SHORTEST_SIDE = 21
"""Pixels; the smallest QR code has as many modules."""


def _is_intact(body: str, crc: str) -> bool:
    # Some banks drop leading zeros of the checksum.
    return checksum(f"{body}9104") == crc.upper().zfill(4)


def _looks(image: Image.Image) -> Iterator[Image.Image]:
    """The picture in grey, at most `_LONGEST_SIDE`: as it is, twice as large (tiny codes), sharpened (blurred ones)."""
    whole = _LONGEST_SIDE / max(*image.size, 1)
    if min(image.size) * min(1.0, whole) < _SHORTEST_SIDE:
        return
    grey = _grey(image)
    plain = grey if whole >= 1 else _scaled(grey, whole)
    yield plain
    if whole > 1:
        yield _scaled(grey, min(2.0, whole))
    yield plain.filter(_SHARPER)


def _scaled(image: Image.Image, scale: float) -> Image.Image:
    return image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.LANCZOS)


def _grey(image: Image.Image) -> Image.Image:
    """Grey on white: what is transparent in a saved slip was white on the screen."""
    if "A" not in image.getbands() and "transparency" not in image.info:
        return image.convert("L")
    coloured = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), coloured).convert("L")
