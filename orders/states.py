"""The words of the trade: how far an order and its parts are, how they travel, how and to whom they are paid, by whom."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from app.access import Scope
from app.people import Person


class OrderState(StrEnum):
    placed = "placed"
    """Goods are held; with PromptPay it waits for money, with cash for the buyer to come."""
    slip_sent = "slip_sent"
    """The buyer says it is paid; a person looks at the slip."""
    paid = "paid"
    done = "done"
    """Every part was handed over (or cancelled)."""
    cancelled = "cancelled"
    expired = "expired"
    """The hold ran out before money came."""


class PartState(StrEnum):
    placed = "placed"
    paid = "paid"
    packed = "packed"
    handed_over = "handed_over"
    cancelled = "cancelled"


class DeliveryKind(StrEnum):
    parcel = "parcel"
    pickup_group = "pickup_group"
    pickup_center = "pickup_center"

    @property
    def is_pickup(self) -> bool:
        return self is not DeliveryKind.parcel


class PaymentMethod(StrEnum):
    promptpay = "promptpay"
    cash = "cash"
    """Paid to whoever hands the goods over, at pick-up."""
    card = "card"
    """Paid on Stripe's page, by card or PromptPay; Stripe's signed word settles it."""


class ReceiverKind(StrEnum):
    """Whose account the buyer's money goes to."""

    market = "market"
    center = "center"  # type: ignore[assignment]  # hides str.center, which nobody asks a receiver for
    group = "group"


class ActorKind(StrEnum):
    buyer = "buyer"
    group = "group"
    center = "center"  # type: ignore[assignment]  # as above
    staff = "staff"
    market = "market"
    """Nobody: the clock, or a payment provider's word."""


#: States in which nothing further can happen to a part.
CLOSED_PARTS: Final = (PartState.handed_over, PartState.cancelled)
#: States of an order that was never paid.
UNPAID: Final = (OrderState.placed, OrderState.slip_sent, OrderState.expired)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something to an order, and as what."""

    kind: ActorKind
    person: Person | None = None

    @property
    def person_id(self) -> UUID | None:
        return self.person.id if self.person else None


def at_desk(scope: Scope, person: Person) -> Actor:
    """Whoever works at a desk of money: as staff, else for their centre, else for their group."""
    kind = ActorKind.staff if scope.is_staff else ActorKind.center if scope.centers else ActorKind.group
    return Actor(kind, person)


BUYER: Final = Actor(ActorKind.buyer)
MARKET: Final = Actor(ActorKind.market)
