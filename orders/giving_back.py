"""Giving back a part of what was bought: so many units of a line, the delivery fee, or an amount; before or after hand-over.

What was told when the order was placed stays; what is taken off stands beside it, in one row per thing.  Before
hand-over the part simply gets smaller: less to pack, less to pay or to earn.  After it the sale is reversed in the books
by the rules frozen with it: the centre and the community fund give back their share of it, the payment provider keeps
its fee.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.access import Scope
from app.database import Base, Id, Utc, new_id
from app.errors import NotFound, Refusal
from app.language import N_
from app.money import Satang, baht, split_by_largest_remainder
from catalog import capacity
from orders import hand_over, notices, postings, refunds
from orders.hand_over import NotPaidYet, PartCancelled
from orders.order import Order, OrderLine, OrderPart, lines_of, note, part_received_by
from orders.postings import Piece
from orders.refunds import RefundReason, RefundTask
from orders.states import Actor, PartState
from producers import fees, ledger
from producers.ledger import FeeTaken, Purpose


class NothingToGiveBack(Refusal):
    status = 422
    message = N_("Please say what to give back: some of the goods, the delivery fee, or an amount.")


class MoreThanThereIs(Refusal):
    status = 422
    message = N_("Only %(left)s of this is left to give back.")


class GivenBackMeanwhile(Refusal):
    """The form was sent twice, or somebody else gave something back while it was open."""

    message = N_("Something of this was given back meanwhile. Please look once more.")


class RefundItem(Base):
    """Something that was taken off an order: of one line, or of the delivery fee.  Only added to."""

    __tablename__ = "refund_items"
    __table_args__ = (
        CheckConstraint("quantity_milli >= 0 AND satang >= 0", name="amounts_make_sense"),
        CheckConstraint("line_id IS NOT NULL OR quantity_milli = 0", name="goods_have_a_line"),
    )

    id: Mapped[Id]
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"))
    part_id: Mapped[UUID] = mapped_column(ForeignKey("order_parts.id"), index=True)
    line_id: Mapped[UUID | None] = mapped_column(ForeignKey("order_lines.id"), index=True)
    """None is the delivery fee."""
    task_id: Mapped[UUID | None] = mapped_column(ForeignKey("refund_tasks.id"))
    """What pays it back (the first of them, when the money had come in several payments); None for cash not paid yet."""
    quantity_milli: Mapped[int] = mapped_column(BigInteger)
    """Thousandths of the sale unit; 0 when only money was given back."""
    satang: Mapped[Satang]
    back_on_sale: Mapped[bool]
    reason: Mapped[str]
    made_at: Mapped[Utc]
    by_kind: Mapped[str]
    by_person: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be given back of one part."""

    reason: str
    """The buyer reads it."""
    lines: Mapping[UUID, int] = field(default_factory=dict)
    """Thousandths of the sale unit, by line."""
    delivery: bool = False
    """All that is left of the delivery fee."""
    satang: int = 0
    """An amount besides: off the goods in proportion, then off the delivery fee."""
    back_on_sale: bool = True
    """Whether the goods can be sold again; asked only before hand-over."""
    seen_off_satang: int | None = None
    """What the form showed as taken off already."""


async def items_of(session: AsyncSession, part_id: UUID) -> Sequence[RefundItem]:
    """Return what was taken off a part, the oldest first."""
    found = await session.scalars(
        select(RefundItem).where(RefundItem.part_id == part_id).order_by(RefundItem.made_at, RefundItem.id)
    )
    return found.all()


async def parts_for(session: AsyncSession, scope: Scope, order_id: UUID) -> list[UUID]:
    """Return the ids of the parts whose money this person answers for; refuses with `NotFound` when there is none."""
    found = await session.scalars(
        select(OrderPart.id)
        .join(Order, Order.id == OrderPart.order_id)
        .where(OrderPart.order_id == order_id, part_received_by(scope))
    )
    return list(found) or _nobodys()


async def may_give_back(session: AsyncSession, scope: Scope, part: OrderPart) -> bool:
    """Whether this person answers for what was paid for a part that is still worth something."""
    if part.state == PartState.cancelled or not part.kept_satang:
        return False
    question = select(OrderPart.id).join(Order, Order.id == OrderPart.order_id)
    return await session.scalar(question.where(OrderPart.id == part.id, part_received_by(scope))) is not None


async def give_back(session: AsyncSession, scope: Scope, part_id: UUID, wish: Wish, by: Actor) -> Sequence[RefundItem]:
    """Take something off one group's part; what was paid for it goes back to the buyer.

    A part of which nothing is left to pack is cancelled.  Refuses with `NotFound` whoever does not hold the money,
    with `NothingToGiveBack`, `MoreThanThereIs` (names the field), `GivenBackMeanwhile`, `PartCancelled`, `NotPaidYet`.
    """
    order, part = await hand_over.locked_part(session, part_id)
    if part.id not in await parts_for(session, scope, order.id):
        raise NotFound
    _refuse_unless_possible(part, wish)
    lines = await lines_of(session, [part.id])
    pieces = _pieces(part, lines, wish)
    is_sold = part.state == PartState.handed_over
    if not is_sold:
        await capacity.shrink(session, _goods(pieces), is_lost=not wish.back_on_sale)
    item_ids = [new_id() for _ in pieces]
    tasks = await _pay_back(session, order, part, pieces, wish, by, key=f"given back {item_ids[0]}")
    _take_off(order, part, pieces)
    items = [_item(item_id, part, piece, wish, by, tasks) for item_id, piece in zip(item_ids, pieces, strict=True)]
    session.add_all(items)
    note(session, order, "given_back", by, part=part, satang=_total(pieces), reason=wish.reason)
    await session.flush()
    if not is_sold and not any(line.kept_milli for line in lines):
        await _close(session, order, part)
    await notices.given_back(session, order, part, _total(pieces), wish.reason, is_owed=bool(tasks))
    return items


def _nobodys() -> list[UUID]:
    raise NotFound


def _refuse_unless_possible(part: OrderPart, wish: Wish) -> None:
    if part.state == PartState.cancelled:
        raise PartCancelled
    if part.ready_at is None and part.state != PartState.handed_over:
        raise NotPaidYet
    if wish.seen_off_satang is not None and wish.seen_off_satang != part.off_satang:
        raise GivenBackMeanwhile


def _pieces(part: OrderPart, lines: Sequence[OrderLine], wish: Wish) -> list[Piece]:
    """Say what is taken off each line and off the delivery fee."""
    by_units = {line.id: _worth(line, wish.lines.get(line.id, 0)) for line in lines}
    goods_left = [line.kept_satang - by_units[line.id] for line in lines]
    is_emptied = part.state != PartState.handed_over and all(
        wish.lines.get(line.id, 0) == line.kept_milli for line in lines
    )
    delivery = part.kept_delivery_satang if wish.delivery or is_emptied else 0
    delivery_left = part.kept_delivery_satang - delivery
    if not 0 <= wish.satang <= sum(goods_left) + delivery_left:
        raise MoreThanThereIs(field="satang", left=baht(sum(goods_left) + delivery_left))
    off_goods = min(wish.satang, sum(goods_left))
    by_amount = split_by_largest_remainder(off_goods, goods_left) if off_goods else [Satang(0)] * len(lines)
    pieces = [
        Piece(line, wish.lines.get(line.id, 0), Satang(by_units[line.id] + amount))
        for line, amount in zip(lines, by_amount, strict=True)
    ]
    pieces.append(Piece(None, 0, Satang(delivery + wish.satang - off_goods)))
    told = [piece for piece in pieces if piece.milli or piece.satang]
    if not told:
        raise NothingToGiveBack
    return told


def _worth(line: OrderLine, milli: int) -> Satang:
    """What so much of a line costs now, half a satang up; everything that is left costs everything that is left."""
    if not 0 <= milli <= line.kept_milli:
        raise MoreThanThereIs(field=f"line-{line.id}", left=f"{line.kept_milli / 1000:g}")
    if milli == 0:
        return Satang(0)
    return Satang((2 * line.kept_satang * milli + line.kept_milli) // (2 * line.kept_milli))


async def _pay_back(
    session: AsyncSession, order: Order, part: OrderPart, pieces: Sequence[Piece], wish: Wish, by: Actor, *, key: str
) -> list[RefundTask]:
    """Tell the books, and promise the buyer what they had paid; cash that nobody has paid yet is simply not asked for."""
    satang = _total(pieces)
    if part.state == PartState.handed_over:
        entries = postings.given_back(order, part, pieces, await _fees_back(session, order, part, pieces))
    elif order.is_cash:
        return []
    else:
        entries = postings.given_up(order, part, satang)
    if entries:
        await ledger.post(session, key=key, kind="given_back", entries=entries, by=by.person, note=wish.reason)
    return await refunds.owe(session, order, satang, RefundReason.given_back, part=part, explanation=wish.reason)


async def _fees_back(session: AsyncSession, order: Order, part: OrderPart, pieces: Sequence[Piece]) -> list[FeeTaken]:
    """What the centre and the fund give back of their shares; what the provider took is gone."""
    goods = sum(piece.satang for piece in pieces if piece.line)
    taken = [
        share
        for share in await ledger.fees_taken(session, order.id, part.group_id)
        if share.purpose != Purpose.fee_provider
    ]
    if not goods or not taken:
        return []
    back = fees.split_back(goods, part.kept_goods_satang, [share.satang for share in taken])
    return [share._replace(satang=satang) for share, satang in zip(taken, back, strict=True)]


def _take_off(order: Order, part: OrderPart, pieces: Sequence[Piece]) -> None:
    for piece in pieces:
        if piece.line:
            piece.line.off_milli += piece.milli
            piece.line.off_satang = Satang(piece.line.off_satang + piece.satang)
            part.goods_off_satang = Satang(part.goods_off_satang + piece.satang)
        else:
            part.delivery_off_satang = Satang(part.delivery_off_satang + piece.satang)
    order.off_satang = Satang(order.off_satang + _total(pieces))


def _item(
    item_id: UUID, part: OrderPart, piece: Piece, wish: Wish, by: Actor, tasks: Sequence[RefundTask]
) -> RefundItem:
    is_sold = part.state == PartState.handed_over
    return RefundItem(
        id=item_id,
        order_id=part.order_id,
        part_id=part.id,
        line_id=piece.line.id if piece.line else None,
        task_id=tasks[0].id if tasks else None,
        quantity_milli=piece.milli,
        satang=piece.satang,
        back_on_sale=bool(piece.milli) and wish.back_on_sale and not is_sold,
        reason=wish.reason,
        made_at=clock.now(),
        by_kind=by.kind,
        by_person=by.person_id,
    )


async def _close(session: AsyncSession, order: Order, part: OrderPart) -> None:
    """Nothing is left to pack: the part is cancelled, and perhaps the order is over."""
    part.state, part.cancelled_at = PartState.cancelled, clock.now()
    await session.flush()
    await hand_over.close_when_finished(session, order)


def _goods(pieces: Sequence[Piece]) -> dict[UUID, int]:
    return {piece.line.id: piece.milli for piece in pieces if piece.line and piece.milli}


def _total(pieces: Sequence[Piece]) -> Satang:
    return Satang(sum(piece.satang for piece in pieces))
