"""What is told to whom, when, and in whose language: to the buyer who left an e-mail, to the group's people, to staff; and to programs that listen.

Every notice is kept in the transaction of the fact it tells (`app.mail`, `app.webhooks`); the worker sends it
afterwards.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock, mail
from app.access import Membership, Role, whole_market
from app.language import N_, Bilingual, Language, translate
from app.money import baht
from app.pages import in_language
from app.people import Person
from app.settings import settings
from app.webhooks.hooks import Event
from orders.announcements import announce
from orders.order import Order, OrderPart
from orders.states import PaymentMethod
from producers.groups import Group

_is_quiet: ContextVar[bool] = ContextVar("notices_are_quiet", default=False)

HELLO: Final = N_("Hello %(name)s,")
SEE_ORDER: Final = N_("Your order, and everything about it: %(link)s")
SEE_DESK: Final = N_("Open it on your desk: %(link)s")


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who is told."""

    email: str
    lang: Language
    name: str


@contextmanager
def quiet() -> Iterator[None]:
    """Tell nobody: for a demo's past, which did not happen to anybody."""
    token = _is_quiet.set(True)
    try:
        yield
    finally:
        _is_quiet.reset(token)


async def placed(session: AsyncSession, order: Order, parts: Sequence[OrderPart]) -> None:
    """The buyer has ordered; groups that are paid in cash may begin to pack."""
    await announce(session, Event.order_placed, order, parts)
    if order.payment_method == PaymentMethod.cash:
        await _tell_buyer(session, order, N_("Order %(number)s is placed"), N_("Please fetch it and pay by %(until)s."))
        await _tell_groups(
            session, order, parts, N_("New order %(number)s"), N_("It is paid in cash at pick-up: %(total)s.")
        )
    else:
        words = N_("Please pay %(due)s by PromptPay until %(until)s; so long we keep the goods for you.")
        if order.is_card:
            words = N_("Please pay %(due)s on your order's page until %(until)s; so long we keep the goods for you.")
        await _tell_buyer(session, order, N_("Order %(number)s is placed"), words)


async def paid(session: AsyncSession, order: Order, parts: Sequence[OrderPart]) -> None:
    await announce(session, Event.order_paid, order, parts)
    await _tell_buyer(
        session, order, N_("Order %(number)s is paid"), N_("Thank you! The groups are packing your order now.")
    )
    await _tell_groups(session, order, parts, N_("New order %(number)s"), N_("It is paid: %(total)s. Please pack it."))


async def part_paid(session: AsyncSession, order: Order) -> None:
    await _tell_buyer(
        session,
        order,
        N_("Order %(number)s: a part is still missing"),
        N_("We have received %(received)s. Please pay the other %(due)s until %(until)s."),
    )


async def slip_refused(session: AsyncSession, order: Order, reason: str) -> None:
    await _tell_buyer(
        session,
        order,
        N_("Order %(number)s: please look at your slip again"),
        N_("We could not confirm your transfer: %(reason)s"),
        reason=reason,
    )


async def packed(session: AsyncSession, order: Order, part: OrderPart) -> None:
    message = N_("%(group)s has packed your goods; you can pick them up.")
    if not part.delivery_kind.is_pickup:
        message = N_("%(group)s has packed your goods; they leave soon.")
    await _tell_buyer(session, order, N_("Order %(number)s is packed"), message, group=part.group_name)


async def handed_over(session: AsyncSession, order: Order, part: OrderPart) -> None:
    await announce(session, Event.order_handed_over, order, [part])
    message = N_("%(group)s has handed over your goods. We hope they please you.")
    if part.tracking:
        message = N_("%(group)s has sent your parcel: %(carrier)s %(tracking)s")
    await _tell_buyer(
        session,
        order,
        N_("Order %(number)s is on its way to you"),
        message,
        group=part.group_name,
        carrier=part.carrier,
        tracking=part.tracking,
    )


async def cancelled(session: AsyncSession, order: Order, parts: Sequence[OrderPart], reason: str | None) -> None:
    """Groups hear of it only when they had been told to pack."""
    message = N_("%(groups)s: cancelled. %(reason)s")
    groups = Bilingual(
        ", ".join(part.group_name_th for part in parts),
        ", ".join(part.group_name_en or part.group_name_th for part in parts),
    )
    await _tell_buyer(session, order, N_("Order %(number)s is cancelled"), message, groups=groups, reason=reason or "")
    told = [part for part in parts if part.ready_at]
    await _tell_groups(
        session, order, told, N_("Order %(number)s is cancelled"), N_("Please put the goods back on the shelf.")
    )


async def expired(session: AsyncSession, order: Order, told: Sequence[OrderPart]) -> None:
    """`told` are the parts whose groups had been told to pack, because they would be paid in cash."""
    await _tell_buyer(
        session,
        order,
        N_("Order %(number)s has run out"),
        N_("We kept the goods until %(until)s. If you have paid, please send the slip; otherwise just order again."),
    )
    await _tell_groups(
        session, order, told, N_("Nobody fetched order %(number)s"), N_("Please put the goods back on the shelf.")
    )


async def given_back(
    session: AsyncSession, order: Order, part: OrderPart, satang: int, reason: str, *, is_owed: bool
) -> None:
    """Something was taken off a part: its group hears of it, and the buyer unless `refund_due` tells them."""
    params = {"amount": baht(satang), "reason": reason}
    subject = N_("Order %(number)s: %(amount)s taken off")
    if not is_owed:
        await _tell_buyer(session, order, subject, N_("%(group)s: %(reason)s"), group=part.group_name, **params)
    message = N_("Please look at it before you pack: %(reason)s")
    if part.handed_over_at or part.cancelled_at:
        message = N_("Given back to the buyer: %(reason)s")
    await _tell_groups(session, order, [part], subject, message, **params)


async def refund_due(
    session: AsyncSession, order: Order, satang: int, explanation: str | None = None, *, by_hand: bool = True
) -> None:
    """Money goes back: the buyer hears that it will; staff hear that they have to, unless a provider does it."""
    params = {"amount": baht(satang)}
    where = N_("Please open your order and say where we may pay it back to.")
    if not by_hand:
        where = N_("It goes back the way you paid; your bank may take a few days.")
    why = [] if explanation is None else [explanation.replace("%", "%%")]
    await _tell_buyer(session, order, N_("Order %(number)s: you get %(amount)s back"), *why, where, **params)
    if by_hand:
        await _tell_staff(session, order, N_("To pay back: %(amount)s, order %(number)s"), **params)


async def refund_failed(session: AsyncSession, order: Order, satang: int) -> None:
    """The provider could not pay back: the buyer is asked where to, staff that they do it."""
    params = {"amount": baht(satang)}
    where = N_("Please open your order and say where we may pay it back to.")
    await _tell_buyer(session, order, N_("Order %(number)s: %(amount)s could not be sent back yet"), where, **params)
    await _tell_staff(session, order, N_("To pay back: %(amount)s, order %(number)s"), **params)


async def refunded(session: AsyncSession, order: Order, satang: int) -> None:
    await _tell_buyer(
        session,
        order,
        N_("Order %(number)s: we have paid back %(amount)s"),
        N_("It should be in your account already."),
        amount=baht(satang),
    )


async def _tell_staff(session: AsyncSession, order: Order, subject: str, **params: Any) -> None:
    for reader in await _staff(session):
        link = _address(reader.lang, "/staff/refunds")
        await _tell(session, order, reader, subject, SEE_DESK, link=link, **params)


async def _tell_buyer(session: AsyncSession, order: Order, subject: str, *messages: str, **params: Any) -> None:
    if not order.buyer_email:
        return
    reader = Reader(order.buyer_email, order.language, order.buyer_name)
    link = _address(order.language, order.path)
    await _tell(session, order, reader, subject, *messages, SEE_ORDER, link=link, **params)


async def _tell_groups(
    session: AsyncSession, order: Order, parts: Sequence[OrderPart], subject: str, message: str, **params: Any
) -> None:
    if not parts or _is_quiet.get():
        return
    by_group = {part.group_id: part for part in parts}
    for group_id, slug, reader in await _members(session, by_group):
        part = by_group[group_id]
        link = _address(reader.lang, f"/desk/groups/{slug}/orders/{order.number}")
        await _tell(
            session, order, reader, subject, message, SEE_DESK, link=link, total=baht(part.kept_satang), **params
        )


async def _tell(
    session: AsyncSession, order: Order, reader: Reader, subject: str, *messages: str, **params: Any
) -> None:
    if _is_quiet.get():
        return
    known: dict[str, Any] = {
        "name": reader.name,
        "number": order.spoken_number,
        "total": baht(order.kept_satang),
        "received": baht(order.received_satang),
        "due": baht(order.due_satang),
        "until": clock.thai_datetime(order.hold_until_at, reader.lang),
    } | params
    lines = [translate(reader.lang, message, **known) for message in (HELLO, *messages)]
    await mail.keep(
        session,
        to=reader.email,
        lang=reader.lang,
        subject=translate(reader.lang, subject, **known),
        body="\n\n".join(lines) + "\n",
        about=order.number,
    )


async def _members(session: AsyncSession, group_ids: Collection[UUID]) -> list[tuple[UUID, str, Reader]]:
    rows = await session.execute(
        select(Membership.group_id, Group.slug, Person.email, Person.lang, Person.name)
        .join(Person, Person.id == Membership.person_id)
        .join(Group, Group.id == Membership.group_id)
        .where(Membership.group_id.in_(group_ids), Membership.ended_at.is_(None), Person.email.is_not(None))
        .order_by(Membership.group_id, Person.email)
    )
    return [
        (group_id, slug, Reader(email, _language(lang), name))
        for group_id, slug, email, lang, name in rows
        if group_id and email
    ]


async def _staff(session: AsyncSession) -> list[Reader]:
    if _is_quiet.get():
        return []
    rows = await session.execute(
        select(Person.email, Person.lang, Person.name)
        .join(Membership, Membership.person_id == Person.id)
        .where(
            whole_market("staff are told, whoever asked"),
            Membership.role == Role.staff,
            Membership.ended_at.is_(None),
            Person.email.is_not(None),
        )
    )
    return [Reader(email, _language(lang), name) for email, lang, name in rows if email]


def _language(lang: str) -> Language:
    return "en" if lang == "en" else "th"


def _address(lang: Language, path: str) -> str:
    return settings().address + in_language(path, lang)
