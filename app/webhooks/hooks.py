"""Hooks: the addresses that a group, a centre or the network's staff want to be told things at.

A hook belongs to its place, not to whoever made it: people come and go.  Its secret is kept as it is, because every
message is signed with it; people see it once.  When a new one is made, the old one signs too for a day, so that a
receiver can change over without losing a message.
"""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.access import whole_market
from app.database import Base, Id, Utc
from app.errors import NotFound, Refusal
from app.language import N_
from app.people import Person
from app.webhooks import addresses

MOST_HOOKS: Final = 10
OLD_SECRET_LASTS: Final = timedelta(days=1)


class Event(StrEnum):
    """What can be told."""

    order_placed = "order.placed"
    order_paid = "order.paid"
    order_handed_over = "order.handed_over"
    listing_changed = "listing.changed"


EVENT_WORDS: Final = {
    Event.order_placed: N_("An order was placed"),
    Event.order_paid: N_("An order was paid"),
    Event.order_handed_over: N_("Goods were handed over"),
    Event.listing_changed: N_("A listing was changed"),
}


class Pause(StrEnum):
    """Why nothing is sent."""

    asked = "asked"
    failing = "failing"
    """It failed for days."""


class TooManyHooks(Refusal):
    message = N_("There are %(most)s webhooks already. Please delete one you no longer need.")


class Hook(Base):
    __tablename__ = "webhooks"
    __table_args__ = (
        CheckConstraint("group_id IS NULL OR center_id IS NULL", name="one_place"),
        CheckConstraint("(paused_at IS NULL) = (paused_because IS NULL)", name="pause_has_a_reason"),
        CheckConstraint("paused_because IN ('asked', 'failing')", name="paused_because_is_known"),
        CheckConstraint("failures >= 0", name="failures_count"),
        Index("ix_webhooks_group_id", "group_id", postgresql_where="deleted_at IS NULL"),
        Index("ix_webhooks_center_id", "center_id", postgresql_where="deleted_at IS NULL"),
    )

    id: Mapped[Id]
    group_id: Mapped[UUID | None] = mapped_column(ForeignKey("groups.id"))
    center_id: Mapped[UUID | None] = mapped_column(ForeignKey("centers.id"))
    """Neither a group nor a centre: the whole network's, for its staff."""
    url: Mapped[str]
    events: Mapped[list[Any]]
    secret: Mapped[str]
    secret_before: Mapped[str | None]
    secret_before_until_at: Mapped[datetime | None]
    made_at: Mapped[Utc]
    made_by: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    failures: Mapped[int] = mapped_column(default=0)
    """Attempts that failed since the last one that did not."""
    failing_since_at: Mapped[datetime | None]
    rests_until_at: Mapped[datetime | None]
    """After a failure nothing is tried until then, so that a dead receiver takes no time from the living."""
    paused_at: Mapped[datetime | None]
    paused_because: Mapped[str | None]
    deleted_at: Mapped[datetime | None]
    deleted_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))

    def hears_of(self, group_id: UUID, center_id: UUID) -> bool:
        """Whether what a group of that centre does is this hook's business."""
        return (self.group_id or group_id, self.center_id or center_id) == (group_id, center_id)

    def secrets_at(self, now: datetime) -> list[str]:
        """What to sign with: the newest first, then the one before it as long as that counts."""
        is_two = self.secret_before and self.secret_before_until_at and now < self.secret_before_until_at
        return [self.secret, str(self.secret_before)] if is_two else [self.secret]


@dataclass(frozen=True, slots=True)
class Place:
    """Whose programs: a group's, a centre's, or (neither) the network's."""

    group_id: UUID | None = None
    center_id: UUID | None = None


async def hooks_of(session: AsyncSession, place: Place) -> Sequence[Hook]:
    """Return a place's hooks, the oldest first."""
    return (await session.scalars(select(Hook).where(_of(place)).order_by(Hook.made_at, Hook.id))).all()


async def hook_of(session: AsyncSession, place: Place, hook_id: UUID) -> Hook:
    """Return one of the place's own hooks, locked; refuses with `NotFound`."""
    hook = await session.scalar(select(Hook).where(_of(place), Hook.id == hook_id).with_for_update())
    if hook is None:
        raise NotFound
    return hook


async def listening(
    session: AsyncSession, event: Event, group_ids: Collection[UUID], center_ids: Collection[UUID]
) -> Sequence[Hook]:
    """Return the hooks that want to hear of this event in any of these groups, which belong to these centres."""
    place = or_(
        Hook.group_id.in_(group_ids),
        Hook.center_id.in_(center_ids),
        and_(whole_market("the network's own hooks hear of all"), Hook.group_id.is_(None), Hook.center_id.is_(None)),
    )
    question = select(Hook).where(place, Hook.deleted_at.is_(None), Hook.events.contains([event.value]))
    return (await session.scalars(question.order_by(Hook.id))).all()


async def add(session: AsyncSession, place: Place, url: str, events: Collection[Event], *, by: Person) -> Hook:
    """Register an address; show `hook.secret` to whoever asked, once.

    Refuses with `TooManyHooks` and the refusals of `addresses.checked`.
    """
    if len(await hooks_of(session, place)) >= MOST_HOOKS:
        raise TooManyHooks(most=MOST_HOOKS)
    hook = Hook(
        group_id=place.group_id,
        center_id=place.center_id,
        url=addresses.checked(url),
        events=sorted(event.value for event in events),
        secret=_new_secret(),
        made_at=clock.now(),
        made_by=by.id,
        failures=0,
    )
    session.add(hook)
    await session.flush()
    return hook


def rotate(hook: Hook) -> str:
    """Make a new secret and return it; the one before signs too for `OLD_SECRET_LASTS`."""
    hook.secret_before, hook.secret_before_until_at = hook.secret, clock.now() + OLD_SECRET_LASTS
    hook.secret = _new_secret()
    return hook.secret


def pause(hook: Hook, because: Pause = Pause.asked) -> None:
    """Send nothing until somebody says so; what happens meanwhile is kept (`deliveries.KEPT`)."""
    if hook.paused_at is None:
        hook.paused_at, hook.paused_because = clock.now(), because


def delete(hook: Hook, *, by: Person) -> None:
    """Forget the address and its secrets; what was sent stays in the log until it is old."""
    hook.deleted_at, hook.deleted_by = clock.now(), by.id
    hook.secret, hook.secret_before, hook.secret_before_until_at = "", None, None


def _of(place: Place) -> ColumnElement[bool]:
    return and_(
        Hook.group_id.is_not_distinct_from(place.group_id),
        Hook.center_id.is_not_distinct_from(place.center_id),
        Hook.deleted_at.is_(None),
    )


def _new_secret() -> str:
    return f"whsec_{secrets.token_urlsafe(32)}"
