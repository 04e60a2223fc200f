"""Producer groups (กลุ่มองค์กรชุมชน): who sells here, from where, and how what they sell reaches a buyer.

A group applies, staff approve it, and from then on its page is public.  Everything a group's people do on their desk
starts from one of the dependencies here (`OwnGroup`, `EditedGroup`, `OwnedGroup`, `WatchedGroup`): they fetch the group
by its slug *and* the visitor's scope, so that another group's desk looks as if it did not exist.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final
from uuid import UUID

from fastapi import Depends
from sqlalchemy import CheckConstraint, ForeignKey, Index, String, delete, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app import access, clock, places
from app.access import CurrentScope, Role, Scope, whole_market
from app.database import Base, Id, Session, Utc
from app.errors import NotFound, Refusal, SignInNeeded
from app.language import N_
from app.money import Satang
from app.people import Person
from app.places import Place, Region
from app.thai_order import sort_key
from producers.centers import Center
from producers.clusters import Cluster

MOST_OPEN_APPLICATIONS = 3
"""Applications of one person that may wait at a time."""


class TooManyApplications(Refusal):
    message = N_("You already have %(most)s applications waiting. We will answer those first.")


class WrongParcelTable(Refusal):
    status = 422
    message = N_("In the parcel table each weight must be higher than the one before, and each must have a fee.")


class ParcelTableMissing(Refusal):
    status = 422
    message = N_("Write at least one line of weight and fee, so that buyers see what a parcel costs.")


class PickupPlaceMissing(Refusal):
    status = 422
    message = N_("Say where and when buyers can fetch their goods.")


class NoWayOfDelivery(Refusal):
    status = 422
    message = N_("Choose parcels or pick-up, else nobody can order. To stop selling for a while, let your goods rest.")


class GroupState(StrEnum):
    applied = "applied"
    approved = "approved"
    closed = "closed"


class Storage(StrEnum):
    """How goods must be kept; each needs a parcel table of its own."""

    ambient = "ambient"
    chilled = "chilled"
    frozen = "frozen"


STATE_WORDS: Final = {
    GroupState.applied: N_("Waiting"),
    GroupState.approved: N_("Selling"),
    GroupState.closed: N_("Off the market"),
}
STORAGE_WORDS: Final = {
    Storage.ambient: N_("Dry goods"),
    Storage.chilled: N_("Chilled goods"),
    Storage.frozen: N_("Frozen goods"),
}


class Group(Base):
    __tablename__ = "groups"
    __table_args__ = (
        CheckConstraint("state IN ('applied', 'approved', 'closed')", name="state_is_known"),
        CheckConstraint("state <> 'approved' OR approved_at IS NOT NULL", name="approval_has_a_date"),
        Index("ix_groups_state_sort_key", "state", "sort_key"),
    )

    id: Mapped[Id]
    slug: Mapped[str] = mapped_column(unique=True)
    name_th: Mapped[str]
    name_en: Mapped[str | None]
    story_th: Mapped[str | None]
    story_en: Mapped[str | None]
    center_id: Mapped[UUID] = mapped_column(ForeignKey("centers.id"), index=True)
    cluster: Mapped[str]
    region: Mapped[str]
    """A `places.REGIONS` id; follows from the province."""
    province_code: Mapped[str]
    subdistrict_code: Mapped[str | None]
    address_line: Mapped[str | None]
    """House number, moo, road: where the group meets."""
    phone: Mapped[str | None]
    """E.164; shown to buyers of the group."""
    promptpay_id: Mapped[str | None]
    promptpay_name: Mapped[str | None]
    registration_no: Mapped[str | None]
    """Number of the community enterprise or of the trade registration."""
    is_example: Mapped[bool] = mapped_column(default=False)
    """Invented for the demo; pages say so (ตัวอย่าง)."""
    sort_key: Mapped[str] = mapped_column(String(collation="C"))
    """Thai dictionary order of `name_th`."""
    parcel_enabled: Mapped[bool] = mapped_column(default=False)
    pickup_enabled: Mapped[bool] = mapped_column(default=False)
    cash_enabled: Mapped[bool] = mapped_column(default=False)
    """Takes cash when goods are fetched."""
    pickup_text_th: Mapped[str | None]
    pickup_text_en: Mapped[str | None]
    state: Mapped[str]
    applied_at: Mapped[Utc]
    applied_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    approved_at: Mapped[datetime | None]
    approved_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    closed_because: Mapped[str | None]
    changed_at: Mapped[Utc]
    changed_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))

    @property
    def in_cluster(self) -> Cluster:
        return Cluster(self.cluster)

    @property
    def in_region(self) -> Region:
        return places.region_of(self.province_code)

    @property
    def place(self) -> Place | None:
        return places.place(self.subdistrict_code) if self.subdistrict_code else None

    @property
    def is_approved(self) -> bool:
        return self.state == GroupState.approved


class ParcelTier(Base):
    """One line of a group's parcel table: a parcel of up to that weight costs that fee."""

    __tablename__ = "parcel_tiers"
    __table_args__ = (
        CheckConstraint("up_to_g > 0 AND fee_satang >= 0", name="amounts_make_sense"),
        CheckConstraint("storage IN ('ambient', 'chilled', 'frozen')", name="storage_is_known"),
    )

    group_id: Mapped[UUID] = mapped_column(ForeignKey("groups.id"), primary_key=True)
    storage: Mapped[str] = mapped_column(primary_key=True)
    up_to_g: Mapped[int] = mapped_column(primary_key=True)
    fee_satang: Mapped[Satang]


@dataclass(frozen=True, slots=True)
class Tier:
    """A line of a parcel table as it is written: grams and satang."""

    up_to_g: int
    fee_satang: Satang


@dataclass(frozen=True, slots=True)
class Waiting:
    """A group that applied, with its centre and whoever applied."""

    group: Group
    center: Center
    applicant: Person | None


async def group_by_slug(session: AsyncSession, slug: str) -> Group:
    """Return an approved group: what everybody may see.  Refuses with `NotFound`."""
    group = await session.scalar(select(Group).where(Group.slug == slug, Group.state == GroupState.approved))
    if group is None:
        raise NotFound
    return group


async def own_groups(session: AsyncSession, scope: Scope) -> Sequence[Group]:
    """Return the groups this person works for, in Thai order."""
    return (await session.scalars(select(Group).where(scope.of_groups(Group.id)).order_by(Group.sort_key))).all()


async def selling_groups(
    session: AsyncSession, *, center_id: UUID | None = None, after: tuple[str, UUID] | None = None, limit: int = 24
) -> Sequence[Group]:
    """Return approved groups in Thai order, of one centre or of all, behind a place (sort key and id) in that order."""
    question = select(Group).where(Group.state == GroupState.approved)
    if center_id is not None:
        question = question.where(Group.center_id == center_id)
    if after is not None:
        question = question.where(tuple_(Group.sort_key, Group.id) > after)
    return (await session.scalars(question.order_by(Group.sort_key, Group.id).limit(limit))).all()


async def groups_of_center(session: AsyncSession, center_id: UUID) -> Sequence[Group]:
    """Return a centre's approved groups in Thai order."""
    question = select(Group).where(Group.center_id == center_id, Group.state == GroupState.approved)
    return (await session.scalars(question.order_by(Group.sort_key))).all()


async def groups_in_state(session: AsyncSession, state: GroupState) -> list[Waiting]:
    """Return the groups in a state for the staff's desk, the longest waiting first."""
    rows = await session.execute(
        select(Group, Center, Person)
        .join(Center, Center.id == Group.center_id)
        .outerjoin(Person, Person.id == Group.applied_by)
        .where(whole_market("staff see all groups"), Group.state == state)
        .order_by(Group.applied_at, Group.id)
    )
    return [Waiting(*row) for row in rows]


async def parcel_tiers(session: AsyncSession, group_ids: Sequence[UUID]) -> dict[tuple[UUID, Storage], list[Tier]]:
    """Return the parcel tables of some groups, by group and storage, lightest first."""
    rows = await session.scalars(
        select(ParcelTier).where(ParcelTier.group_id.in_(group_ids)).order_by(ParcelTier.up_to_g)
    )
    tables: dict[tuple[UUID, Storage], list[Tier]] = {}
    for row in rows:
        tables.setdefault((row.group_id, Storage(row.storage)), []).append(Tier(row.up_to_g, row.fee_satang))
    return tables


def own_group(at_least: Role) -> Callable[..., Awaitable[Group]]:
    """Dependency: the group of the address, if this person has at least that role in it."""

    async def fetch(slug: str, session: Session, scope: CurrentScope) -> Group:
        if scope.person is None:
            raise SignInNeeded
        group = await session.scalar(select(Group).where(Group.slug == slug, scope.of_groups(Group.id, at_least)))
        if group is None:
            raise NotFound
        return group

    return fetch


async def watched_group(slug: str, session: Session, scope: CurrentScope) -> Group:
    """Dependency: the group of the address for its own people, its centre's coordinators and staff."""
    if scope.person is None:
        raise SignInNeeded
    group = await session.scalar(select(Group).where(Group.slug == slug, scope.watching(Group.id, Group.center_id)))
    if group is None:
        raise NotFound
    return group


OwnGroup = Annotated[Group, Depends(own_group(Role.packer))]
EditedGroup = Annotated[Group, Depends(own_group(Role.editor))]
OwnedGroup = Annotated[Group, Depends(own_group(Role.owner))]
WatchedGroup = Annotated[Group, Depends(watched_group)]


async def apply_to_sell(
    session: AsyncSession,
    person: Person,
    *,
    name_th: str,
    center_id: UUID,
    cluster: Cluster,
    place: Place,
    name_en: str | None = None,
    story_th: str | None = None,
    phone: str | None = None,
    address_line: str | None = None,
    registration_no: str | None = None,
) -> Group:
    """Add a group that waits for approval, with `person` as its owner.

    Its desk works at once (canvas, listings in draft), its page is not public yet.  Buyers can fetch its goods where
    it meets, and pay in cash there, until the group says otherwise.  Refuses with `TooManyApplications`.
    """
    await _refuse_many_applications(session, person)
    now = clock.now()
    group = Group(
        slug=await free_slug(session, name_en or place.subdistrict.name_en),
        name_th=name_th,
        name_en=name_en,
        story_th=story_th,
        center_id=center_id,
        cluster=cluster,
        region=place.region.id,
        province_code=place.province.code,
        subdistrict_code=place.code,
        address_line=address_line,
        phone=phone,
        registration_no=registration_no,
        pickup_enabled=True,
        cash_enabled=True,
        pickup_text_th=f"{address_line or ''} {place.full_line('th')}".strip(),
        sort_key=sort_key(name_th),
        state=GroupState.applied,
        applied_at=now,
        applied_by=person.id,
        changed_at=now,
        changed_by=person.id,
    )
    session.add(group)
    await session.flush()
    await access.grant(session, person, Role.owner, group_id=group.id)
    return group


def approve(group: Group, *, by: Person) -> None:
    """Let the group sell; doing it twice changes nothing."""
    if group.state == GroupState.approved:
        return
    group.state = GroupState.approved
    group.approved_at, group.approved_by = clock.now(), by.id
    group.closed_at = group.closed_by = group.closed_because = None


def close(group: Group, *, by: Person, because: str) -> None:
    """Take the group off the market (also: turn an application down), with the reason its people will read."""
    group.state = GroupState.closed
    group.closed_at, group.closed_by, group.closed_because = clock.now(), by.id, because


def tell_story(
    group: Group,
    *,
    name_th: str,
    name_en: str | None,
    story_th: str | None,
    story_en: str | None,
    phone: str | None,
    address_line: str | None,
    registration_no: str | None,
    by: Person,
) -> None:
    """Set what the group's page says.  The slug stays: people have shared it."""
    group.name_th, group.name_en, group.sort_key = name_th, name_en, sort_key(name_th)
    group.story_th, group.story_en = story_th, story_en
    group.phone, group.address_line, group.registration_no = phone, address_line, registration_no
    _sign(group, by)


def set_promptpay(group: Group, promptpay_id: str | None, promptpay_name: str | None, *, by: Person) -> None:
    """Name the PromptPay account where the group's money goes; an owner's decision."""
    group.promptpay_id = promptpay_id
    group.promptpay_name = promptpay_name if promptpay_id else None
    _sign(group, by)


async def set_delivery(
    session: AsyncSession,
    group: Group,
    *,
    parcel_enabled: bool,
    pickup_enabled: bool,
    cash_enabled: bool,
    pickup_text_th: str | None,
    pickup_text_en: str | None,
    by: Person,
) -> None:
    """Say how goods reach a buyer.  Set the parcel table first: parcels without one are refused.

    Refuses with `NoWayOfDelivery`, `ParcelTableMissing`, `PickupPlaceMissing`.  Goods reach a centre only from groups
    that let buyers fetch them, so no parcels and no pick-up is no way at all.
    """
    if not (parcel_enabled or pickup_enabled):
        raise NoWayOfDelivery(field="parcel_enabled")
    if parcel_enabled and not await parcel_tiers(session, [group.id]):
        raise ParcelTableMissing(field="parcel_enabled")
    if pickup_enabled and not pickup_text_th:
        raise PickupPlaceMissing(field="pickup_text_th")
    group.parcel_enabled, group.pickup_enabled, group.cash_enabled = parcel_enabled, pickup_enabled, cash_enabled
    group.pickup_text_th, group.pickup_text_en = pickup_text_th, pickup_text_en
    _sign(group, by)


async def set_parcel_tiers(session: AsyncSession, group: Group, storage: Storage, tiers: Sequence[Tier]) -> None:
    """Replace the parcel table for one storage; placed orders keep the fee they were placed with.

    Refuses with `WrongParcelTable` unless weights rise from line to line.
    """
    weights = [tier.up_to_g for tier in tiers]
    if weights != sorted(set(weights)):
        raise WrongParcelTable(field=storage.value)
    await session.execute(delete(ParcelTier).where(ParcelTier.group_id == group.id, ParcelTier.storage == storage))
    session.add_all(
        ParcelTier(group_id=group.id, storage=storage, up_to_g=tier.up_to_g, fee_satang=tier.fee_satang)
        for tier in tiers
    )
    await session.flush()


async def free_slug(session: AsyncSession, name: str) -> str:
    """Return a name for addresses that no group has: "nong-sano", "nong-sano-2"."""
    base = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60] or "group"
    # Two applications of one name at the same moment wait for each other here.
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"group slug {base}"))))
    alike = whole_market("addresses are one for all"), Group.slug.startswith(base, autoescape=True)
    taken = set(await session.scalars(select(Group.slug).where(*alike)))
    return next(slug for n in range(1, len(taken) + 2) if (slug := base if n == 1 else f"{base}-{n}") not in taken)


async def _refuse_many_applications(session: AsyncSession, person: Person) -> None:
    waiting = await session.scalar(
        select(func.count()).where(Group.applied_by == person.id, Group.state == GroupState.applied)
    )
    if waiting is not None and waiting >= MOST_OPEN_APPLICATIONS:
        raise TooManyApplications(most=MOST_OPEN_APPLICATIONS)


def _sign(group: Group, by: Person) -> None:
    group.changed_at, group.changed_by = clock.now(), by.id
