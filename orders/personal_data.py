"""My data: everything the market holds about a person, or about a guest in one order, to be carried away.

The same rows are told twice in one ZIP: as JSON for programs and as a page for people, in the reader's language, beside
the pictures of slips that are still kept.  It is made while it is sent: a person's rows fit into memory by far (orders
of years are some thousand lines), and pictures, of which `orders.forgetting` leaves those of three months, are fetched
one by one once the transaction is over.
"""

import io
import json
import zipfile
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock, files, trail
from app.access import Membership, whole_market
from app.api.tokens import ApiToken
from app.files import NoSuchFile
from app.language import N_, Bilingual
from app.mail import Notice
from app.people import Person, SignIn
from app.trail import TrailEntry
from catalog.listings import Listing, Variant
from orders.basket import Basket, BasketLine
from orders.order import Order, OrderEvent, OrderLine, OrderPart, full_name
from orders.payments import Payment
from orders.refunds import RefundTask
from orders.slips import Slip
from producers.centers import Center
from producers.groups import Group

Row = dict[str, Any]

WORDS: Final = {
    "about": N_("About"),
    "address_line": N_("Address"),
    "allowed": N_("Allowed"),
    "at": N_("When"),
    "bank_code": N_("Bank"),
    "body_text": N_("Text"),
    "buyer_email": N_("E-mail"),
    "buyer_name": N_("Your name"),
    "buyer_phone": N_("Phone"),
    "by": N_("By whom"),
    "cancelled_at": N_("Cancelled"),
    "cancelled_because": N_("Why cancelled"),
    "carrier": N_("Carrier"),
    "created_at": N_("Since"),
    "delivery": N_("Delivery"),
    "device": N_("Device"),
    "done_at": N_("Done"),
    "email": N_("E-mail"),
    "ended_at": N_("Until"),
    "ends_at": N_("Until"),
    "group": N_("Group"),
    "handed_over_at": N_("Handed over"),
    "kept_at": N_("When"),
    "lang": N_("Language"),
    "made_at": N_("When"),
    "method": N_("How"),
    "name": N_("Name"),
    "note": N_("Note"),
    "order": N_("Order number"),
    "pay_to": N_("Paid back to"),
    "payment_method": N_("Paid by"),
    "phone": N_("Phone"),
    "picture": N_("Picture"),
    "place": N_("Place"),
    "placed_at": N_("Ordered on"),
    "price_satang": N_("Price"),
    "quantity_milli": N_("Amount"),
    "reason": N_("Reason"),
    "revoked_at": N_("Ended"),
    "role": N_("Role"),
    "satang": N_("Baht"),
    "seen_at": N_("Last seen"),
    "sent_at": N_("When"),
    "sights": N_("What was seen"),
    "since_at": N_("Since"),
    "state": N_("State"),
    "subdistrict_code": N_("Tambon code"),
    "subject": N_("Subject"),
    "total_satang": N_("Total"),
    "tracking": N_("Tracking number"),
    "trans_ref": N_("Reference"),
    "unit": N_("Unit"),
    "what": N_("What"),
}
"""Names of the fields in people's words."""


@dataclass(frozen=True, slots=True)
class Section:
    """Rows of one kind; their fields are keys of `WORDS`."""

    key: str
    title: str
    """A message id."""
    rows: list[Row]

    @property
    def fields(self) -> list[str]:
        return list(self.rows[0]) if self.rows else []


@dataclass(frozen=True, slots=True)
class PersonalData:
    sections: list[Section]
    pictures: dict[str, str] = field(default_factory=dict)
    """Name in the ZIP → key of the file."""

    def as_json(self) -> bytes:
        """Return everything as JSON: amounts in satang and thousandths of a unit, times in UTC."""
        told = {"made_at": clock.now(), **{section.key: section.rows for section in self.sections}}
        return json.dumps(told, ensure_ascii=False, indent=1, default=_plain).encode()


async def of_person(session: AsyncSession, person: Person) -> PersonalData:
    """Gather what is about a person: account, work, devices, orders, baskets, notices, and the trail."""
    orders = (
        await session.scalars(select(Order).where(Order.person_id == person.id).order_by(Order.placed_at, Order.id))
    ).all()
    slips = await _slips(session, orders)
    own = _fields(person, "name", "email", "phone", "lang", "created_at")
    return PersonalData(
        [
            Section("account", N_("My account"), [own]),
            Section("roles", N_("My work in groups and centres"), await _roles(session, person.id)),
            Section("devices", N_("Where I signed in"), await _devices(session, person.id)),
            Section("tokens", N_("My access keys for programs"), await _tokens(session, person.id)),
            *await _about_orders(session, orders, slips),
            Section("basket", N_("My basket"), await _basket(session, person.id)),
            Section("notices", N_("What the market wrote to me"), await _notices(session, orders, person.email)),
            Section("looks", N_("Who on the desks looked at my orders"), await _looks(session, orders)),
            Section("my_work", N_("What I did on the desks"), await _work(session, person.id)),
        ],
        _pictures(orders, slips),
    )


async def of_order(session: AsyncSession, order: Order) -> PersonalData:
    """Gather what is about the buyer of one order."""
    slips = await _slips(session, [order])
    return PersonalData(
        [
            *await _about_orders(session, [order], slips),
            Section("notices", N_("What the market wrote to me"), await _notices(session, [order], None)),
            Section("looks", N_("Who on the desks looked at my orders"), await _looks(session, [order])),
        ],
        _pictures([order], slips),
    )


async def packed(data: PersonalData, page: str) -> AsyncIterator[bytes]:
    """Yield the ZIP piece by piece; `page` is the same data for people, as HTML.  Asks the file store, no database."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("my-data.html", page)
        archive.writestr("my-data.json", data.as_json())
        yield sink.taken()
        for name, key in data.pictures.items():
            try:
                archive.writestr(name, await files.get(key), zipfile.ZIP_STORED)
            except NoSuchFile:
                continue
            yield sink.taken()
    yield sink.taken()


class _Sink(io.RawIOBase):
    """Takes what a ZIP writes, to be handed on at once; it cannot go back, so nothing has to be kept."""

    def __init__(self) -> None:
        self.written = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self.written += data
        return len(data)

    def taken(self) -> bytes:
        taken, self.written = bytes(self.written), bytearray()
        return taken


async def _roles(session: AsyncSession, person_id: UUID) -> list[Row]:
    rows = await session.execute(
        select(Membership, Group, Center)
        .outerjoin(Group, Group.id == Membership.group_id)
        .outerjoin(Center, Center.id == Membership.center_id)
        .where(Membership.person_id == person_id)
        .order_by(Membership.since_at)
    )
    return [
        {"role": role.role, "place": _named(group, center), **_fields(role, "since_at", "ended_at")}
        for role, group, center in rows
    ]


async def _devices(session: AsyncSession, person_id: UUID) -> list[Row]:
    found = await session.scalars(select(SignIn).where(SignIn.person_id == person_id).order_by(SignIn.created_at))
    return [_fields(each, "device", "created_at", "seen_at", "ends_at", "revoked_at") for each in found]


async def _tokens(session: AsyncSession, person_id: UUID) -> list[Row]:
    found = await session.scalars(select(ApiToken).where(ApiToken.person_id == person_id).order_by(ApiToken.made_at))
    return [
        {"name": each.name, "allowed": ", ".join(each.scopes), **_fields(each, "made_at", "revoked_at")}
        for each in found
    ]


async def _about_orders(session: AsyncSession, orders: Sequence[Order], slips: Sequence[Slip]) -> list[Section]:
    numbers = {order.id: order.number for order in orders}
    parts = await _of_orders(session, OrderPart, numbers, OrderPart.position)
    groups = {part.id: part.group_name for part in parts}
    lines = await _of_orders(session, OrderLine, numbers, OrderLine.position)
    events = await _of_orders(session, OrderEvent, numbers, OrderEvent.at)
    payments = await _of_orders(session, Payment, numbers, Payment.confirmed_at)
    refunds = await _of_orders(session, RefundTask, numbers, RefundTask.made_at)

    def told(rows: Iterable[Any], *names: str) -> list[Row]:
        return [{"order": numbers[row.order_id], **_fields(row, *names)} for row in rows]

    return [
        Section("orders", N_("My orders"), [_order(order) for order in orders]),
        Section(
            "lines",
            N_("What I ordered"),
            [
                {"order": numbers[line.order_id], "group": groups[line.part_id], "name": line.name}
                | {"unit": Bilingual(line.unit_th, line.unit_en)}
                | _fields(line, "quantity_milli", "price_satang", "satang")
                for line in lines
            ],
        ),
        Section(
            "parts",
            N_("How it was handed over"),
            [
                {"order": numbers[part.order_id], "group": part.group_name}
                | _fields(part, "delivery", "state", "handed_over_at", "carrier", "tracking")
                for part in parts
            ],
        ),
        Section(
            "events",
            N_("What happened to my orders"),
            [
                {"order": numbers[event.order_id], "at": event.at, "what": event.kind, "by": event.by_kind}
                | {"reason": event.detail.get("reason")}
                for event in events
            ],
        ),
        Section(
            "payments",
            N_("My payments"),
            [
                {"order": numbers[each.order_id], "at": each.confirmed_at, "method": each.method, "satang": each.satang}
                for each in payments
            ],
        ),
        Section(
            "refunds", N_("Money paid back to me"), told(refunds, "made_at", "satang", "pay_to", "state", "done_at")
        ),
        Section(
            "slips",
            N_("My transfer slips"),
            [
                {"order": numbers[slip.order_id]}
                | _fields(slip, "sent_at", "state", "reason", "bank_code", "trans_ref")
                | {"picture": None if slip.picture_gone_at else _picture(numbers[slip.order_id], slip)}
                for slip in slips
            ],
        ),
    ]


async def _of_orders(session: AsyncSession, table: Any, numbers: dict[UUID, str], order_by: Any) -> Sequence[Any]:
    question = select(table).where(table.order_id.in_(list(numbers))).order_by(table.order_id, order_by, table.id)
    return (await session.scalars(question)).all()


async def _slips(session: AsyncSession, orders: Sequence[Order]) -> Sequence[Slip]:
    found = await session.scalars(
        select(Slip).where(Slip.order_id.in_([order.id for order in orders])).order_by(Slip.sent_at, Slip.id)
    )
    return found.all()


async def _basket(session: AsyncSession, person_id: UUID) -> list[Row]:
    rows = await session.execute(
        select(BasketLine, Variant, Listing)
        .join(Basket, Basket.id == BasketLine.basket_id)
        .join(Variant, Variant.id == BasketLine.variant_id)
        .join(Listing, Listing.id == Variant.listing_id)
        .where(Basket.person_id == person_id, whole_market("a basket may hold what has left the market"))
        .order_by(BasketLine.added_at)
    )
    return [
        {
            "name": full_name(listing.name_th, listing.name_en, variant.label_th, variant.label_en),
            "quantity_milli": line.quantity_milli,
            "at": line.added_at,
        }
        for line, variant, listing in rows
    ]


async def _notices(session: AsyncSession, orders: Sequence[Order], email: str | None) -> list[Row]:
    """Notices to the person's own address, or to the address an order was given, about that order."""
    to = func.lower(Notice.to)
    mine: list[ColumnElement[bool]] = [
        and_(Notice.about == order.number, to == order.buyer_email.lower()) for order in orders if order.buyer_email
    ]
    if email:
        mine.append(to == email.lower())
    if not mine:
        return []
    addressed = whole_market("a notice belongs to whose address stands on it")
    found = await session.scalars(select(Notice).where(addressed, or_(*mine)).order_by(Notice.kept_at))
    return [_fields(each, "kept_at", "sent_at", "subject", "body_text", "about") for each in found]


async def _looks(session: AsyncSession, orders: Sequence[Order]) -> list[Row]:
    """Who worked on the orders: as what, but not by name, as the people of the desks have their data too."""
    numbers = {order.number for order in orders}
    return [
        {
            "at": entry.at,
            "by": _as_what(entry),
            "what": entry.what,
            "sights": ", ".join(entry.sights),
            "about": ", ".join(number for number in entry.about if number in numbers),
        }
        for entry in await trail.about(session, numbers)
    ]


async def _work(session: AsyncSession, person_id: UUID) -> list[Row]:
    return [
        {"at": entry.at, "method": entry.method, "what": entry.what, "about": ", ".join(entry.about)}
        for entry in await trail.done_by(session, person_id)
    ]


def _order(order: Order) -> Row:
    return {"order": order.number} | _fields(
        order,
        *("placed_at", "state", "total_satang", "payment_method", "buyer_name", "buyer_phone", "buyer_email"),
        *("address_line", "subdistrict_code", "note", "done_at", "cancelled_at", "cancelled_because"),
    )


def _named(group: Group | None, center: Center | None) -> Bilingual | None:
    place = group or center
    return Bilingual(place.name_th, place.name_en) if place else None


def _as_what(entry: TrailEntry) -> str:
    return "group" if entry.group_id else "center" if entry.center_id else "staff"


def _pictures(orders: Sequence[Order], slips: Sequence[Slip]) -> dict[str, str]:
    numbers = {order.id: order.number for order in orders}
    return {_picture(numbers[slip.order_id], slip): slip.file_key for slip in slips if not slip.picture_gone_at}


def _picture(number: str, slip: Slip) -> str:
    return f"slips/{number}-{slip.id}.jpg"


def _fields(row: Any, *names: str) -> Row:
    return {name: getattr(row, name) for name in names}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Bilingual):
        return {"th": value.th, "en": value.en}
    return str(value)
