"""The group's desk, part "our group": its story, where its money goes, how its goods reach a buyer."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, StringConstraints

from app import money
from app.access import CurrentPerson
from app.database import Session
from app.errors import Refusal
from app.forms import Form, Line, Name, NotWhole, Paragraphs, Phone, PromptPayId, read_form
from app.language import N_
from app.money import Satang
from app.pages import page, quantity, said, see_other
from producers import certificates, groups, members
from producers.groups import EditedGroup, Group, OwnedGroup, OwnGroup, Storage, Tier

router = APIRouter(prefix="/desk/groups/{slug}/about")

MOST_TIERS = 8
"""Lines of one parcel table."""
BLANK_TIERS = 3
HEAVIEST_G = 100_000


class StoryForm(BaseModel):
    name_th: Name
    name_en: Name | None = None
    story_th: Paragraphs | None = None
    story_en: Paragraphs | None = None
    phone: Phone | None = None
    address_line: Line | None = None
    registration_no: Annotated[str, StringConstraints(max_length=60)] | None = None


class MoneyForm(BaseModel):
    promptpay_id: PromptPayId | None = None
    promptpay_name: Name | None = None


class DeliveryForm(BaseModel):
    """The lines of the parcel tables are named by storage and line; see `_tier_names`."""

    parcel_enabled: bool = False
    pickup_enabled: bool = False
    cash_enabled: bool = False
    pickup_text_th: Paragraphs | None = None
    pickup_text_en: Paragraphs | None = None


@router.get("")
async def group_about(request: Request, session: Session, group: OwnGroup) -> Response:
    return page(
        request,
        "producers/about.html",
        group=group,
        tables=await _tables(session, group),
        certificates=await certificates.certificates_of(session, group.id),
        members=await members.members_of(session, group.id),
        role_words=members.ROLE_WORDS,
        storage_words=groups.STORAGE_WORDS,
    )


@router.get("/story")
async def group_story(request: Request, group: EditedGroup) -> Response:
    form: Form[StoryForm] = Form.empty(**{name: getattr(group, name) for name in StoryForm.model_fields})
    return page(request, "producers/about_story.html", group=group, form=form)


@router.post("/story")
async def take_group_story(request: Request, group: EditedGroup, person: CurrentPerson) -> Response:
    form = await read_form(request, StoryForm)
    if not form.ok:
        return page(request, "producers/about_story.html", 422, group=group, form=form)
    groups.tell_story(group, **form.values.model_dump(), by=person)
    return _to_about(request, group)


@router.get("/money")
async def group_money(request: Request, group: OwnedGroup) -> Response:
    return page(request, "producers/about_money.html", group=group, form=_kept_money(group))


@router.post("/money")
async def take_group_money(request: Request, group: OwnedGroup, person: CurrentPerson) -> Response:
    form = await read_form(request, MoneyForm)
    if not form.is_whole:
        form = _kept_money(group)
        form.refuse(NotWhole())
    if form.ok and form.values.promptpay_id and not form.values.promptpay_name:
        form.error("promptpay_name", N_("Write the account name, so that buyers can see they pay the right people."))
    if not form.ok:
        return page(request, "producers/about_money.html", 422, group=group, form=form)
    groups.set_promptpay(group, form.values.promptpay_id, form.values.promptpay_name, by=person)
    return _to_about(request, group)


@router.get("/delivery")
async def group_delivery(request: Request, session: Session, group: EditedGroup) -> Response:
    return _delivery_page(request, group, await _kept_delivery(session, group))


@router.post("/delivery")
async def take_group_delivery(
    request: Request, session: Session, group: EditedGroup, person: CurrentPerson
) -> Response:
    form = await read_form(request, DeliveryForm)
    if not form.is_whole:
        form = await _kept_delivery(session, group)
        form.refuse(NotWhole())
        return _delivery_page(request, group, form, 422)
    tables = {storage: list(_read_tiers(form, storage)) for storage in Storage}
    if form.ok:
        try:
            async with session.begin_nested():
                for storage, tiers in tables.items():
                    await groups.set_parcel_tiers(session, group, storage, tiers)
                await groups.set_delivery(session, group, **form.values.model_dump(), by=person)
            return _to_about(request, group)
        except Refusal as refusal:
            form.refuse(refusal)
    return _delivery_page(request, group, form, 422)


def _kept_money(group: Group) -> Form[MoneyForm]:
    return Form.empty(promptpay_id=group.promptpay_id, promptpay_name=group.promptpay_name)


async def _kept_delivery(session: Session, group: Group) -> Form[DeliveryForm]:
    ways = {name: "yes" for name in ("parcel_enabled", "pickup_enabled", "cash_enabled") if getattr(group, name)}
    texts = {"pickup_text_th": group.pickup_text_th, "pickup_text_en": group.pickup_text_en}
    return Form.empty(**ways, **texts, **_typed_tables(await _tables(session, group)))


async def _tables(session: Session, group: Group) -> dict[Storage, list[Tier]]:
    tables = await groups.parcel_tiers(session, [group.id])
    return {storage: tiers for (_, storage), tiers in tables.items()}


def _delivery_page(request: Request, group: Group, form: Form[DeliveryForm], status: int = 200) -> Response:
    tables = [_lines_to_show(form, storage) for storage in Storage]
    return page(
        request,
        "producers/about_delivery.html",
        status,
        group=group,
        form=form,
        tables=tables,
        storage_words=groups.STORAGE_WORDS,
    )


def _lines_to_show(form: Form[DeliveryForm], storage: Storage) -> tuple[Storage, list[tuple[str, str]], bool]:
    """The lines of one table that are filled in and a few to go on with, and whether any is filled in."""
    names = [_tier_names(storage, line) for line in range(MOST_TIERS)]
    used = max((n for n, pair in enumerate(names, 1) if any(map(form.raw, pair))), default=0)
    return storage, names[: used + BLANK_TIERS], used > 0


def _read_tiers(form: Form[DeliveryForm], storage: Storage) -> Iterator[Tier]:
    for line in range(MOST_TIERS):
        kilos_name, fee_name = _tier_names(storage, line)
        kilos, fee = form.raw(kilos_name).strip(), form.raw(fee_name).strip()
        if kilos or fee:
            up_to_g, fee_satang = _grams(form, kilos_name), _fee(form, fee_name)
            if up_to_g is not None and fee_satang is not None:
                yield Tier(up_to_g, fee_satang)


def _grams(form: Form[DeliveryForm], name: str) -> int | None:
    """Read kilograms, typed as a number with up to two decimals, as grams."""
    try:
        grams = money.parse_baht(form.raw(name)) * 10
    except ValueError:
        grams = 0
    if not 0 < grams <= HEAVIEST_G:
        form.error(name, N_("Write a weight in kilograms, such as 1 or 2.5, up to 100."))
        return None
    return grams


def _fee(form: Form[DeliveryForm], name: str) -> Satang | None:
    try:
        return money.parse_baht(form.raw(name))
    except ValueError:
        form.error(name, N_("Please write an amount in baht, such as 45 or 45.50."))
        return None


def _typed_tables(tables: dict[Storage, list[Tier]]) -> dict[str, str]:
    typed: dict[str, str] = {}
    for storage, tiers in tables.items():
        for line, tier in enumerate(tiers[:MOST_TIERS]):
            kilos, fee = _tier_names(storage, line)
            typed |= {kilos: quantity(tier.up_to_g), fee: money.baht(tier.fee_satang).removeprefix("฿")}
    return typed


def _tier_names(storage: Storage, line: int) -> tuple[str, str]:
    return f"{storage}-{line}-kg", f"{storage}-{line}-fee"


def _to_about(request: Request, group: Group) -> Response:
    return see_other(request, "group_about", slug=group.slug, flash=said(N_("Your changes are kept.")))
