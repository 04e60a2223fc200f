"""An order's story as people read it: what is done, what comes next, and what went another way."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from app import clock
from app.language import N_, Bilingual, Message
from app.money import baht
from orders.order import Order, OrderEvent, OrderPart, OrderView
from orders.states import ActorKind, OrderState, PartState

StepState = Literal["done", "now", "later", "wrong"]


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the timeline, ready for the macro of the same name."""

    words: Message
    state: StepState
    when: Bilingual | None = None
    who: Message | None = None


WORDS: Final = {
    "placed": N_("Ordered"),
    "slip_sent": N_("Transfer slip sent"),
    "slip_refused": N_("Slip could not be confirmed"),
    "part_paid": N_("A part was paid"),
    "paid": N_("Payment confirmed"),
    "money_late": N_("Payment came after the goods were gone"),
    "packed": N_("Packed"),
    "handed_over": N_("Handed over"),
    "tracking": N_("Tracking number corrected"),
    "cancelled": N_("Cancelled"),
    "part_cancelled": N_("Taken out of the order"),
    "expired": N_("Time to pay ran out"),
    "given_back": N_("Taken off: %(amount)s"),
    "refund_due": N_("Money goes back to the buyer: %(amount)s"),
    "refund_failed": N_("Sending the money back did not work; a person does it"),
    "refunded": N_("Money paid back: %(amount)s"),
}
WRONG: Final = frozenset({"slip_refused", "money_late", "cancelled", "part_cancelled", "expired", "refund_failed"})

WHO: Final = {
    ActorKind.buyer: N_("the buyer"),
    ActorKind.group: N_("the group"),
    ActorKind.center: N_("the centre"),
    ActorKind.staff: N_("market staff"),
    ActorKind.market: N_("automatically"),
}

PART_WORDS: Final = {
    PartState.placed: ("waiting", N_("Waiting for payment")),
    PartState.paid: ("waiting", N_("To be packed")),
    PartState.packed: ("waiting", N_("Packed")),
    PartState.handed_over: ("done", N_("Handed over")),
    PartState.cancelled: ("wrong", N_("Cancelled")),
}
ORDER_WORDS: Final = {
    OrderState.placed: ("waiting", N_("Waiting for payment")),
    OrderState.slip_sent: ("waiting", N_("Slip is being checked")),
    OrderState.paid: ("done", N_("Paid")),
    OrderState.done: ("done", N_("Done")),
    OrderState.cancelled: ("wrong", N_("Cancelled")),
    OrderState.expired: ("wrong", N_("Run out")),
}


def steps(shown: OrderView) -> list[Step]:
    """Tell what happened, then what is still to come."""
    names = {view.part.id: view.part.group_name for view in shown.parts}
    told = [_told(event, names.get(event.part_id) if event.part_id else None) for event in shown.events]
    return told + list(_to_come(shown.order, [view.part for view in shown.parts]))


def part_badge(order: Order, part: OrderPart, now: datetime) -> tuple[str, Message]:
    """Return kind and words of a part's badge."""
    kind, words = PART_WORDS[PartState(part.state)]
    if part.state == PartState.placed:
        if order.is_run_out(now):
            kind, words = ORDER_WORDS[OrderState.expired]
        elif order.is_cash:
            words = N_("To be packed")
    return kind, Message(words, {})


def order_badge(order: Order, now: datetime) -> tuple[str, Message]:
    """Return kind and words of an order's badge."""
    state = OrderState.expired if order.is_run_out(now) else OrderState(order.state)
    kind, words = ORDER_WORDS[state]
    if state == OrderState.placed and order.is_cash:
        words = N_("Pay at pick-up")
    return kind, Message(words, {})


def moment(at: datetime) -> Bilingual:
    """A moment that is read in either language."""
    return Bilingual(clock.thai_datetime(at, "th"), clock.thai_datetime(at, "en"))


def _told(event: OrderEvent, group: Bilingual | None) -> Step:
    words = Message(WORDS[event.kind], {"amount": baht(event.detail.get("satang") or 0)})
    if group is not None:
        words = Message("%(what)s · %(group)s", {"what": words, "group": group})
    return Step(
        words,
        "wrong" if event.kind in WRONG else "done",
        moment(event.at),
        Message(WHO[ActorKind(event.by_kind)], {}),
    )


def _to_come(order: Order, parts: Sequence[OrderPart]) -> Iterator[Step]:
    if order.state in {OrderState.done, OrderState.cancelled} or order.is_run_out(clock.now()):
        return
    open_parts = [part for part in parts if part.is_open]
    if order.state == OrderState.slip_sent:
        yield Step(Message(N_("We are looking at your slip"), {}), "now")
    elif order.state == OrderState.placed and not order.is_cash:
        yield Step(Message(N_("Pay by card or PromptPay") if order.is_card else N_("Pay by PromptPay"), {}), "now")
    is_next: StepState = "later" if order.state != OrderState.paid and not order.is_cash else "now"
    if any(part.state != PartState.packed for part in open_parts):
        yield Step(Message(N_("The groups pack your order"), {}), is_next)
        is_next = "later"
    yield Step(Message(N_("Goods are handed over"), {}), is_next)
