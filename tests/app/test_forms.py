"""Forms keep what was typed and say per field what to do."""

from typing import Annotated

import pytest
from pydantic import BaseModel, Field

from app.forms import Baht, Day, Email, Form, Grams, Milli, Name, Paragraphs, Phone, PromptPayId
from app.language import translate


class Jar(BaseModel):
    name: Name
    price: Baht
    amount: Milli = 1000
    weight: Grams | None = None
    story: Paragraphs | None = None
    tags: list[str] = []


class Contact(BaseModel):
    phone: Phone | None = None
    email: Email | None = None
    promptpay: PromptPayId | None = None
    since: Day | None = None
    age: Annotated[int, Field(ge=1, le=150)] | None = None


def filled(model: type[BaseModel], **typed: str | list[str]) -> Form[BaseModel]:
    form: Form[BaseModel] = Form({name: [value] if isinstance(value, str) else value for name, value in typed.items()})
    form.check(model)
    return form


def test_a_form_in_order_gives_values_in_our_units() -> None:
    form = filled(Jar, name="  กะปิ   แท้ ", price="๑๒๐", amount="0.5", weight="500", tags=["a", "b"])
    assert form.ok
    assert form.values.model_dump() == {
        "name": "กะปิ แท้",
        "price": 12000,
        "amount": 500,
        "weight": 500,
        "story": None,
        "tags": ["a", "b"],
    }


def test_a_wrong_form_keeps_what_was_typed() -> None:
    form = filled(Jar, name="กะปิ", price="แพง", amount="ครึ่ง")
    assert not form.ok
    assert set(form.errors) == {"price", "amount"}
    assert form.raw("price") == "แพง"


def test_a_blank_field_counts_as_missing() -> None:
    form = filled(Jar, name="   ", price="45")
    assert translate("en", form.errors["name"].id) == "Please fill this in."


def test_reading_values_of_a_wrong_form_is_a_mistake_of_ours() -> None:
    with pytest.raises(RuntimeError):
        _ = filled(Jar).values


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("081-234-5678", "+66812345678"), ("๐๘๑๒๓๔๕๖๗๘", "+66812345678"), ("+49 30 901820", "+4930901820")],
)
def test_phones_thai_and_foreign_are_kept_in_one_spelling(typed: str, kept: str) -> None:
    assert filled(Contact, phone=typed).values.phone == kept  # type: ignore[attr-defined]


@pytest.mark.parametrize("typed", ["12", "โทรมา", "+", "0812345678901", "0000000000"])
def test_an_impossible_phone_is_told_so(typed: str) -> None:
    assert "phone" in filled(Contact, phone=typed).errors


@pytest.mark.parametrize(
    ("typed", "kept"), [("081-234-5678", "0812345678"), ("+66812345678", "0812345678"), ("1 1111 11111 11 1", "1" * 13)]
)
def test_promptpay_ids_are_kept_as_digits(typed: str, kept: str) -> None:
    assert filled(Contact, promptpay=typed).values.promptpay == kept  # type: ignore[attr-defined]


def test_a_promptpay_id_of_another_length_is_refused() -> None:
    assert "promptpay" in filled(Contact, promptpay="12345").errors


def test_a_buddhist_year_typed_by_hand_is_understood() -> None:
    values = filled(Contact, since="2569-11-24").values
    assert values.since.isoformat() == "2026-11-24"  # type: ignore[attr-defined]


@pytest.mark.parametrize("typed", ["1e3", "1,5", "abc", "-1", "1 2"])
def test_an_amount_that_could_mean_two_things_is_not_guessed(typed: str) -> None:
    assert "amount" in filled(Jar, name="กะปิ", price="1", amount=typed).errors


@pytest.mark.parametrize(("typed", "kept"), [("1,500", 1_500_000), ("2 กก.", 2000), (".5", 500), ("๒", 2000)])
def test_an_amount_may_carry_its_unit(typed: str, kept: int) -> None:
    assert filled(Jar, name="กะปิ", price="1", amount=typed).values.amount == kept  # type: ignore[attr-defined]


@pytest.mark.parametrize("typed", ["0001-01-01", "9999-12-31", "2569-13-01", "พรุ่งนี้"])
def test_a_day_that_nobody_means_is_told_so(typed: str) -> None:
    assert "since" in filled(Contact, since=typed).errors


def test_limits_are_told_with_their_number() -> None:
    error = filled(Contact, age="200").errors["age"]
    assert translate("en", error.id, **error.params) == "This can be at most 150."


def test_a_zero_byte_never_reaches_the_database() -> None:
    assert filled(Jar, name="a\x00b", price="1").values.name == "ab"  # type: ignore[attr-defined]
