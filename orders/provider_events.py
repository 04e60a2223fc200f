"""What a payment provider tells us: signed events, kept before anything is done about them.

An event is kept in a transaction of its own, once per provider and id, and then worked in a second one.  So it does
no harm that it comes five times, at once, or out of order, and nothing it said is lost when working it fails: the
provider hears of the failure and sends it again, and staff see it on their desk with a button to try again.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app import clock, jobs
from app.database import Base, Id, Utc, new_id, session_scope
from orders import card_payments, refunds, stripe_gateway
from orders.stripe_gateway import StripeEvent

STRIPE: Final = "stripe"
KEPT: Final = timedelta(days=90)
"""How long a worked event stays: it holds the buyer's name as they wrote it on the provider's page."""
LEFT_AFTER: Final = timedelta(minutes=3)
"""An event that was not worked by then is not merely being worked: our process died over it, or something failed."""
MOST_ATTEMPTS: Final = 10
"""What still fails then waits for a person."""

log = logging.getLogger("market.stripe")


class ProviderEvent(Base):
    __tablename__ = "provider_events"
    __table_args__ = (
        UniqueConstraint("provider", "event_id"),
        Index("ix_provider_events_unworked", "received_at", postgresql_where="worked_at IS NULL"),
        Index("ix_provider_events_received_at", "received_at"),
    )

    id: Mapped[Id]
    provider: Mapped[str]
    event_id: Mapped[str]
    """The provider's own."""
    kind: Mapped[str]
    payload: Mapped[dict[str, Any]]
    received_at: Mapped[Utc]
    worked_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None]

    @property
    def about(self) -> dict[str, Any]:
        """The thing that the event is about, as it was then."""
        found: dict[str, Any] = self.payload["data"]["object"]
        return found

    @property
    def order_number(self) -> str | None:
        return (self.about.get("metadata") or {}).get("number")


async def unworked(session: AsyncSession, limit: int = 100) -> Sequence[ProviderEvent]:
    """Return the events that were kept and not worked, the longest waiting first."""
    found = await session.scalars(
        select(ProviderEvent)
        .where(ProviderEvent.worked_at.is_(None))
        .order_by(ProviderEvent.received_at, ProviderEvent.id)
        .limit(limit)
    )
    return found.all()


async def unworked_count(session: AsyncSession) -> int:
    return await session.scalar(select(func.count()).where(ProviderEvent.worked_at.is_(None))) or 0


async def lately(session: AsyncSession, limit: int = 50) -> Sequence[ProviderEvent]:
    """Return the events that were worked, the last one first."""
    found = await session.scalars(
        select(ProviderEvent)
        .where(ProviderEvent.worked_at.is_not(None))
        .order_by(ProviderEvent.received_at.desc(), ProviderEvent.id.desc())
        .limit(limit)
    )
    return found.all()


async def keep(session: AsyncSession, event: StripeEvent) -> UUID:
    """Write an event down, if it is not there yet, and return its row's id."""
    row = {
        "id": new_id(),
        "provider": STRIPE,
        "event_id": event.id,
        "kind": event.kind,
        "payload": event.payload,
        "received_at": clock.now(),
        "attempts": 0,
    }
    kept = insert(ProviderEvent).values(row).on_conflict_do_nothing().returning(ProviderEvent.id)
    if (made := await session.scalar(kept)) is not None:
        return made
    same = select(ProviderEvent.id).where(ProviderEvent.provider == STRIPE, ProviderEvent.event_id == event.id)
    known: UUID = (await session.scalars(same)).one()
    return known


async def work(row_id: UUID) -> bool:
    """Do what an event asks for, in a transaction of its own; worked is worked.

    False when something stood in the way; what it was is written down beside the event.
    """
    try:
        async with session_scope() as session:
            event = await session.get_one(ProviderEvent, row_id, with_for_update=True)
            if event.worked_at is None:
                await _do(session, event)
                event.worked_at, event.last_error = clock.now(), None
                event.attempts += 1
    except Exception as error:
        log.exception("Event %s could not be worked", row_id)
        await _note_failure(row_id, error)
        return False
    return True


@jobs.every(timedelta(minutes=5), "provider_events.work_left")
async def work_left(_payload: dict[str, Any]) -> None:
    """Work what was kept and not worked: the provider may have stopped sending it by the time we came back."""
    async with session_scope() as session:
        left = await session.scalars(
            select(ProviderEvent.id)
            .where(
                ProviderEvent.worked_at.is_(None),
                ProviderEvent.received_at < clock.now() - LEFT_AFTER,
                ProviderEvent.attempts < MOST_ATTEMPTS,
            )
            .order_by(ProviderEvent.received_at)
        )
        waiting = left.all()
    for row_id in waiting:
        await work(row_id)


@jobs.every(timedelta(hours=12), "provider_events.forget")
async def forget_worked(_payload: dict[str, Any]) -> None:
    async with session_scope() as session:
        await session.execute(
            delete(ProviderEvent).where(
                ProviderEvent.worked_at.is_not(None), ProviderEvent.received_at < clock.now() - KEPT
            )
        )


async def _do(session: AsyncSession, event: ProviderEvent) -> None:
    """Kinds we do not know are worked by doing nothing: the account may serve other programs as well."""
    if event.kind.startswith("checkout.session."):
        checkout = stripe_gateway.checkout_of(event.about)
        has_failed = event.kind == "checkout.session.async_payment_failed"
        await card_payments.provider_said(session, checkout, has_failed=has_failed)
    elif event.about.get("object") == "refund":
        said = stripe_gateway.refund_of(event.about)
        task_id = card_payments.refund_task_of(said)
        await refunds.provider_said(session, said.id, said.state, task_id, said.reason)


async def _note_failure(row_id: UUID, error: Exception) -> None:
    told = f"{type(error).__name__}: {error}"[:2000]
    async with session_scope() as session:
        await session.execute(
            update(ProviderEvent)
            .where(ProviderEvent.id == row_id, ProviderEvent.worked_at.is_(None))
            .values(attempts=ProviderEvent.attempts + 1, last_error=told)
        )
