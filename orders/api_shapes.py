"""How baskets and orders look to programs.  Money is satang, amounts thousandths of the sale unit, times UTC."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field

from app import clock, places
from app.api.problems import title_of, type_of
from app.api.shapes import NotBlank, Sent, Slugged, Words, absolute, example, said, sent_example, words
from app.errors import Refusal
from app.forms import Email, Name, Paragraphs, Phone, wrong
from app.language import N_, Bilingual, Language, Message
from orders.basket import MOST_LINES, MOST_MILLI
from orders.carriers import tracking_link
from orders.delivery import DeliveryOption
from orders.due import DueCode
from orders.order import Order, OrderLine, OrderView, PartView
from orders.quote import GroupQuote, Item, Quote
from orders.refunds import RefundReason, RefundTask
from orders.slips import Slip, SlipState
from orders.states import ActorKind, DeliveryKind, OrderState, PartState, PaymentMethod, ReceiverKind
from orders.ways_to_pay import Way

_VARIANT: Final = "0199b7a6-2f7e-7d53-9f3e-2b0d5d9c7c11"
_LINK: Final = "pZ0rD4m2bQ1Xk9sV7tYw3A"
_GROUP: Final = {"slug": "khao-mao-group", "name": {"th": "กลุ่มข้าวเม่า", "en": "Khao Mao Group"}}
_KHAO_MAO: Final = {"th": "ข้าวเม่าสด", "en": "Fresh khao mao"}
_BAG: Final = {"th": "ถุง 500 ก.", "en": "500 g bag"}
_PARCEL: Final = {"th": "ส่งพัสดุ", "en": "Parcel"}
_QUOTE: Final = {
    "groups": [
        {
            "group": _GROUP,
            "center": {"slug": "nong-sano", "name": {"th": "ศูนย์บ่มเพาะหนองโสน", "en": "Nong Sano centre"}},
            "lines": [
                {
                    "variant_id": _VARIANT,
                    "listing": "fresh-khao-mao",
                    "name": _KHAO_MAO,
                    "unit": _BAG,
                    "quantity_milli": 2000,
                    "price_satang": 4500,
                    "was_satang": None,
                    "satang": 9000,
                    "most_milli": 10000,
                    "trouble": None,
                }
            ],
            "deliveries": [
                {
                    "kind": "parcel",
                    "name": _PARCEL,
                    "fee_satang": 6000,
                    "is_possible": True,
                    "is_chosen": True,
                    "why_not": None,
                    "place": None,
                }
            ],
            "goods_satang": 9000,
            "delivery_satang": 6000,
            "total_satang": 15000,
        }
    ],
    "ways_to_pay": [
        {
            "method": "promptpay",
            "is_possible": True,
            "why_not": None,
            "receiver": {"kind": "group", "name": {"th": "นางสมศรี ใจดี", "en": None}},
        }
    ],
    "goods_satang": 9000,
    "delivery_satang": 6000,
    "total_satang": 15000,
    "needs_address": True,
    "can_be_ordered": True,
    "troubles": [],
}
_BUYER: Final = {
    "name": "มะลิ ใจเย็น",
    "phone": "0891112222",
    "email": "mali@example.com",
    "address_line": "12 หมู่ 3",
    "subdistrict_code": "310427",
    "note": None,
}
_ORDER: Final = {
    "link": _LINK,
    "url": f"https://market.example/o/{_LINK}",
    "number": "483920",
    "state": "placed",
    "is_run_out": False,
    "channel": "api",
    "placed_at": "2026-11-24T03:00:00Z",
    "hold_until_at": "2026-11-24T04:00:00Z",
    "paid_at": None,
    "payment_method": "promptpay",
    "goods_satang": 9000,
    "delivery_satang": 6000,
    "total_satang": 15000,
    "off_satang": 0,
    "received_satang": 0,
    "returned_satang": 0,
    "due_satang": 15000,
    "may_be_cancelled": True,
    "buyer": {**_BUYER, "phone": "+66891112222"},
    "parts": [
        {
            "group": _GROUP,
            "state": "placed",
            "delivery": "parcel",
            "place": None,
            "goods_satang": 9000,
            "delivery_satang": 6000,
            "off_satang": 0,
            "lines": [
                {
                    "variant_id": _VARIANT,
                    "name": _KHAO_MAO,
                    "unit": _BAG,
                    "quantity_milli": 2000,
                    "price_satang": 4500,
                    "satang": 9000,
                    "off_milli": 0,
                    "off_satang": 0,
                }
            ],
            "carrier": None,
            "tracking": None,
            "tracking_url": None,
        }
    ],
    "events": [{"kind": "placed", "at": "2026-11-24T03:00:00Z", "by": "buyer", "group": None}],
    "slips": [],
    "refunds": [],
}


def _known_place(code: str) -> str:
    if places.place(code) is None:
        raise wrong("place", N_("We do not know this postcode or tambon. Please check it."))
    return code


Subdistrict = Annotated[
    str, Field(max_length=6, description="Of `/places`; for parcels."), AfterValidator(_known_place)
]
Amount = Annotated[int, Field(ge=1, le=MOST_MILLI, description="Thousandths of the sale unit: 2000 is two.")]


class LineAdded(Sent):
    model_config = sent_example({"variant_id": _VARIANT, "quantity_milli": 2000})

    variant_id: UUID
    quantity_milli: Amount


class BasketSent(Sent):
    model_config = sent_example({"lines": [{"variant_id": _VARIANT, "quantity_milli": 2000}]})

    lines: Annotated[
        list[LineAdded], Field(max_length=MOST_LINES, description="What to begin with.", default_factory=list)
    ]


class Trouble(BaseModel):
    """What stands in the way of ordering."""

    type: str
    title: str
    detail: Words


class LineQuoted(BaseModel):
    variant_id: UUID
    listing: str = Field(description="The listing's slug.")
    name: Words
    unit: Words
    quantity_milli: int
    price_satang: int
    was_satang: int | None = Field(description="The price when it was put in, if it is another one now.")
    satang: int = Field(description="What it adds to the total; nothing while it cannot be had.")
    most_milli: int = Field(description="The most that can be had now.")
    trouble: Trouble | None


class DeliveryQuoted(BaseModel):
    kind: DeliveryKind
    name: Words
    fee_satang: int
    is_possible: bool
    is_chosen: bool
    why_not: Words | None
    place: Words | None = Field(description="Where and when to come.")


class GroupQuoted(BaseModel):
    group: Slugged
    center: Slugged
    lines: list[LineQuoted]
    deliveries: list[DeliveryQuoted]
    goods_satang: int
    delivery_satang: int
    total_satang: int


class ReceiverTold(BaseModel):
    kind: ReceiverKind
    name: Words


class WayToPay(BaseModel):
    method: PaymentMethod
    is_possible: bool
    why_not: Words | None
    receiver: ReceiverTold | None = Field(description="Whose account the money goes to; null for cash.")


class QuoteTold(BaseModel):
    """What the basket costs at this moment, and everything that stands in the way of ordering it."""

    model_config = example(_QUOTE)

    groups: list[GroupQuoted]
    ways_to_pay: list[WayToPay] = Field(description="The preferred one first.")
    goods_satang: int
    delivery_satang: int
    total_satang: int = Field(description="Send it back as `expected_total_satang`.")
    needs_address: bool
    can_be_ordered: bool
    troubles: list[Trouble]


class NewBasket(BaseModel):
    model_config = example({"token": "Qm7cR2nX5vB8yT1kZ4wL6pD9sF3gH0jA", "basket": _QUOTE})

    token: str = Field(description="The basket's secret, shown this once: send it as the header `Basket-Token`.")
    basket: QuoteTold


class AmountSet(Sent):
    model_config = sent_example({"quantity_milli": 3000})

    quantity_milli: Annotated[int, Field(ge=0, le=MOST_MILLI, description="As before; 0 takes it out.")]


class DeliveryChosen(Sent):
    model_config = sent_example({"delivery": "parcel"})

    delivery: DeliveryKind


class BuyerSent(Sent):
    name: Annotated[Name, NotBlank]
    phone: Annotated[Phone, Field(max_length=40, description="As people write it; kept in E.164.")]
    email: Annotated[Email | None, NotBlank] = None
    address_line: Annotated[
        Annotated[str, Field(max_length=300)] | None, NotBlank, Field(description="For parcels.")
    ] = None
    subdistrict_code: Annotated[Subdistrict | None, NotBlank] = None
    note: Annotated[Paragraphs | None, NotBlank] = None
    lang: Annotated[Language | None, Field(description="Of what we write to them; else `Accept-Language`.")] = None


class OrderSent(Sent):
    """What turns the basket into an order."""

    model_config = sent_example({"buyer": _BUYER, "payment_method": "promptpay", "expected_total_satang": 15000})

    buyer: BuyerSent
    payment_method: PaymentMethod
    expected_total_satang: Annotated[
        int, Field(ge=0, le=10**15, description="The quote's total: the buyer never pays another one.")
    ]


class BuyerTold(BaseModel):
    name: str
    phone: str
    email: str | None
    address_line: str | None
    subdistrict_code: str | None
    note: str | None


class LineTold(BaseModel):
    """One thing of an order, as it was told when it was placed."""

    variant_id: UUID
    name: Words
    unit: Words
    quantity_milli: int
    price_satang: int
    satang: int
    off_milli: int = Field(description="Taken off since: the rest is packed.")
    off_satang: int = Field(description="Taken off since: given back or cancelled.")


class PartTold(BaseModel):
    """What one group packs and hands over."""

    group: Slugged
    state: PartState
    delivery: DeliveryKind
    place: Words | None
    goods_satang: int
    delivery_satang: int
    off_satang: int = Field(description="Taken off since: given back or cancelled.")
    lines: list[LineTold]
    carrier: str | None
    tracking: str | None
    tracking_url: str | None


class EventTold(BaseModel):
    kind: str
    at: datetime
    by: ActorKind
    group: Words | None


class SlipTold(BaseModel):
    state: SlipState
    sent_at: datetime
    reason: str | None = Field(description="Why it was refused.")


class RefundTold(BaseModel):
    satang: int
    reason: RefundReason
    state: str = Field(description="`open`, `pending`, `done` or `failed`.")
    made_at: datetime
    done_at: datetime | None


class OrderTold(BaseModel):
    """An order, as its buyer may see it."""

    model_config = example(_ORDER)

    link: str = Field(description="Its secret: whoever has it may see, pay and cancel the order.")
    url: str = Field(description="Its page for people.")
    number: str
    state: OrderState
    is_run_out: bool = Field(description="Nobody paid in time; the goods are back on sale.")
    channel: str
    placed_at: datetime
    hold_until_at: datetime = Field(description="How long an unpaid order keeps its goods.")
    paid_at: datetime | None
    payment_method: PaymentMethod
    goods_satang: int
    delivery_satang: int
    total_satang: int
    off_satang: int = Field(description="Taken off since: given back or cancelled.")
    received_satang: int
    returned_satang: int
    due_satang: int
    may_be_cancelled: bool
    buyer: BuyerTold
    parts: list[PartTold]
    events: list[EventTold]
    slips: list[SlipTold]
    refunds: list[RefundTold]


class PayCode(BaseModel):
    """A PromptPay code of the exact amount that is due."""

    model_config = example(
        {
            "satang": 15000,
            "payload": "00020101021229370016A000000677010111011300668123456785802TH53037645406150.006304ABCD",
            "picture_url": f"https://market.example/api/v1/orders/{_LINK}/promptpay.png",
            "account_name": "นางสมศรี ใจดี",
            "account": "xxx-xxx-5678",
        }
    )

    satang: int
    payload: str = Field(description="What the QR picture holds.")
    picture_url: str
    account_name: str
    account: str


class PayPage(BaseModel):
    model_config = example({"url": "https://checkout.stripe.com/c/pay/cs_test_a1b2c3"})

    url: str = Field(description="Send the buyer there.")


class CancelSent(Sent):
    model_config = sent_example({"reason": "ซื้อซ้ำ"})

    reason: Annotated[Annotated[str, Field(max_length=300)] | None, NotBlank] = None


class PayToSent(Sent):
    model_config = sent_example({"pay_to": "พร้อมเพย์ 089-111-2222 มะลิ"})

    pay_to: Annotated[str, Field(min_length=4, max_length=300, description="A PromptPay id or a bank account.")]


class FindSent(Sent):
    model_config = sent_example({"number": "483 920", "phone": "2222"})

    number: Annotated[str, Field(min_length=1, max_length=40)]
    phone: Annotated[str, Field(min_length=4, max_length=40, description="The buyer's, or its last four digits.")]


class Found(BaseModel):
    model_config = example({"link": _LINK, "url": f"https://market.example/o/{_LINK}"})

    link: str
    url: str


def quoted(now: Quote) -> QuoteTold:
    return QuoteTold(
        groups=[_group(part) for part in now.groups],
        ways_to_pay=[_way(way) for way in now.ways] if now.groups else [],
        goods_satang=now.goods_satang,
        delivery_satang=now.delivery_satang,
        total_satang=now.total_satang,
        needs_address=now.needs_address,
        can_be_ordered=not now.is_empty and not now.troubles,
        troubles=[trouble(each) for each in now.troubles],
    )


def ordered(shown: OrderView, slips: Sequence[Slip], refunds: Sequence[RefundTask]) -> OrderTold:
    order = shown.order
    now = clock.now()
    names = {view.part.id: said(view.part.group_name) for view in shown.parts}
    return OrderTold(
        **found(order).model_dump(),
        number=order.number,
        state=OrderState.expired if order.is_run_out(now) else OrderState(order.state),
        is_run_out=order.is_run_out(now),
        channel=order.channel,
        placed_at=order.placed_at,
        hold_until_at=order.hold_until_at,
        paid_at=order.paid_at,
        payment_method=PaymentMethod(order.payment_method),
        goods_satang=order.goods_satang,
        delivery_satang=order.delivery_satang,
        total_satang=order.total_satang,
        off_satang=order.off_satang,
        received_satang=order.received_satang,
        returned_satang=order.returned_satang,
        due_satang=order.due_satang,
        may_be_cancelled=order.may_be_cancelled and not order.is_run_out(now),
        buyer=_buyer(order),
        parts=[_part(view) for view in shown.parts],
        events=[
            EventTold(
                kind=event.kind,
                at=event.at,
                by=ActorKind(event.by_kind),
                group=names.get(event.part_id) if event.part_id else None,
            )
            for event in shown.events
        ],
        slips=[SlipTold(state=SlipState(each.state), sent_at=each.sent_at, reason=each.reason) for each in slips],
        refunds=[_refund(each) for each in refunds],
    )


def found(order: Order) -> Found:
    return Found(link=order.link_token, url=absolute(order.path))


def pay_code(code: DueCode, picture_path: str) -> PayCode:
    return PayCode(
        satang=code.satang,
        payload=code.payload,
        picture_url=absolute(picture_path),
        account_name=code.name,
        account=code.masked_id,
    )


def trouble(refusal: Refusal) -> Trouble:
    told = _message(Message(refusal.message, refusal.params))
    return Trouble(type=type_of(type(refusal)), title=title_of(type(refusal)), detail=told)


def _group(part: GroupQuote) -> GroupQuoted:
    return GroupQuoted(
        group=Slugged(slug=part.group.slug, name=Words(th=part.group.name_th, en=part.group.name_en)),
        center=Slugged(slug=part.center.slug, name=Words(th=part.center.name_th, en=part.center.name_en)),
        lines=[_line_quoted(item) for item in part.items],
        deliveries=[_delivery(option, is_chosen=option is part.option) for option in part.options],
        goods_satang=part.goods_satang,
        delivery_satang=part.delivery_satang,
        total_satang=part.total_satang,
    )


def _line_quoted(item: Item) -> LineQuoted:
    sold = item.offer.variant
    return LineQuoted(
        variant_id=sold.id,
        listing=item.offer.listing.slug,
        name=said(item.name),
        unit=Words(th=sold.unit_th, en=sold.unit_en),
        quantity_milli=item.quantity_milli,
        price_satang=item.price_satang,
        was_satang=item.was_satang,
        satang=item.satang,
        most_milli=item.most_milli,
        trouble=trouble(item.trouble) if item.trouble else None,
    )


def _delivery(option: DeliveryOption, *, is_chosen: bool) -> DeliveryQuoted:
    return DeliveryQuoted(
        kind=option.kind,
        name=_message(option.name),
        fee_satang=option.fee_satang,
        is_possible=option.is_possible,
        is_chosen=is_chosen,
        why_not=_message(option.why_not) if option.why_not else None,
        place=_said(option.place),
    )


def _way(way: Way) -> WayToPay:
    receiver = way.receiver
    return WayToPay(
        method=way.method,
        is_possible=way.is_possible,
        why_not=_message(way.why_not) if way.why_not else None,
        receiver=ReceiverTold(kind=receiver.kind, name=said(receiver.name)) if receiver else None,
    )


def _buyer(order: Order) -> BuyerTold:
    return BuyerTold(
        name=order.buyer_name,
        phone=order.buyer_phone,
        email=order.buyer_email,
        address_line=order.address_line,
        subdistrict_code=order.subdistrict_code,
        note=order.note,
    )


def _part(view: PartView) -> PartTold:
    part = view.part
    kind = DeliveryKind(part.delivery)
    return PartTold(
        group=Slugged(slug=view.group_slug, name=said(part.group_name)),
        state=PartState(part.state),
        delivery=kind,
        place=words(part.pickup_text_th, part.pickup_text_en) if kind.is_pickup else None,
        goods_satang=part.goods_satang,
        delivery_satang=part.delivery_satang,
        off_satang=part.off_satang,
        lines=[line_told(line) for line in view.lines],
        carrier=part.carrier,
        tracking=part.tracking,
        tracking_url=tracking_link(part.carrier, part.tracking) if part.tracking else None,
    )


def line_told(line: OrderLine) -> LineTold:
    return LineTold(
        variant_id=line.variant_id,
        name=said(line.name),
        unit=Words(th=line.unit_th, en=line.unit_en),
        quantity_milli=line.quantity_milli,
        price_satang=line.price_satang,
        satang=line.satang,
        off_milli=line.off_milli,
        off_satang=line.off_satang,
    )


def _refund(task: RefundTask) -> RefundTold:
    return RefundTold(
        satang=task.satang,
        reason=RefundReason(task.reason),
        state=task.state,
        made_at=task.made_at,
        done_at=task.done_at,
    )


def _message(message: Message) -> Words:
    return Words(th=message.reading("th"), en=message.reading("en"))


def _said(name: Bilingual | None) -> Words | None:
    return said(name) if name else None
