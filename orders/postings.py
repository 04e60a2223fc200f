"""What orders write into the books: the entries of each fact, so that a reader sees all of them side by side.

Money that comes in is an asset of the market (or, when a group's own account or hand received it, `cash` of that group)
against a deposit per group.  Only when goods are handed over does the deposit become the group's income, less the fees
that the rules frozen with the order take.  What is to go back to the buyer waits on the account `refund`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from app.money import Satang
from orders.order import Order, OrderLine, OrderPart
from orders.states import DeliveryKind, ReceiverKind
from producers import fees
from producers.ledger import Account, Entry, FeeTaken, Purpose

_FEE_ACCOUNTS: Final = {Purpose.fee_center: Account.center, Purpose.fee_fund: Account.fund}


@dataclass(frozen=True, slots=True)
class Piece:
    """What is taken off one line, or (without one) off the delivery fee."""

    line: OrderLine | None
    milli: int
    satang: Satang


def paid(order: Order, parts: Sequence[OrderPart], satang: int, part: OrderPart | None = None) -> list[Entry]:
    """Money came in and pays for `parts`; what it lacks was put by before, what is over is put by now.

    `part` names the part whose goods were paid for in cash.
    """
    deposits = [_deposit(order, each, -each.kept_satang) for each in parts]
    over = sum(each.kept_satang for each in parts) - satang
    return _told([_asset(order, satang, "received", part), *deposits, _refund(order, over, "put_by")])


def put_by(order: Order, satang: int) -> list[Entry]:
    """Money came in that pays for nothing (yet): too little, too late, twice."""
    return _told([_asset(order, satang, "received"), _refund(order, -satang, "put_by")])


def given_up(order: Order, part: OrderPart, satang: int) -> list[Entry]:
    """So much of a paid part will not be handed over: its money goes back."""
    return _told([_deposit(order, part, satang), _refund(order, -satang, "given_up")])


def given_back(order: Order, part: OrderPart, pieces: Iterable[Piece], fees_back: Iterable[FeeTaken]) -> list[Entry]:
    """Something was given back after hand-over: the sale's opposite, by stream; the provider keeps its fee.

    A group that has the buyer's money gives it back out of what it had collected.
    """
    mine = _of_group(order, part)
    entries = [_taken_back(mine, piece) for piece in pieces]
    satang = sum(entry.satang for entry in entries)
    for share in fees_back:
        fee = replace(
            mine, satang=-share.satang, purpose=share.purpose, rule_id=share.rule_id, rule_version=share.version
        )
        entries += [fee, replace(fee, account=_FEE_ACCOUNTS[share.purpose], satang=share.satang)]
    entries.append(_refund(order, -satang, "given_back"))
    if is_collected_by_group(order, part):
        entries.append(replace(mine, satang=-satang, purpose=Purpose.collected))
        entries.append(replace(mine, account=Account.cash, satang=satang, purpose=Purpose.collected))
    return _told(entries)


def refunded(order: Order, satang: int, part: OrderPart | None = None) -> list[Entry]:
    """Money was paid back to the buyer, from where it had been received; `part` names the part paid for in cash."""
    return _told([_refund(order, satang, "refunded"), _asset(order, -satang, "refunded", part)])


def handed_over(order: Order, part: OrderPart, lines: Iterable[OrderLine]) -> list[Entry]:
    """The group has earned its part: sales by stream, delivery, less fees; at once collected if it has the money."""
    mine = _of_group(order, part)
    entries = [_deposit(order, part, part.kept_satang)]
    entries += [
        replace(mine, satang=-line.kept_satang, purpose=Purpose.sale, stream_id=line.stream_id, line_id=line.id)
        for line in lines
    ]
    entries.append(replace(mine, satang=-part.kept_delivery_satang, purpose=Purpose.delivery))
    entries += _fees(order, part, mine)
    if is_collected_by_group(order, part):
        entries.append(replace(mine, satang=part.kept_satang, purpose=Purpose.collected))
        entries.append(replace(mine, account=Account.cash, satang=-part.kept_satang, purpose=Purpose.collected))
    return _told(entries)


def is_collected_by_group(order: Order, part: OrderPart) -> bool:
    """True when the buyer's money for this part is in the group's own account or hand."""
    if order.is_cash:
        return part.delivery == DeliveryKind.pickup_group
    return order.receiver_kind == ReceiverKind.group


def _fees(order: Order, part: OrderPart, mine: Entry) -> list[Entry]:
    """Fees are parts of the price of goods; what a parcel costs passes through untouched."""
    entries: list[Entry] = []
    for share in fees.split(part.kept_goods_satang, part.fee_rules, order.payment_method):
        fee = replace(
            mine, satang=share.satang, purpose=f"fee_{share.kind}", rule_id=share.rule_id, rule_version=share.version
        )
        entries += [fee, replace(fee, account=Account(share.kind.value), satang=-share.satang)]
    return entries


def _taken_back(mine: Entry, piece: Piece) -> Entry:
    if piece.line is None:
        return replace(mine, satang=piece.satang, purpose=Purpose.delivery)
    line = piece.line
    return replace(mine, satang=piece.satang, purpose=Purpose.refund, stream_id=line.stream_id, line_id=line.id)


def _asset(order: Order, satang: int, purpose: str, part: OrderPart | None = None) -> Entry:
    group_id = center_id = None
    if order.is_cash and part is not None:
        is_with_group = is_collected_by_group(order, part)
        group_id, center_id = (part.group_id, None) if is_with_group else (None, part.center_id)
    elif order.receiver_kind == ReceiverKind.group:
        group_id = order.receiver_id
    elif order.receiver_kind == ReceiverKind.center:
        center_id = order.receiver_id
    account = Account.cash if group_id else Account.money
    return replace(
        _of_order(order), account=account, satang=satang, purpose=purpose, group_id=group_id, center_id=center_id
    )


def _deposit(order: Order, part: OrderPart, satang: int) -> Entry:
    return replace(_of_group(order, part), account=Account.deposit, satang=satang, purpose="deposit")


def _refund(order: Order, satang: int, purpose: str) -> Entry:
    return replace(_of_order(order), account=Account.refund, satang=satang, purpose=purpose)


def _of_group(order: Order, part: OrderPart) -> Entry:
    return replace(_of_order(order), account=Account.group, group_id=part.group_id, center_id=part.center_id)


def _of_order(order: Order) -> Entry:
    return Entry(Account.money, 0, "", channel=order.channel, order_number=order.number, order_id=order.id)


def _told(entries: Sequence[Entry]) -> list[Entry]:
    return [entry for entry in entries if entry.satang]
