"""Forms: what somebody typed, checked against a model, with errors per field in their language and nothing lost.

A page reads a form, calls its verb with `form.values` when `form.ok`, and otherwise shows the same template again:
`form.raw(name)` gives back what was typed, `form.errors[name]` says what to do about it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Generic, TypeVar, get_origin

from email_validator import EmailNotValidError, validate_email
from fastapi import Request
from pydantic import AfterValidator, BaseModel, BeforeValidator, StringConstraints, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError
from starlette.datastructures import UploadFile

from app import money, people
from app.errors import Refusal
from app.language import N_, Message
from app.money import Satang

M = TypeVar("M", bound=BaseModel)

EARLIEST_YEAR = 1900
LATEST_GREGORIAN = 2400
"""A year beyond this was meant as a Buddhist one."""
MOST_PICTURE_BYTES = 20 * 1024 * 1024
_THAI_DIGITS = str.maketrans("๐๑๒๓๔๕๖๗๘๙", "0123456789")
#: A number, with commas only where thousands have them, and perhaps a unit in letters behind it.
_QUANTITY = re.compile(r"\s*((?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?|\.[0-9]+)(?:\s*[^\W\d_][^\d]*)?\s*")

_MESSAGES = {
    "missing": N_("Please fill this in."),
    "string_too_short": N_("Please write at least %(min_length)s characters."),
    "string_too_long": N_("Please use at most %(max_length)s characters."),
    "int_parsing": N_("Please write a whole number."),
    "int_from_float": N_("Please write a whole number."),
    "greater_than": N_("This must be more than %(gt)s."),
    "greater_than_equal": N_("This must be at least %(ge)s."),
    "less_than": N_("This must be less than %(lt)s."),
    "less_than_equal": N_("This can be at most %(le)s."),
    "date_from_datetime_parsing": N_("Please choose a date."),
    "date_parsing": N_("Please choose a date."),
    "enum": N_("Please choose one of the options."),
    "literal_error": N_("Please choose one of the options."),
    "uuid_parsing": N_("Please choose one of the options."),
    "bool_parsing": N_("Please choose one of the options."),
    "extra_forbidden": N_("We do not know this field."),
    "int_type": N_("Please write a whole number."),
    "string_type": N_("Please write a text."),
    "too_long": N_("This is too much at once: at most %(max_length)s."),
    "too_short": N_("Please give at least %(min_length)s."),
}
_UNCLEAR = N_("We could not read this. Please check it.")


class NotWhole(Refusal):
    """A form whose blank fields take something away came without its last field: part of it was lost on the way."""

    status = 422
    message = N_("The form did not arrive whole; nothing was changed.")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came with a form: the name it had on the phone (not to be trusted) and its bytes."""

    name: str
    data: bytes


class Form(Generic[M]):
    """What was typed, the checked values when everything fits, and an error per field otherwise."""

    def __init__(
        self,
        typed: Mapping[str, list[str]] | None = None,
        uploads: Mapping[str, list[Upload]] | None = None,
    ) -> None:
        self._typed = dict(typed or {})
        self._uploads = dict(uploads or {})
        self._values: M | None = None
        self.errors: dict[str, Message] = {}

    @classmethod
    def empty(cls, **initial: Any) -> "Form[M]":
        """A form nobody has filled in yet, showing `initial` values."""
        typed = {
            name: [str(item) for item in value] if isinstance(value, list | tuple) else [str(value)]
            for name, value in initial.items()
            if value is not None
        }
        return cls(typed)

    @property
    def ok(self) -> bool:
        return self._values is not None and not self.errors

    @property
    def values(self) -> M:
        if self._values is None:
            raise RuntimeError("ask form.ok before form.values")
        return self._values

    @property
    def is_whole(self) -> bool:
        """Whether the form's last field came too (the macro `whole_mark`)."""
        return self.raw("whole") == "yes"

    def raw(self, name: str, default: str = "") -> str:
        """What was typed into `name`."""
        return self._typed.get(name, [default])[-1]

    def raw_list(self, name: str) -> list[str]:
        return self._typed.get(name, [])

    def names(self) -> list[str]:
        return list(self._typed)

    def file(self, name: str) -> Upload | None:
        uploads = self._uploads.get(name)
        return uploads[0] if uploads else None

    def files(self, name: str) -> list[Upload]:
        return self._uploads.get(name, [])

    def refuse(self, refusal: Refusal, field: str | None = None) -> None:
        """Show a refusal of a verb beside the field it concerns (above the form when it concerns none)."""
        self.errors[field or refusal.field or ""] = Message(refusal.message, refusal.params)

    def error(self, field: str, message: str, **params: Any) -> None:
        self.errors[field] = Message(message, params)

    def check(self, model: type[M]) -> None:
        data = {name: self._cleaned(name, model) for name in model.model_fields}
        try:
            self._values = model.model_validate({name: value for name, value in data.items() if value is not None})
        except ValidationError as error:
            for detail in error.errors():
                field = str(detail["loc"][0]) if detail["loc"] else ""
                self.errors.setdefault(field, message_of(detail))

    def _cleaned(self, name: str, model: type[M]) -> str | list[str] | None:
        typed = [text for raw in self._typed.get(name, []) if (text := raw.replace("\x00", "").strip())]
        if get_origin(model.model_fields[name].annotation) is list:
            return typed
        return typed[-1] if typed else None


async def read_form(request: Request, model: type[M]) -> Form[M]:
    """Read a posted form (fields and files) and check it against `model`; blanks count as not filled in."""
    form: Form[M] = Form(*await _received(request))
    form.check(model)
    return form


def query_form(request: Request, model: type[M]) -> Form[M]:
    """The same for what stands in the address (filters, searches)."""
    form: Form[M] = Form({name: request.query_params.getlist(name) for name in request.query_params})
    form.check(model)
    return form


async def _received(request: Request) -> tuple[dict[str, list[str]], dict[str, list[Upload]]]:
    typed: dict[str, list[str]] = {}
    uploads: dict[str, list[Upload]] = {}
    async with request.form(max_files=20, max_fields=2000, max_part_size=256 * 1024) as data:
        for name, value in data.multi_items():
            if isinstance(value, UploadFile):
                if value.filename:
                    content = await value.read(MOST_PICTURE_BYTES + 1)
                    uploads.setdefault(name, []).append(Upload(value.filename, content))
            else:
                typed.setdefault(name, []).append(value)
    return typed, uploads


def message_of(detail: ErrorDetails) -> Message:
    """Say in words what pydantic found wrong with a value."""
    params = dict(detail.get("ctx", {}))
    if detail["type"].startswith("market_"):
        return Message(params.pop("words"), params)
    return Message(_MESSAGES.get(detail["type"], _UNCLEAR), params)


def wrong(kind: str, words: str, **params: Any) -> PydanticCustomError:
    """An error of our own for a field's validator, told in `words` (a message id)."""
    return PydanticCustomError(f"market_{kind}", "{words}", {"words": words, **params})


def _baht(typed: Any) -> Any:
    if not isinstance(typed, str):
        return typed
    try:
        return money.parse_baht(typed)
    except ValueError as error:
        raise wrong("baht", N_("Please write an amount in baht, such as 45 or 45.50.")) from error


def _milli(typed: Any) -> Any:
    """Thousandths of a sale unit, from "0.5" or "๒" (a unit written behind it is left aside)."""
    if not isinstance(typed, str):
        return typed
    number = _QUANTITY.fullmatch(typed.translate(_THAI_DIGITS))
    try:
        milli = Decimal(number[1].replace(",", "")) * 1000 if number else None
    except InvalidOperation:
        milli = None
    if milli is None or milli != milli.to_integral_value() or milli > 10**12:
        raise wrong("quantity", N_("Please write an amount, such as 3 or 0.5."))
    return int(milli)


def _phone(typed: str) -> str:
    phone = people.e164(typed.translate(_THAI_DIGITS))
    if phone is None:
        raise wrong("phone", N_("Please check the phone number: 10 digits, or + and the country code."))
    return phone


def _email(typed: str) -> str:
    try:
        return validate_email(typed, check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise wrong("email", N_("Please check the e-mail address, such as name@example.com.")) from error


def _promptpay(typed: str) -> str:
    digits = re.sub(r"[\s-]", "", typed.translate(_THAI_DIGITS))
    digits = "0" + digits.removeprefix("+66") if digits.startswith("+66") else digits
    if not re.fullmatch(r"0[689][0-9]{8}|[0-9]{13}|[0-9]{15}", digits):
        raise wrong(
            "promptpay",
            N_("A PromptPay id is a mobile phone (10 digits), an id or tax number (13) or an e-wallet (15)."),
        )
    return digits


def _day(typed: Any) -> Any:
    """Dates as browsers send them; a Buddhist year typed by hand is understood."""
    if isinstance(typed, str) and (found := re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)", typed.translate(_THAI_DIGITS))):
        year = int(found[1])
        return f"{year - 543 if year > LATEST_GREGORIAN else year:04}-{found[2]}-{found[3]}"
    return typed


def _in_our_time(day: date) -> date:
    """Dates that people mean; the calendar's ends would break the arithmetic of days."""
    if not EARLIEST_YEAR <= day.year <= LATEST_GREGORIAN:
        raise wrong("date", N_("Please choose a date."))
    return day


Baht = Annotated[Satang, BeforeValidator(_baht)]
"""Typed in baht, kept in satang."""
Milli = Annotated[int, BeforeValidator(_milli)]
"""A quantity, kept in thousandths of the sale unit."""
Grams = Annotated[int, BeforeValidator(lambda typed: _milli(typed) // 1000 if isinstance(typed, str) else typed)]
Phone = Annotated[str, AfterValidator(_phone)]
"""Kept in E.164; Thai numbers may be typed nationally, foreign ones with their country code."""
ThaiPhone = Phone
Email = Annotated[str, AfterValidator(_email)]
PromptPayId = Annotated[str, AfterValidator(_promptpay)]
Day = Annotated[date, BeforeValidator(_day), AfterValidator(_in_our_time)]


def _one_line(typed: str) -> str:
    return re.sub(r"\s+", " ", typed)


def _lines(typed: str) -> str:
    return typed.replace("\r\n", "\n")


Name = Annotated[str, StringConstraints(max_length=120), AfterValidator(_one_line)]
"""A name: one line of at most 120 characters."""
Line = Annotated[str, StringConstraints(max_length=300), AfterValidator(_one_line)]
Paragraphs = Annotated[str, StringConstraints(max_length=5000), AfterValidator(_lines)]
"""Text that may run over several lines."""
