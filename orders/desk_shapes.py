"""How orders look to a desk's programs: a group's own part, slips to judge, money to give back.  Money is satang."""

from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import BaseModel, Field

from app.api.shapes import NotBlank, Sent, example, sent_example
from app.forms import Line
from orders.api_shapes import LineTold, line_told
from orders.carriers import tracking_link
from orders.group_work import Work
from orders.order import Order, OrderLine, OrderView, PartView
from orders.refunds import RefundTask
from orders.slips import WaitingSlip
from orders.states import DeliveryKind, OrderState, PartState, PaymentMethod

MOST_SATANG: Final = 10**12
_ID: Final = "0199b7a6-2f7e-7d53-9f3e-2b0d5d9c7c11"
_LINE: Final = {
    "id": _ID,
    "variant_id": _ID,
    "name": {"th": "ข้าวเม่าสด", "en": "Fresh khao mao"},
    "unit": {"th": "ถุง 500 ก.", "en": "500 g bag"},
    "quantity_milli": 2000,
    "price_satang": 4500,
    "satang": 9000,
    "off_milli": 0,
    "off_satang": 0,
}
_PART: Final = {
    "id": _ID,
    "number": "483920",
    "state": "paid",
    "may_be_packed": True,
    "delivery": "parcel",
    "payment_method": "promptpay",
    "placed_at": "2026-11-24T03:00:00Z",
    "ready_at": "2026-11-24T03:10:00Z",
    "packed_at": None,
    "handed_over_at": None,
    "carrier": None,
    "tracking": None,
    "tracking_url": None,
    "goods_satang": 9000,
    "delivery_satang": 6000,
    "total_satang": 15000,
    "off_satang": 0,
    "lines": [_LINE],
}


class OwnLineTold(LineTold):
    """A line with the id by which a desk speaks of it."""

    id: UUID


class PartTold(BaseModel):
    """What one group has to pack and hand over of an order."""

    model_config = example(_PART)

    id: UUID
    number: str
    state: PartState
    may_be_packed: bool = Field(description="Paid, or to be paid in cash where it is fetched.")
    delivery: DeliveryKind
    payment_method: PaymentMethod
    placed_at: datetime
    ready_at: datetime | None
    packed_at: datetime | None
    handed_over_at: datetime | None
    carrier: str | None
    tracking: str | None
    tracking_url: str | None
    goods_satang: int
    delivery_satang: int
    total_satang: int
    off_satang: int = Field(description="Taken off since: given back or cancelled.")
    lines: list[OwnLineTold]


class RecipientTold(BaseModel):
    """To whom it goes; the address only where a parcel has to find it."""

    name: str
    phone: str
    address_line: str | None
    subdistrict_code: str | None
    place: str | None
    note: str | None


class PartToSend(PartTold):
    """A part, and to whom it goes."""

    model_config = example(
        {
            **_PART,
            "recipient": {
                "name": "มะลิ ใจเย็น",
                "phone": "+66891112222",
                "address_line": "12 หมู่ 3",
                "subdistrict_code": "310427",
                "place": "ต.หนองโสน อ.นางรอง จ.บุรีรัมย์ 31110",
                "note": None,
            },
        }
    )

    recipient: RecipientTold


class TrackingSent(Sent):
    """What the parcel's label says; `carrier` is a code such as `thailand-post`, others count as another carrier."""

    model_config = sent_example({"carrier": "thailand-post", "number": "EY145587896TH"})

    carrier: Annotated[str | None, Field(max_length=60), NotBlank] = None
    number: Annotated[str, Field(min_length=4, max_length=60)]


class HandOverSent(Sent):
    """Parcels may name their label; goods that are fetched have none."""

    model_config = sent_example({"tracking": {"carrier": "thailand-post", "number": "EY145587896TH"}})

    tracking: TrackingSent | None = None


class ReasonSent(Sent):
    """Why, in words that the buyer reads."""

    model_config = sent_example({"reason": "ยอดเงินยังไม่เข้าบัญชี"})

    reason: Annotated[Line, Field(min_length=3)]


class AcceptSent(Sent):
    """What arrived in the account."""

    model_config = sent_example({"satang": 15000})

    satang: Annotated[int, Field(gt=0, le=MOST_SATANG)]


class DoneSent(Sent):
    model_config = sent_example({"note": "SCB 1130 24/11"})

    note: Annotated[Line | None, NotBlank] = None


class SlipTold(BaseModel):
    """A slip beside the order it should pay."""

    model_config = example(
        {
            "id": _ID,
            "state": "waiting",
            "sent_at": "2026-11-24T03:05:00Z",
            "number": "483920",
            "buyer_name": "มะลิ ใจเย็น",
            "due_satang": 15000,
            "order_state": "slip_sent",
        }
    )

    id: UUID
    state: str
    sent_at: datetime
    number: str
    buyer_name: str
    due_satang: int
    order_state: OrderState


class RefundTold(BaseModel):
    """Money that goes back to a buyer."""

    model_config = example(
        {
            "id": _ID,
            "number": "483920",
            "satang": 15000,
            "reason": "cancelled",
            "state": "open",
            "pay_to": "0891112222",
            "made_at": "2026-11-24T03:00:00Z",
            "done_at": None,
        }
    )

    id: UUID
    number: str
    satang: int
    reason: str
    state: str
    pay_to: str | None
    made_at: datetime
    done_at: datetime | None


class GroupPartTold(PartTold):
    group: str


class StaffOrderTold(BaseModel):
    """A whole order as staff see it."""

    model_config = example(
        {
            "number": "483920",
            "state": "paid",
            "payment_method": "promptpay",
            "placed_at": "2026-11-24T03:00:00Z",
            "paid_at": "2026-11-24T03:10:00Z",
            "total_satang": 15000,
            "off_satang": 0,
            "received_satang": 15000,
            "returned_satang": 0,
            "due_satang": 0,
            "buyer_name": "มะลิ ใจเย็น",
            "buyer_phone": "+66891112222",
            "parts": [{**_PART, "group": "khao-mao-group"}],
            "refunds": [],
        }
    )

    number: str
    state: OrderState
    payment_method: PaymentMethod
    placed_at: datetime
    paid_at: datetime | None
    total_satang: int
    off_satang: int = Field(description="Taken off since: given back or cancelled.")
    received_satang: int
    returned_satang: int
    due_satang: int
    buyer_name: str
    buyer_phone: str
    parts: list[GroupPartTold]
    refunds: list[RefundTold]


def part(work: Work) -> PartTold:
    return PartTold(**_part(work))


def part_to_send(work: Work) -> PartToSend:
    order = work.order
    is_parcel = work.part.delivery == DeliveryKind.parcel
    return PartToSend(
        **_part(work),
        recipient=RecipientTold(
            name=order.buyer_name,
            phone=order.buyer_phone,
            address_line=order.address_line if is_parcel else None,
            subdistrict_code=order.subdistrict_code if is_parcel else None,
            place=order.place.full_line("th") if is_parcel and order.place else None,
            note=order.note,
        ),
    )


def slip(found: WaitingSlip) -> SlipTold:
    return SlipTold(
        id=found.slip.id,
        state=found.slip.state,
        sent_at=found.slip.sent_at,
        number=found.order.number,
        buyer_name=found.order.buyer_name,
        due_satang=found.order.due_satang,
        order_state=OrderState(found.order.state),
    )


def refund(task: RefundTask, order: Order) -> RefundTold:
    return RefundTold(
        id=task.id,
        number=order.number,
        satang=task.satang,
        reason=task.reason,
        state=task.state,
        pay_to=task.pay_to,
        made_at=task.made_at,
        done_at=task.done_at,
    )


def staff_order(shown: OrderView, tasks: list[RefundTask]) -> StaffOrderTold:
    order = shown.order
    return StaffOrderTold(
        number=order.number,
        state=OrderState(order.state),
        payment_method=PaymentMethod(order.payment_method),
        placed_at=order.placed_at,
        paid_at=order.paid_at,
        total_satang=order.total_satang,
        off_satang=order.off_satang,
        received_satang=order.received_satang,
        returned_satang=order.returned_satang,
        due_satang=order.due_satang,
        buyer_name=order.buyer_name,
        buyer_phone=order.buyer_phone,
        parts=[_group_part(order, each) for each in shown.parts],
        refunds=[refund(task, order) for task in tasks],
    )


def _group_part(order: Order, view: PartView) -> GroupPartTold:
    return GroupPartTold(**_part(Work(view.part, order, view.lines)), group=view.group_slug)


def _part(work: Work) -> dict[str, Any]:
    found = work.part
    return {
        "id": found.id,
        "number": work.order.number,
        "state": PartState(found.state),
        "may_be_packed": found.ready_at is not None and found.is_open,
        "delivery": found.delivery_kind,
        "payment_method": PaymentMethod(work.order.payment_method),
        "placed_at": found.placed_at,
        "ready_at": found.ready_at,
        "packed_at": found.packed_at,
        "handed_over_at": found.handed_over_at,
        "carrier": found.carrier,
        "tracking": found.tracking,
        "tracking_url": tracking_link(found.carrier, found.tracking) if found.tracking else None,
        "goods_satang": found.goods_satang,
        "delivery_satang": found.delivery_satang,
        "total_satang": found.total_satang,
        "off_satang": found.off_satang,
        "lines": [_line(each) for each in work.lines],
    }


def _line(line: OrderLine) -> OwnLineTold:
    return OwnLineTold(id=line.id, **dict(line_told(line)))
