"""Fees: the centre's share, the payment provider's and the community fund's, told by rules that never change.

A change ends one version of a rule and starts the next, so an order that froze its rules, and every ledger entry that
names one, stays true for ever.  Shares are split by largest remainder: no satang is lost or made.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.database import Base, Id, Utc
from app.errors import NotFound, Refusal
from app.language import N_
from app.money import BASIS_POINTS, Satang, split_by_largest_remainder
from app.people import Person


class RuleAlreadyThere(Refusal):
    message = N_("There is already a fee rule with the code %(code)s. Change that one instead.")


class RuleStartsTooEarly(Refusal):
    status = 422
    message = N_("A changed fee can only start after the version before it has started.")


class FeeKind(StrEnum):
    """Who a fee goes to; the value is also the ledger account that receives it."""

    center = "center"  # type: ignore[assignment]  # hides str.center, which nobody asks a fee for
    provider = "provider"
    fund = "fund"


class FeeRule(Base):
    """One version of one rule: so many basis points of the amount, and perhaps a fixed sum."""

    __tablename__ = "fee_rules"
    __table_args__ = (
        UniqueConstraint("code", "version"),
        CheckConstraint("kind IN ('center', 'provider', 'fund')", name="kind_is_known"),
        CheckConstraint("basis_points BETWEEN 0 AND 10000", name="share_of_a_whole"),
        CheckConstraint("fixed_satang >= 0", name="fixed_not_negative"),
        CheckConstraint("valid_until > valid_from", name="ends_after_it_starts"),
    )

    id: Mapped[Id]
    code: Mapped[str]
    """Names the family of versions, for instance "center" or "fund"."""
    version: Mapped[int]
    kind: Mapped[str]
    name_th: Mapped[str]
    name_en: Mapped[str]
    center_id: Mapped[UUID | None] = mapped_column(ForeignKey("centers.id"), index=True)
    """None: every centre that has no rule of its own of this kind and payment method."""
    payment_method: Mapped[str | None]
    """None: however the buyer pays."""
    basis_points: Mapped[int]
    """Ten-thousandths of the amount: 500 is 5 %."""
    fixed_satang: Mapped[Satang]
    valid_from: Mapped[Utc]
    valid_until: Mapped[datetime | None]
    made_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    made_at: Mapped[Utc]


@dataclass(frozen=True, slots=True)
class FeeShare:
    """What one rule takes of one amount; names come along so that pages can say where each baht goes."""

    kind: FeeKind
    rule_id: UUID
    version: int
    satang: Satang
    name_th: str
    name_en: str


async def rules_for(session: AsyncSession, center_id: UUID, at: datetime | None = None) -> list[FeeRule]:
    """Return the rules in force for a centre's groups at a moment (now when left out), in a fixed order.

    A rule made for the centre replaces the general ones of its kind and payment method.
    """
    return (await rules_for_centers(session, [center_id], at))[center_id]


async def rules_for_centers(
    session: AsyncSession, center_ids: Iterable[UUID], at: datetime | None = None
) -> dict[UUID, list[FeeRule]]:
    """As `rules_for`, for several centres with one SELECT."""
    at = at or clock.now()
    wanted = set(center_ids)
    found = await session.scalars(
        select(FeeRule)
        .where(
            or_(FeeRule.center_id.in_(wanted), FeeRule.center_id.is_(None)),
            FeeRule.valid_from <= at,
            or_(FeeRule.valid_until.is_(None), FeeRule.valid_until > at),
        )
        .order_by(FeeRule.kind, FeeRule.code)
    )
    in_force = found.all()
    return {center_id: _nearest(in_force, center_id) for center_id in wanted}


def frozen(rules: Sequence[FeeRule]) -> list[dict[str, Any]]:
    """Return the rules as JSON to keep with an order: what `split` needs, whatever becomes of the rows."""
    return [
        {
            "rule_id": str(rule.id),
            "code": rule.code,
            "version": rule.version,
            "kind": rule.kind,
            "name_th": rule.name_th,
            "name_en": rule.name_en,
            "payment_method": rule.payment_method,
            "basis_points": rule.basis_points,
            "fixed_satang": rule.fixed_satang,
        }
        for rule in rules
    ]


def split(amount: int, frozen_rules: Sequence[dict[str, Any]], payment_method: str) -> list[FeeShare]:
    """Return what each rule takes of `amount` satang; the group keeps the rest, never less than nothing.

    Percentages are parts of the whole amount by largest remainder; fixed sums come out of what then is left.  A
    negative amount gives the opposite shares, so that a whole refund takes back what the sale gave.
    """
    applying = [rule for rule in frozen_rules if rule["payment_method"] in {None, payment_method}]
    sign = -1 if amount < 0 else 1
    taken = _taken(abs(amount), applying)
    return [
        FeeShare(
            kind=FeeKind(rule["kind"]),
            rule_id=UUID(rule["rule_id"]),
            version=rule["version"],
            satang=Satang(sign * satang),
            name_th=rule["name_th"],
            name_en=rule["name_en"],
        )
        for rule, satang in zip(applying, taken, strict=True)
    ]


def split_back(amount: int, of: int, taken: Sequence[int]) -> list[Satang]:
    """Return what each share gives back when `amount` of the `of` satang that are left is given back.

    `taken` is what each share still has of `of`.  In proportion by largest remainder; nobody gives back more than they
    have, and when everything is given back, so is every share to the satang, in however many steps.
    """
    return split_by_largest_remainder(amount, [of - sum(taken), *taken])[1:]


def group_share(amount: int, shares: Sequence[FeeShare]) -> Satang:
    """Return what the group keeps of `amount` after `shares`."""
    return Satang(amount - sum(share.satang for share in shares))


async def start_rule(
    session: AsyncSession,
    code: str,
    kind: FeeKind,
    *,
    name_th: str,
    name_en: str,
    basis_points: int = 0,
    fixed_satang: int = 0,
    center_id: UUID | None = None,
    payment_method: str | None = None,
    valid_from: datetime | None = None,
    by: Person | None = None,
) -> FeeRule:
    """Make the first version of a rule.  Refuses with `RuleAlreadyThere` when the code is in use."""
    if await _newest(session, code):
        raise RuleAlreadyThere(field="code", code=code)
    rule = FeeRule(
        code=code,
        version=1,
        kind=kind,
        name_th=name_th,
        name_en=name_en,
        center_id=center_id,
        payment_method=payment_method,
        basis_points=basis_points,
        fixed_satang=fixed_satang,
        valid_from=valid_from or clock.now(),
        made_by=by.id if by else None,
        made_at=clock.now(),
    )
    session.add(rule)
    await session.flush()
    return rule


async def change_rule(
    session: AsyncSession,
    code: str,
    *,
    basis_points: int,
    fixed_satang: int = 0,
    valid_from: datetime | None = None,
    by: Person | None = None,
) -> FeeRule:
    """End the newest version of a rule at `valid_from` (now when left out) and start the next.

    Refuses with `NotFound` for an unknown code, `RuleStartsTooEarly` when it would start before its predecessor.
    """
    old = await _newest(session, code)
    if old is None:
        raise NotFound
    start = valid_from or clock.now()
    if start <= old.valid_from:
        raise RuleStartsTooEarly(field="valid_from")
    old.valid_until = start
    rule = FeeRule(
        code=code,
        version=old.version + 1,
        kind=old.kind,
        name_th=old.name_th,
        name_en=old.name_en,
        center_id=old.center_id,
        payment_method=old.payment_method,
        basis_points=basis_points,
        fixed_satang=fixed_satang,
        valid_from=start,
        made_by=by.id if by else None,
        made_at=clock.now(),
    )
    session.add(rule)
    await session.flush()
    return rule


async def _newest(session: AsyncSession, code: str) -> FeeRule | None:
    found: FeeRule | None = await session.scalar(
        select(FeeRule).where(FeeRule.code == code).order_by(FeeRule.version.desc()).limit(1).with_for_update()
    )
    return found


def _nearest(in_force: Sequence[FeeRule], center_id: UUID) -> list[FeeRule]:
    own = {(rule.kind, rule.payment_method) for rule in in_force if rule.center_id == center_id}
    return [
        rule
        for rule in in_force
        if rule.center_id == center_id or (rule.center_id is None and (rule.kind, rule.payment_method) not in own)
    ]


def _taken(amount: int, rules: Sequence[dict[str, Any]]) -> list[int]:
    points = [rule["basis_points"] for rule in rules]
    kept, *parts = split_by_largest_remainder(amount, [max(BASIS_POINTS - sum(points), 0), *points])
    left: int = kept
    taken: list[int] = []
    for rule, part in zip(rules, parts, strict=True):
        fixed = min(rule["fixed_satang"], left)
        left -= fixed
        taken.append(part + fixed)
    return taken
