"""Money: whole satang from the typed price to the ledger, so that no sum is ever off by a rounding.

One baht is 100 satang.  Floats never touch money: text becomes satang in `parse_baht`, parts of a sum come from
`split_by_largest_remainder` and `share`, and people read it through `baht` and (on receipts) `in_thai_words`.
"""

import re
from collections.abc import Sequence
from typing import Final, Literal, NewType

from app.language import Language

Satang = NewType("Satang", int)

SATANG_PER_BAHT: Final = 100
BASIS_POINTS: Final = 10_000
"""One whole, as `share` counts it: 250 basis points are 2.5 %."""
MOST_TYPED: Final = Satang(10_000_000 * SATANG_PER_BAHT)
"""The most that `parse_baht` believes; a larger amount is a slip of the finger."""

AmountFault = Literal["empty", "malformed", "negative", "too_fine", "too_large"]


class WrongAmount(ValueError):  # noqa: N818 - a refusal is named by what it refuses
    """Typed text that is not an amount of baht; `reason` says why, for a message in the reader's language."""

    def __init__(self, reason: AmountFault, text: str) -> None:
        super().__init__(f"{reason}: {text[:60]!r}")
        self.reason: AmountFault = reason


def baht(satang: int, lang: Language = "th", *, exact: bool = False) -> str:  # noqa: ARG001 - see below
    """Write an amount as people read it: "฿1,250", "฿1,250.50", "−฿45"; `exact` keeps ".00" (documents, columns).

    Thai and English write it alike, in Arabic digits; `lang` is there so that callers need not know that.
    """
    whole, part = divmod(abs(satang), SATANG_PER_BAHT)
    sign = "−" if satang < 0 else ""
    return f"{sign}฿{whole:,}.{part:02}" if part or exact else f"{sign}฿{whole:,}"


def in_thai_words(satang: int) -> str:
    """Write an amount in Thai words as receipts carry it: 125025 → "หนึ่งพันสองร้อยห้าสิบบาทยี่สิบห้าสตางค์"."""
    whole, part = divmod(abs(satang), SATANG_PER_BAHT)
    words = f"{_thai_number(whole)}บาท" if whole or not part else ""
    words += f"{_thai_number(part)}สตางค์" if part else "ถ้วน"
    return f"ลบ{words}" if satang < 0 else words


def parse_baht(text: str) -> Satang:
    """Read a price as people type it: "45", "1,250.50", "฿45", "45 บาท", "๔๕", "45.-".

    Raises WrongAmount (a ValueError) for anything else: nothing typed, a negative, more than two decimals (which
    also catches "1.250" meant as a thousand), more than ten million baht, a comma out of place.
    """
    typed = _bare_number(text)
    if not typed:
        raise WrongAmount("empty", text)
    if _NEGATIVE.match(typed):
        raise WrongAmount("negative", text)
    found = _AMOUNT.fullmatch(typed)
    if found is None:
        raise WrongAmount("malformed", text)
    whole = found["whole"].replace(",", "").lstrip("0")
    part = found["part"] or ""
    if len(part) > _DECIMALS:
        raise WrongAmount("too_fine", text)
    # The length goes first: int() refuses thousands of digits with an error of its own.
    if len(whole) > _MOST_DIGITS or (satang := int(f"{whole}{part:0<2}")) > MOST_TYPED:
        raise WrongAmount("too_large", text)
    return Satang(satang)


def split_by_largest_remainder(total: int, weights: Sequence[int]) -> list[Satang]:
    """Split `total` satang in proportion to `weights`, so that the parts sum to it exactly.

    Every part is its exact share rounded down or up; the satang left over go to the largest remainders, the first
    of equals first, so the same question has the same answer.  A zero weight gets zero.  A negative total is split
    as its opposite, so a refund takes back what the sale gave.  ValueError when no weight is positive.
    """
    if any(weight < 0 for weight in weights) or not any(weights):
        raise ValueError("weights must not be negative, and one must be positive")
    sign, amount, whole = (-1 if total < 0 else 1), abs(total), sum(weights)
    parts = [amount * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: -(amount * weights[i] % whole))
    for i in by_remainder[: amount - sum(parts)]:
        parts[i] += 1
    return [Satang(sign * part) for part in parts]


def share(total: int, basis_points: int) -> Satang:
    """Return `basis_points` ten-thousandths of `total` satang, half a satang rounded up.

    A negative total mirrors its opposite (half rounds away from zero), so a reversal undoes a fee to the satang.
    """
    amount = (abs(total) * basis_points + BASIS_POINTS // 2) // BASIS_POINTS
    return Satang(-amount if total < 0 else amount)


_ARABIC = str.maketrans("๐๑๒๓๔๕๖๗๘๙", "0123456789")
_DECIMALS: Final = 2
_MOST_DIGITS: Final = 8
_BEFORE = re.compile(r"^([-−–]?)\s*(?:฿|thb)\s*", re.IGNORECASE)
_AFTER = re.compile(r"\s*(?:บาทถ้วน|บาท|บ\.|฿|baht|thb|[.,]-)$", re.IGNORECASE)
_NEGATIVE = re.compile(r"[-−–]\s*[0-9]")
_AMOUNT = re.compile(r"(?P<whole>[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.(?P<part>[0-9]+))?")


def _bare_number(text: str) -> str:
    typed = text.translate(_ARABIC).strip()
    return _AFTER.sub("", _BEFORE.sub(r"\1", typed)).strip()


_DIGITS = ("", "หนึ่ง", "สอง", "สาม", "สี่", "ห้า", "หก", "เจ็ด", "แปด", "เก้า")
_RANKS = ("", "สิบ", "ร้อย", "พัน", "หมื่น", "แสน")
_TENS = {1: "สิบ", 2: "ยี่สิบ"}
_MILLION = 1_000_000


def _thai_number(number: int) -> str:
    """A number in Thai words; millions stack ("ล้านล้าน"), a final one after anything is "เอ็ด" (Royal Society)."""
    if number == 0:
        return "ศูนย์"
    millions, rest = divmod(number, _MILLION)
    head = f"{_thai_number(millions)}ล้าน" if millions else ""
    if head and rest == 1:
        return f"{head}เอ็ด"
    return head + _below_million(rest)


def _below_million(number: int) -> str:
    words = ""
    for rank, digit in reversed(list(enumerate(map(int, reversed(str(number)))))):
        if digit == 0:
            continue
        if rank == 1 and digit in _TENS:
            words += _TENS[digit]
        elif rank == 0 and digit == 1 and number > 1:
            words += "เอ็ด"
        else:
            words += _DIGITS[digit] + _RANKS[rank]
    return words
