"""Deliveries: what is to be told to a hook, written in the transaction of the fact it tells, and how telling it went.

A delivery has one id and one body, however often it is sent: a receiver that keeps the ids it has seen does nothing
twice.  Every attempt is a row.  A delivery is sent at least once; in which order deliveries arrive is not promised.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ForeignKey, Index, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app import clock, jobs
from app.database import Base, Id, Utc, new_id, session_scope
from app.errors import NotFound
from app.webhooks.hooks import Event, Hook

KEPT: Final = timedelta(days=30)
MOST_SHOWN: Final = 100
PING: Final = "ping"
"""What a test sends; nobody subscribes to it."""
SEND: Final = "webhooks.send"


class Delivery(Base):
    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        Index("ix_webhook_deliveries_hook_id", "hook_id", "made_at"),
        Index("ix_webhook_deliveries_made_at", "made_at"),
    )

    id: Mapped[Id]
    hook_id: Mapped[UUID] = mapped_column(ForeignKey("webhooks.id"))
    event: Mapped[str]
    about: Mapped[str]
    """What it tells of in people's words: an order number, a listing's address."""
    body_text: Mapped[str]
    """JSON, byte for byte what is signed and sent."""
    made_at: Mapped[Utc]
    attempts: Mapped[int] = mapped_column(default=0)
    """Attempts by the timetable; those that somebody asked for do not count."""
    next_at: Mapped[datetime | None]
    """When it is tried (again); None when it arrived or was given up."""
    delivered_at: Mapped[datetime | None]

    @property
    def is_waiting(self) -> bool:
        return self.next_at is not None


class SendAttempt(Base):
    """One attempt to send a delivery."""

    __tablename__ = "webhook_attempts"
    __table_args__ = (Index("ix_webhook_attempts_delivery_id", "delivery_id", "at"),)

    id: Mapped[Id]
    delivery_id: Mapped[UUID] = mapped_column(ForeignKey("webhook_deliveries.id", ondelete="CASCADE"))
    at: Mapped[Utc]
    milliseconds: Mapped[int]
    status: Mapped[int | None]
    """The HTTP status; None when no answer came."""
    trouble: Mapped[str | None]
    """Why no answer came (`sending.Trouble`)."""
    answer: Mapped[str]
    """The first characters of the answer, or of what the network said."""

    @property
    def is_fine(self) -> bool:
        return self.status is not None and self.status // 100 == 2  # noqa: PLR2004 - HTTP's own class of success


@dataclass(frozen=True, slots=True)
class Told:
    """A delivery with its attempts, the first one first."""

    delivery: Delivery
    attempts: Sequence[SendAttempt]


async def log_of(session: AsyncSession, hook: Hook, before: datetime | None = None) -> Sequence[Delivery]:
    """Return a hook's deliveries, the newest first, up to `MOST_SHOWN`."""
    question = select(Delivery).where(Delivery.hook_id == hook.id)
    if before:
        question = question.where(Delivery.made_at < before)
    return (await session.scalars(question.order_by(Delivery.made_at.desc(), Delivery.id).limit(MOST_SHOWN))).all()


async def waiting_counts(session: AsyncSession, hook_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Count by hook what is still to be sent."""
    rows = await session.execute(
        select(Delivery.hook_id, func.count())
        .where(Delivery.hook_id.in_(hook_ids), Delivery.next_at.is_not(None))
        .group_by(Delivery.hook_id)
    )
    return dict(rows.all())


async def told(session: AsyncSession, hook: Hook, delivery_id: UUID) -> Told:
    """Return one of the hook's own deliveries; refuses with `NotFound`."""
    delivery = await session.scalar(select(Delivery).where(Delivery.hook_id == hook.id, Delivery.id == delivery_id))
    if delivery is None:
        raise NotFound
    attempts = await session.scalars(
        select(SendAttempt)
        .where(SendAttempt.delivery_id == delivery.id)
        .order_by(SendAttempt.at, SendAttempt.id)
        .limit(MOST_SHOWN)
    )
    return Told(delivery, attempts.all())


async def tell(session: AsyncSession, hook: Hook, event: Event | str, *, about: str, data: dict[str, Any]) -> Delivery:
    """Write down what a hook is to be told; it is sent once the caller's transaction has committed.

    `data` must be what the hook's place may see: nobody looks at it again.
    """
    now, delivery_id = clock.now(), new_id()
    envelope = {"id": str(delivery_id), "event": str(event), "at": now.isoformat(), "data": data}
    delivery = Delivery(
        id=delivery_id,
        hook_id=hook.id,
        event=str(event),
        about=about,
        body_text=json.dumps(envelope, ensure_ascii=False, separators=(",", ":")),
        made_at=now,
        attempts=0,
        next_at=now,
    )
    session.add(delivery)
    await session.flush()
    if hook.paused_at is None:
        await schedule(session, delivery)
    return delivery


async def test(session: AsyncSession, hook: Hook) -> Delivery:
    """Send something that means nothing, to see whether it arrives."""
    return await tell(session, hook, PING, about=PING, data={"hook": str(hook.id)})


async def replay(session: AsyncSession, delivery: Delivery) -> None:
    """Send a delivery once more, now, under the same id, whether or not it arrived before."""
    await jobs.enqueue(session, SEND, {"delivery_id": str(delivery.id), "is_replay": True})


async def resume(session: AsyncSession, hook: Hook) -> None:
    """Send again, beginning with what happened since the hook was paused."""
    hook.paused_at = hook.paused_because = hook.failing_since_at = hook.rests_until_at = None
    hook.failures = 0
    await session.flush()
    question = select(Delivery).where(Delivery.hook_id == hook.id, Delivery.next_at.is_not(None))
    for delivery in await session.scalars(question.order_by(Delivery.made_at, Delivery.id)):
        delivery.next_at = clock.now()
        await schedule(session, delivery)


async def schedule(session: AsyncSession, delivery: Delivery) -> None:
    """Have a delivery tried at its `next_at`; the job counts only while nobody else tried meanwhile."""
    payload = {"delivery_id": str(delivery.id), "attempt": delivery.attempts}
    await jobs.enqueue(session, SEND, payload, run_after=delivery.next_at)


async def give_up(session: AsyncSession, hook: Hook) -> None:
    """Try nothing any more for a hook that is deleted."""
    waiting = update(Delivery).where(Delivery.hook_id == hook.id, Delivery.next_at.is_not(None))
    await session.execute(waiting.values(next_at=None))


@jobs.every(timedelta(hours=6), "webhooks.forget")
async def forget(_payload: dict[str, Any]) -> None:
    """Forget what is old, with its attempts."""
    async with session_scope() as session:
        await session.execute(delete(Delivery).where(Delivery.made_at < clock.now() - KEPT))
