"""Ways to pay: which ones a basket can be paid by, into whose account, and otherwise why not.

One buyer makes one payment for the whole basket.  It goes straight to a group's or a centre's own PromptPay id only
when everything in the basket is theirs; otherwise to the market's, which owes each group its part.  What is paid through
Stripe always comes to the market.  Another way is another function here, another `PaymentMethod`, and a caller of
`payments.settle`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from app.language import N_, Bilingual, Message
from app.money import baht
from app.settings import settings
from orders import promptpay, stripe_gateway
from orders.states import DeliveryKind, PaymentMethod, ReceiverKind
from producers.centers import Center
from producers.groups import Group


@dataclass(frozen=True, slots=True)
class Receiver:
    """An account; `id` is the centre's or group's, None for the market's own."""

    kind: ReceiverKind
    id: UUID | None
    promptpay_id: str | None
    """None for the market's account at Stripe."""
    name: Bilingual


@dataclass(frozen=True, slots=True)
class Stop:
    """One group of a basket: whose goods, and how they reach the buyer (None: not at all yet)."""

    group: Group
    center: Center
    delivery: DeliveryKind | None


@dataclass(frozen=True, slots=True)
class Way:
    """A way to pay, or why it is not one for this basket."""

    method: PaymentMethod
    receiver: Receiver | None = None
    why_not: Message | None = None

    @property
    def is_possible(self) -> bool:
        return self.why_not is None


def ways(stops: Sequence[Stop], total_satang: int) -> list[Way]:
    """Return every way to pay for these groups' goods, possible or not, the preferred one first.

    Stripe is told of only on a market that has an account there.
    """
    return [_by_promptpay(stops), *_by_card(total_satang), _in_cash(stops)]


def closed(method: PaymentMethod) -> Way:
    """A way that this market does not offer."""
    return Way(method, why_not=Message(stripe_gateway.GatewayClosed.message, {}))


def receiver_for(stops: Sequence[Stop]) -> Receiver | None:
    """Return whose PromptPay the money goes to: the group's if it is alone, its centre's, else the market's."""
    groups = {stop.group.id: stop.group for stop in stops}
    centers = {stop.center.id: stop.center for stop in stops}
    if len(groups) == 1:
        (group,) = groups.values()
        if group.promptpay_id:
            name = Bilingual(group.promptpay_name or group.name_th)
            return Receiver(ReceiverKind.group, group.id, group.promptpay_id, name)
    if len(centers) == 1:
        (center,) = centers.values()
        if center.promptpay_id:
            name = Bilingual(center.promptpay_name or center.name_th)
            return Receiver(ReceiverKind.center, center.id, center.promptpay_id, name)
    return _market()


def _by_promptpay(stops: Sequence[Stop]) -> Way:
    receiver = receiver_for(stops)
    if receiver is None:
        why_not = N_("The market has no PromptPay account yet, so a basket of several groups cannot be paid that way.")
        return Way(PaymentMethod.promptpay, why_not=Message(why_not, {}))
    return Way(PaymentMethod.promptpay, receiver)


def _by_card(total_satang: int) -> list[Way]:
    if not stripe_gateway.is_open():
        return []
    least, most = stripe_gateway.LEAST_SATANG, stripe_gateway.MOST_SATANG
    if not least <= total_satang <= most:
        params = {"least": baht(least), "most": baht(most)}
        why_not = Message(N_("Stripe takes payments from %(least)s to %(most)s."), params)
        return [Way(PaymentMethod.card, why_not=why_not)]
    return [Way(PaymentMethod.card, Receiver(ReceiverKind.market, None, None, Bilingual(settings().promptpay_name)))]


def _in_cash(stops: Sequence[Stop]) -> Way:
    if not all(stop.delivery and stop.delivery.is_pickup for stop in stops):
        return Way(PaymentMethod.cash, why_not=Message(N_("Cash is for goods that you pick up yourself."), {}))
    refusing = next((stop.group for stop in stops if not stop.group.cash_enabled), None)
    if refusing is not None:
        name = Bilingual(refusing.name_th, refusing.name_en)
        return Way(PaymentMethod.cash, why_not=Message(N_("%(group)s does not take cash."), {"group": name}))
    return Way(PaymentMethod.cash)


def _market() -> Receiver | None:
    if not (own := settings().promptpay_id):
        return None
    return Receiver(ReceiverKind.market, None, promptpay.normalise_proxy(own), Bilingual(settings().promptpay_name))
