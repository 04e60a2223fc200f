"""How a group's desk looks to programs: who they are, how goods leave, the canvas and the books.  Money is satang."""

from datetime import date, datetime
from typing import Annotated, Final
from uuid import UUID

from pydantic import BaseModel, Field

from app.api.shapes import NotBlank, Sent, Words, example, sent_example, words
from app.forms import Line, Name, Paragraphs, Phone
from app.money import Satang
from producers.canvas import Canvas
from producers.canvas import Line as IncomeLine
from producers.groups import Group, GroupState, Storage, Tier
from producers.journal import Told
from producers.ledger import Balance
from producers.notes import Block, CanvasNote
from producers.streams import StreamKind

MOST_SATANG: Final = 10**12
HEAVIEST_G: Final = 100_000
MOST_TIERS: Final = 8
_NAME: Final = {"th": "กลุ่มข้าวเม่า", "en": "Khao Mao Group"}
_STREAM: Final = {"id": "0199b7a6-2f7e-7d53-9f3e-2b0d5d9c7c11", "name": {"th": "ขายสินค้า", "en": "Goods"}}

Amount = Annotated[int, Field(gt=0, le=MOST_SATANG)]
MonthText = Annotated[str, Field(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$", examples=["2026-11"])]


class PlaceTold(BaseModel):
    """A group or a centre that the caller works for."""

    slug: str
    name: Words
    role: str


class DeskTold(BaseModel):
    """Where the caller works."""

    model_config = example(
        {"groups": [{"slug": "khao-mao-group", "name": _NAME, "role": "owner"}], "centers": [], "is_staff": False}
    )

    groups: list[PlaceTold]
    centers: list[PlaceTold]
    is_staff: bool


class TierTold(Sent):
    """A parcel of up to that weight costs that fee."""

    up_to_g: Annotated[int, Field(gt=0, le=HEAVIEST_G)]
    fee_satang: Annotated[int, Field(ge=0, le=MOST_SATANG)]


_DELIVERY: Final = {
    "parcel_enabled": True,
    "pickup_enabled": True,
    "cash_enabled": True,
    "pickup_text_th": "ศาลาหมู่ 3 ทุกวัน 9-16 น.",
    "pickup_text_en": "Village hall, daily 9 to 4",
    "parcels": {"ambient": [{"up_to_g": 1000, "fee_satang": 4000}], "chilled": [], "frozen": []},
}
_STORY: Final = {
    "name_th": "กลุ่มข้าวเม่า",
    "name_en": "Khao Mao Group",
    "story_th": "เราทำข้าวเม่ากันทุกเช้า",
    "story_en": None,
    "phone": "+66812345678",
    "address_line": "12 หมู่ 3",
    "registration_no": None,
}


class DeliveryTold(Sent):
    """How goods reach a buyer."""

    model_config = sent_example(_DELIVERY)

    parcel_enabled: bool
    pickup_enabled: bool
    cash_enabled: bool
    pickup_text_th: Annotated[Paragraphs | None, NotBlank] = None
    pickup_text_en: Annotated[Paragraphs | None, NotBlank] = None
    parcels: dict[Storage, Annotated[list[TierTold], Field(max_length=MOST_TIERS)]]


class StoryTold(Sent):
    """What the group's page says."""

    model_config = sent_example(_STORY)

    name_th: Annotated[Name, Field(min_length=1)]
    name_en: Annotated[Name | None, NotBlank] = None
    story_th: Annotated[Paragraphs | None, NotBlank] = None
    story_en: Annotated[Paragraphs | None, NotBlank] = None
    phone: Annotated[Phone | None, NotBlank] = None
    address_line: Annotated[Line | None, NotBlank] = None
    registration_no: Annotated[Annotated[str, Field(max_length=60)] | None, NotBlank] = None


class OwnGroupTold(BaseModel):
    """A group as its own people see it."""

    model_config = example({"slug": "khao-mao-group", "state": "approved", "story": _STORY, "delivery": _DELIVERY})

    slug: str
    state: GroupState
    story: StoryTold
    delivery: DeliveryTold


class NoteTold(BaseModel):
    """One of the nine blocks; version 0 and no words where nobody has written yet."""

    block: Annotated[int, Field(ge=1, le=9)]
    name: Words
    text: Words | None
    version: int
    written_at: datetime | None


class MonthTold(BaseModel):
    month: MonthText
    planned_satang: int
    sold_satang: int = Field(description="Through the market, net of refunds, on the day of handing over.")
    typed_satang: int = Field(description="Typed in by the group.")


class IncomeTold(BaseModel):
    """A line of block 5; without a stream it is what buyers paid for delivery."""

    stream_id: UUID | None
    name: Words | None
    months: list[MonthTold]


class BalanceTold(BaseModel):
    """Earned is paid out and owed together; waiting is paid by buyers and not handed over yet."""

    model_config = example(
        {"earned_satang": 150000, "paid_out_satang": 100000, "owed_satang": 50000, "waiting_satang": 9000}
    )

    earned_satang: int
    paid_out_satang: int
    owed_satang: int
    waiting_satang: int


class CanvasTold(BaseModel):
    """The business canvas of twelve months, plan beside what happened."""

    model_config = example(
        {
            "notes": [
                {
                    "block": 1,
                    "name": {"th": "จุดขาย/คุณค่า", "en": "Selling point and value"},
                    "text": {"th": "ข้าวเม่าหอม นุ่ม", "en": None},
                    "version": 1,
                    "written_at": "2026-11-24T03:00:00Z",
                }
            ],
            "income": [
                {
                    "stream_id": _STREAM["id"],
                    "name": _STREAM["name"],
                    "months": [
                        {"month": "2026-11", "planned_satang": 500000, "sold_satang": 450000, "typed_satang": 0}
                    ],
                }
            ],
            "costs": [{"month": "2026-11", "purpose": "own_cost", "satang": 20000}],
            "balance": {"earned_satang": 450000, "paid_out_satang": 0, "owed_satang": 450000, "waiting_satang": 0},
        }
    )

    notes: list[NoteTold]
    income: list[IncomeTold]
    costs: list["CostTold"]
    balance: BalanceTold


class CostTold(BaseModel):
    month: MonthText
    purpose: str
    satang: int


class EntryTold(BaseModel):
    """An entry of the books behind a figure."""

    model_config = example(
        {
            "id": "0199b7a6-2f7e-7d53-9f3e-2b0d5d9c7c11",
            "fact_id": "0199b7a6-2f7e-7d53-9f3e-2b0d5d9c7c12",
            "day": "2026-11-24",
            "purpose": "sale",
            "satang": 9000,
            "stream_id": _STREAM["id"],
            "order_id": None,
            "is_typed": False,
            "note": None,
            "may_be_taken_back": False,
        }
    )

    id: UUID
    fact_id: UUID
    day: date
    purpose: str
    satang: int
    stream_id: UUID | None
    order_id: UUID | None
    is_typed: bool
    note: str | None
    may_be_taken_back: bool


class Written(Sent):
    """A note in place of the version that was read."""

    model_config = sent_example({"text_th": "ข้าวเม่าหอม นุ่ม", "text_en": None, "seen_version": 0})

    text_th: Annotated[Paragraphs | None, NotBlank] = None
    text_en: Annotated[Paragraphs | None, NotBlank] = None
    seen_version: Annotated[int, Field(ge=0, le=10**6)]


class CellSent(Sent):
    stream_id: UUID
    month: MonthText
    satang: Annotated[int, Field(ge=0, le=MOST_SATANG)]


class PlanSent(Sent):
    """Cells of the plan; the others stay."""

    model_config = sent_example({"cells": [{"stream_id": _STREAM["id"], "month": "2026-11", "satang": 500000}]})

    cells: Annotated[list[CellSent], Field(min_length=1, max_length=500)]


class CostSent(Sent):
    """A cost that the group paid itself."""

    model_config = sent_example({"day": "2026-11-24", "satang": 20000, "note": "ถุงและฉลาก"})

    day: date
    satang: Amount
    note: Annotated[Line | None, NotBlank] = None


class IncomeSent(CostSent):
    """Income from outside the market; without a stream it goes to the default one of its kind."""

    kind: StreamKind = StreamKind.goods
    stream_id: UUID | None = None


class FactTold(BaseModel):
    """What was written into the books."""

    model_config = example({"fact_id": "0199b7a6-2f7e-7d53-9f3e-2b0d5d9c7c12", "day": "2026-11-24"})

    fact_id: UUID
    day: date


def own_group(group: Group, tables: dict[Storage, list[Tier]]) -> OwnGroupTold:
    return OwnGroupTold(
        slug=group.slug,
        state=GroupState(group.state),
        story=StoryTold.model_construct(**{name: getattr(group, name) for name in StoryTold.model_fields}),
        delivery=DeliveryTold.model_construct(
            parcel_enabled=group.parcel_enabled,
            pickup_enabled=group.pickup_enabled,
            cash_enabled=group.cash_enabled,
            pickup_text_th=group.pickup_text_th,
            pickup_text_en=group.pickup_text_en,
            parcels={
                storage: [
                    TierTold(up_to_g=tier.up_to_g, fee_satang=tier.fee_satang) for tier in tables.get(storage, [])
                ]
                for storage in Storage
            },
        ),
    )


def canvas(shown: Canvas) -> CanvasTold:
    return CanvasTold(
        notes=[_note(block, shown.notes.get(block)) for block in Block],
        income=[_income(line, shown) for line in shown.lines],
        costs=[CostTold(month=f"{cost.month:%Y-%m}", purpose=cost.purpose, satang=cost.satang) for cost in shown.costs],
        balance=balance(shown.balance),
    )


def balance(found: Balance) -> BalanceTold:
    return BalanceTold(
        earned_satang=found.earned,
        paid_out_satang=found.paid_out,
        owed_satang=found.owed,
        waiting_satang=found.waiting,
    )


def entry(row: Told) -> EntryTold:
    return EntryTold(
        id=row.entry.id,
        fact_id=row.fact.id,
        day=row.entry.business_day,
        purpose=row.entry.purpose,
        satang=row.satang,
        stream_id=row.entry.stream_id,
        order_id=row.entry.order_id,
        is_typed=row.fact.typed,
        note=row.fact.note,
        may_be_taken_back=row.may_be_undone,
    )


def tiers(sent: DeliveryTold, storage: Storage) -> list[Tier]:
    return [Tier(each.up_to_g, Satang(each.fee_satang)) for each in sent.parcels.get(storage, [])]


def _note(block: Block, note: CanvasNote | None) -> NoteTold:
    return NoteTold(
        block=block,
        name=Words(th=block.name_th, en=block.name_en or None),
        text=words(note.text_th, note.text_en) if note else None,
        version=note.version if note else 0,
        written_at=note.written_at if note else None,
    )


def _income(line: IncomeLine, shown: Canvas) -> IncomeTold:
    months = zip(shown.months, line.planned, line.sold, line.typed, strict=True)
    return IncomeTold(
        stream_id=line.stream.id if line.stream else None,
        name=words(line.stream.name_th, line.stream.name_en) if line.stream else None,
        months=[
            MonthTold(month=f"{month:%Y-%m}", planned_satang=planned, sold_satang=sold, typed_satang=typed)
            for month, planned, sold, typed in months
        ],
    )
