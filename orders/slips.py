"""Transfer slips: pictures by which buyers say "I have paid", judged by a person who looks at the account.

The small code on a slip names the transfer (bank and reference), so the same transfer never pays twice; nor does the
same picture.  A slip without a readable code is taken all the same: the person who judges it looks more closely.  A
slip that was refused may be sent again, for people make mistakes on both sides of the desk.
"""

import asyncio
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from PIL import Image
from sqlalchemy import CheckConstraint, ForeignKey, Index, and_, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app import clock, files, pictures
from app.access import Scope
from app.database import Base, Id, Utc, new_id, session_scope
from app.errors import NotFound, Refusal
from app.language import N_, Bilingual
from app.people import Person
from app.settings import settings
from orders import notices, payments, slip_qr
from orders.order import Order, by_link, locked, note, received_by
from orders.slip_qr import SlipReference
from orders.states import BUYER, UNPAID, Actor, OrderState

JUDGED_WITHIN: Final = timedelta(days=3)
"""A slip that came in time keeps the goods until a person has looked at it, for at most that long."""


class SlipUsedBefore(Refusal):
    message = N_("This slip has already been used for an order. Please send the slip of this order's transfer.")


class NoSlipNeeded(Refusal):
    message = N_("This order is paid already. Thank you!")


class PaidThroughStripe(Refusal):
    message = N_("This order is paid on Stripe's page, so it needs no slip.")


class CashOrder(Refusal):
    message = N_("This order is paid in cash at pick-up; it needs no slip.")


class AlreadyJudged(Refusal):
    message = N_("Somebody else has already looked at this slip.")


class SlipState(StrEnum):
    waiting = "waiting"
    accepted = "accepted"
    refused = "refused"


class Slip(Base):
    __tablename__ = "slips"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'accepted', 'refused')", name="state_is_known"),
        CheckConstraint("trans_ref IS NULL OR bank_code IS NOT NULL", name="reference_has_its_bank"),
        Index("uq_slips_transfer", "bank_code", "trans_ref", unique=True, postgresql_where="state <> 'refused'"),
        Index("uq_slips_transfer_hash", "transfer_hash", unique=True, postgresql_where="state <> 'refused'"),
        Index("uq_slips_picture", "sha256", unique=True, postgresql_where="state <> 'refused'"),
        Index("ix_slips_with_picture", "sent_at", postgresql_where="picture_gone_at IS NULL"),
        Index("ix_slips_waiting", "sent_at", postgresql_where="state = 'waiting'"),
    )

    id: Mapped[Id]
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"), index=True)
    file_key: Mapped[str]
    content_type: Mapped[str]
    sha256: Mapped[str]
    """Of the picture as it was sent."""
    bank_code: Mapped[str | None]
    trans_ref: Mapped[str | None]
    transfer_hash: Mapped[str | None]
    """Of bank and reference, kept for ever: the same transfer never pays twice, also when its reference is forgotten."""
    state: Mapped[str]
    sent_at: Mapped[Utc]
    was_late: Mapped[bool]
    """It came after the hold had run out."""
    judged_at: Mapped[datetime | None]
    judged_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    reason: Mapped[str | None]
    """Why it was refused, for the buyer."""
    picture_gone_at: Mapped[datetime | None]

    @property
    def reference(self) -> SlipReference | None:
        return SlipReference(self.bank_code, self.trans_ref) if self.bank_code and self.trans_ref else None

    @property
    def bank(self) -> Bilingual | None:
        if self.bank_code is None:
            return None
        return slip_qr.BANKS.get(self.bank_code) or Bilingual(self.bank_code)


@dataclass(frozen=True, slots=True)
class SlipPicture:
    """A picture that was checked and read, ready to be kept and sent."""

    data: bytes
    """Upright, without the phone's own notes."""
    content_type: str
    sha256: str
    reference: SlipReference | None

    @property
    def file_key(self) -> str:
        return f"slips/{self.sha256[:2]}/{self.sha256}.jpg"


@dataclass(frozen=True, slots=True)
class WaitingSlip:
    """A slip to be judged, beside the order it should pay."""

    slip: Slip
    order: Order


async def waiting(session: AsyncSession, scope: Scope, limit: int = 50) -> list[WaitingSlip]:
    """Return the slips that this person may judge, the longest waiting first."""
    rows = await session.execute(
        select(Slip, Order)
        .join(Order, Order.id == Slip.order_id)
        .where(Slip.state == SlipState.waiting, received_by(scope))
        .order_by(Slip.sent_at, Slip.id)
        .limit(limit)
    )
    return [WaitingSlip(slip, order) for slip, order in rows]


async def waiting_count(session: AsyncSession, scope: Scope) -> int:
    question = select(func.count()).select_from(Slip).join(Order, Order.id == Slip.order_id)
    return await session.scalar(question.where(Slip.state == SlipState.waiting, received_by(scope))) or 0


async def waiting_count_of(session: AsyncSession, scope: Scope, receiver_id: UUID) -> int:
    """Count the slips of money that went to the account of one group or centre, for those who may judge them."""
    question = select(func.count()).select_from(Slip).join(Order, Order.id == Slip.order_id)
    of_receiver = (Order.receiver_id == receiver_id, Slip.state == SlipState.waiting, received_by(scope))
    return await session.scalar(question.where(*of_receiver)) or 0


async def of_order(session: AsyncSession, order_id: UUID) -> Sequence[Slip]:
    found = await session.scalars(select(Slip).where(Slip.order_id == order_id).order_by(Slip.sent_at, Slip.id))
    return found.all()


async def slip_for(session: AsyncSession, scope: Scope, slip_id: UUID) -> WaitingSlip:
    """Return a slip that this person may judge (or has judged); refuses with `NotFound`."""
    row = (
        await session.execute(
            select(Slip, Order)
            .join(Order, Order.id == Slip.order_id)
            .where(Slip.id == slip_id, received_by(scope))
            .execution_options(populate_existing=True)
        )
    ).one_or_none()
    if row is None:
        raise NotFound
    return WaitingSlip(*row)


async def judge_of(session: AsyncSession, slip: Slip) -> Person | None:
    return await session.get(Person, slip.judged_by) if slip.judged_by else None


async def send_slip(session: AsyncSession, order: Order, picture: SlipPicture) -> Slip:
    """The buyer says it is paid.  In time, the goods are kept until somebody has looked; late, if they are still there.

    The same picture sent twice for one order is one slip.  Refuses with `NoSlipNeeded`, `CashOrder`,
    `SlipUsedBefore`.
    """
    order = await locked(session, order.id)
    refuse_unless_needed(order)
    was_late = order.is_run_out(clock.now())
    slip = await _kept(session, order, picture, was_late=was_late)
    if slip is None:
        return await _sent_before(session, order, picture)
    if order.state in UNPAID:
        await payments.prolong_hold(session, order, JUDGED_WITHIN)
        order.state = OrderState.slip_sent
    note(session, order, "slip_sent", BUYER, late=was_late)
    await session.flush()
    return slip


async def accept_slip(session: AsyncSession, scope: Scope, slip_id: UUID, satang: int, by: Actor) -> WaitingSlip:
    """A person saw `satang` arrive in the account: the money reaches the order (`payments.settle`).

    Two people who confirm the same slip confirm it once.  Refuses with `NotFound`, `AlreadyJudged` (it was refused).
    """
    found = await slip_for(session, scope, slip_id)
    order = await locked(session, found.order.id)
    slip = (await slip_for(session, scope, slip_id)).slip
    if slip.state == SlipState.refused:
        raise AlreadyJudged
    if slip.state == SlipState.waiting:
        _judge(slip, SlipState.accepted, by)
        await session.flush()
        await payments.settle(session, order, satang, by, key=f"slip {slip.id}")
    return WaitingSlip(slip, order)


async def refuse_slip(session: AsyncSession, scope: Scope, slip_id: UUID, reason: str, by: Actor) -> WaitingSlip:
    """The money did not arrive, or the picture is no slip: the buyer is told why and may send another.

    Refuses with `NotFound`, `AlreadyJudged` (it was accepted).
    """
    found = await slip_for(session, scope, slip_id)
    order = await locked(session, found.order.id)
    slip = (await slip_for(session, scope, slip_id)).slip
    if slip.state == SlipState.accepted:
        raise AlreadyJudged
    if slip.state == SlipState.refused:
        return WaitingSlip(slip, order)
    _judge(slip, SlipState.refused, by)
    slip.reason = reason
    await session.flush()
    if order.state == OrderState.slip_sent and not await _others_wait(session, order):
        order.state = OrderState.placed
        await payments.prolong_hold(session, order, timedelta(minutes=settings().hold_minutes))
    note(session, order, "slip_refused", by, reason=reason)
    await session.flush()
    await notices.slip_refused(session, order, reason)
    return WaitingSlip(slip, order)


def refuse_unless_needed(order: Order) -> None:
    """Refuse a slip that no order waits for, with `CashOrder`, `PaidThroughStripe` or `NoSlipNeeded`."""
    if order.is_cash:
        raise CashOrder
    if order.is_card:
        raise PaidThroughStripe
    if order.state in {OrderState.paid, OrderState.done}:
        raise NoSlipNeeded


def transfer_hash(reference: SlipReference) -> str:
    """Return the fingerprint by which a transfer is known again without being named (migration 0010 writes the same)."""
    return hashlib.sha256(f"{reference.bank_code} {reference.trans_ref}".encode()).hexdigest()


async def receive(token: str, data: bytes) -> SlipPicture:
    """Look at a picture that was sent for the order of a secret link, and keep its file; no transaction waits for that.

    Refuses with `NotFound`, `CashOrder`, `NoSlipNeeded` and as `read_picture`.
    """
    async with session_scope() as session:
        refuse_unless_needed(await by_link(session, token))
    picture = await read_picture(data)
    await files.put(picture.file_key, picture.data, picture.content_type)
    return picture


async def read_picture(data: bytes) -> SlipPicture:
    """Check a picture that a stranger sent and look for a slip's code; refuses with a `PictureRefused` in words."""
    image = await pictures.read_apart(data)
    return await asyncio.to_thread(_read, data, image)


MOST_SIDE: Final = 1800
"""Pixels that are kept of a slip: enough to read the smallest print."""


def _read(data: bytes, image: Image.Image) -> SlipPicture:
    reference = slip_qr.read_picture(image)
    image.thumbnail((MOST_SIDE, MOST_SIDE))
    kept = io.BytesIO()
    image.save(kept, "JPEG", quality=85)
    return SlipPicture(kept.getvalue(), "image/jpeg", hashlib.sha256(data).hexdigest(), reference)


async def _kept(session: AsyncSession, order: Order, picture: SlipPicture, *, was_late: bool) -> Slip | None:
    """Keep the slip; None when its picture or its transfer is in use already (at the same moment, too)."""
    reference = picture.reference
    row = {
        "id": new_id(),
        "order_id": order.id,
        "file_key": picture.file_key,
        "content_type": picture.content_type,
        "sha256": picture.sha256,
        "bank_code": reference.bank_code if reference else None,
        "trans_ref": reference.trans_ref if reference else None,
        "transfer_hash": transfer_hash(reference) if reference else None,
        "state": SlipState.waiting,
        "sent_at": clock.now(),
        "was_late": was_late,
    }
    kept: Slip | None = await session.scalar(insert(Slip).values(row).on_conflict_do_nothing().returning(Slip))
    return kept


async def _sent_before(session: AsyncSession, order: Order, picture: SlipPicture) -> Slip:
    same = [Slip.sha256 == picture.sha256]
    if picture.reference:
        same.append(and_(Slip.bank_code == picture.reference.bank_code, Slip.trans_ref == picture.reference.trans_ref))
    known = await session.scalar(
        select(Slip).where(or_(*same), Slip.order_id == order.id, Slip.state == SlipState.waiting)
    )
    if known is None:
        raise SlipUsedBefore(field="slip")
    return known


async def _others_wait(session: AsyncSession, order: Order) -> bool:
    other = select(Slip.id).where(Slip.order_id == order.id, Slip.state == SlipState.waiting)
    return await session.scalar(other.limit(1)) is not None


def _judge(slip: Slip, state: SlipState, by: Actor) -> None:
    slip.state, slip.judged_at, slip.judged_by = state, clock.now(), by.person_id
