"""PromptPay: the QR code that a Thai bank app turns into a transfer of the exact amount.

The payload is EMVCo's merchant-presented QR as the Bank of Thailand profiles it: tags of two digits, lengths of two
digits, values, and at the end a CRC-16 (polynomial 0x1021, start 0xFFFF) over all before it.  No provider takes part:
the money goes from the buyer's bank straight to the proxy id's account.
"""

import binascii
import io
import re
from dataclasses import dataclass
from typing import Final, Literal

import segno
from markupsafe import Markup

from app.errors import Refusal
from app.language import N_
from app.money import SATANG_PER_BAHT, Satang

APPLICATION: Final = "A000000677010111"
"""PromptPay's transfer to a proxy id (…112 would be a bill payment to a biller)."""
QUIET_ZONE: Final = 4
"""Modules of white around the code, as ISO 18004 asks."""

ProxyKind = Literal["phone", "citizen", "ewallet"]
_TAG_OF: Final[dict[ProxyKind, str]] = {"phone": "01", "citizen": "02", "ewallet": "03"}


class WrongProxy(Refusal):
    """An id that PromptPay cannot know: neither a Thai mobile number, nor 13, nor 15 digits."""

    status = 422
    message = N_("A PromptPay id is a phone (10 digits), an id or tax number (13) or an e-wallet (15).")


class WrongPayload(ValueError):  # noqa: N818 - a refusal is named by what it refuses
    """Text that is no intact PromptPay payload."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """What a payload asks for: whom to pay, and how much (None: the payer says)."""

    proxy: str
    amount: Satang | None


def normalise_proxy(text: str) -> str:
    """Return a PromptPay id as it is kept: digits only, a phone as 10 of them ("0801234567").

    Reads spaces, dashes, Thai digits, +66 and 0066.  Raises WrongProxy.  No checksum of the 13 digits is asked for:
    ids that banks accept would fail it.
    """
    digits = re.sub(r"[\s()-]", "", text.translate(_ARABIC))
    digits = re.sub(r"^(?:\+|00)?66(?=[689][0-9]{8}$)", "0", digits)
    if not _PROXY.fullmatch(digits):
        raise WrongProxy(field="promptpay_id")
    return digits


def kind_of(proxy: str) -> ProxyKind:
    """Tell a phone, a citizen or tax id and an e-wallet apart; `proxy` is normalised."""
    kinds: dict[int, ProxyKind] = {10: "phone", 13: "citizen", 15: "ewallet"}
    return kinds[len(proxy)]


def readable(proxy: str) -> str:
    """Group a proxy id for a payer who types it: "080-123-4567", "1-2345-67890-12-3"."""
    groups = {"phone": (3, 3, 4), "citizen": (1, 4, 5, 2, 1), "ewallet": (15,)}[kind_of(normalise_proxy(proxy))]
    digits = iter(normalise_proxy(proxy))
    return "-".join("".join(next(digits) for _ in range(size)) for size in groups)


def mask(proxy: str) -> str:
    """Show only the last four digits: "xxx-xxx-4567", enough to recognise one's own."""
    hidden = len(normalise_proxy(proxy)) - 4
    seen = iter(range(hidden))
    return re.sub("[0-9]", lambda digit: "x" if next(seen, None) is not None else digit[0], readable(proxy))


def payload(proxy_id: str, amount: Satang | None = None) -> str:
    """Return the text of the QR code that pays `amount` satang to a proxy id; without amount the payer types it.

    Raises WrongProxy; ValueError for an amount that is not positive or needs more than EMVCo's 13 characters.
    """
    proxy = normalise_proxy(proxy_id)
    kind = kind_of(proxy)
    account = f"0066{proxy[1:]}" if kind == "phone" else proxy
    tags = [
        ("00", "01"),
        ("01", "11" if amount is None else "12"),
        ("29", write_tags([("00", APPLICATION), (_TAG_OF[kind], account)])),
        ("58", "TH"),
        ("53", "764"),
    ]
    if amount is not None:
        tags.append(("54", _written(amount)))
    return sealed(write_tags(tags), "63")


def parse(payload: str) -> Transfer:
    """Read a payload back.  Raises WrongPayload when a character was changed or it is another kind of code."""
    if not payload.isascii() or sealed(payload[:-_SEAL], "63") != payload:
        raise WrongPayload("checksum")
    tags = read_tags(payload)
    account = read_tags(tags.get("29", ""))
    found = [account[tag] for tag in _TAG_OF.values() if tag in account]
    if account.get("00") != APPLICATION or len(found) != 1 or tags.get("53") != "764":
        raise WrongPayload("not PromptPay")
    try:
        return Transfer(normalise_proxy(found[0]), _read_amount(tags.get("54")))
    except WrongProxy as error:
        raise WrongPayload("proxy") from error


def qr_svg(payload: str, title: str) -> Markup:
    """Draw a code as SVG for a page: no size (the style sheet gives it), black on white also in a dark scheme.

    `title` is what a screen reader says.  Nothing inline: presentation attributes pass a strict style-src.
    """
    drawn = io.BytesIO()
    segno.make(payload, error="m", micro=False).save(
        drawn,
        kind="svg",
        border=QUIET_ZONE,
        xmldecl=False,
        omitsize=True,
        title=title,
        svgclass="qr",
        lineclass=None,
        dark="#000",
        light="#fff",
    )
    return Markup(drawn.getvalue().decode().strip().replace("<svg ", f"<svg {_SVG_EXTRAS} ", 1))  # noqa: S704 - segno escapes the title


def qr_png(payload: str, scale: int = 8) -> bytes:
    """Draw a code as PNG, `scale` pixels a module: the picture that a buyer saves and opens in the bank's app."""
    drawn = io.BytesIO()
    segno.make(payload, error="m", micro=False).save(drawn, kind="png", scale=scale, border=QUIET_ZONE)
    return drawn.getvalue()


def write_tags(tags: list[tuple[str, str]]) -> str:
    """Write EMVCo tags: id, length, value."""
    return "".join(f"{tag}{len(value):02}{value}" for tag, value in tags)


def read_tags(text: str) -> dict[str, str]:
    """Read EMVCo tags.  Raises WrongPayload when lengths and text do not agree, or a tag comes twice."""
    tags: dict[str, str] = {}
    at = 0
    while at < len(text):
        head, value = _HEAD.match(text, at), ""
        if head is not None:
            value = text[head.end() : head.end() + int(head["length"])]
        if head is None or len(value) < int(head["length"]) or head["tag"] in tags:
            raise WrongPayload("tags")
        tags[head["tag"]] = value
        at = head.end() + len(value)
    return tags


def sealed(body: str, tag: str) -> str:
    """Return `body` with its checksum in `tag` at the end."""
    return f"{body}{tag}04{checksum(f'{body}{tag}04')}"


def checksum(text: str) -> str:
    """CRC-16/CCITT-FALSE as four capital hexadecimal digits."""
    return f"{binascii.crc_hqx(text.encode(errors='replace'), 0xFFFF):04X}"


# Without crisp edges a browser shows hairlines between the rows of modules at some sizes.
_SVG_EXTRAS = 'role="img" shape-rendering="crispEdges"'
_ARABIC = str.maketrans("๐๑๒๓๔๕๖๗๘๙", "0123456789")
_SEAL = len("6304ABCD")
_PROXY = re.compile(r"0[689][0-9]{8}|[0-9]{13}|[0-9]{15}")
_HEAD = re.compile(r"(?P<tag>[0-9]{2})(?P<length>[0-9]{2})")
_AMOUNT = re.compile(r"(?P<baht>[0-9]+)(?:\.(?P<part>[0-9]{0,2}))?")
_LONGEST_AMOUNT = 13


def _written(amount: Satang) -> str:
    whole, part = divmod(amount, SATANG_PER_BAHT)
    written = f"{whole}.{part:02}"
    if amount <= 0 or len(written) > _LONGEST_AMOUNT:
        raise ValueError(f"not an amount to pay: {amount} satang")
    return written


def _read_amount(text: str | None) -> Satang | None:
    if text is None:
        return None
    found = _AMOUNT.fullmatch(text)
    if found is None:
        raise WrongPayload("amount")
    return Satang(int(f"{found['baht']}{found['part'] or '':0<2}"))
