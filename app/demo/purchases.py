"""What was bought in the demo's year: drawn once from seeded dice, in season, more each month as the market grows.

Nothing here touches the database: a purchase says who wants what when, and how its story goes.  `app.demo.year` plays
the stories through the market's own verbs.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from app import clock
from app.clock import BANGKOK
from app.demo.stock import DemoGroup, Stock, Ware
from catalog.listings import MILLI
from orders.checkout import Buyer
from orders.states import DeliveryKind


class Story(StrEnum):
    """How a purchase goes."""

    delivered = "delivered"
    changed_mind = "changed_mind"
    """The buyer cancels before paying."""
    forgotten = "forgotten"
    """Nobody pays, and the hold runs out."""
    late = "late"
    """Money comes after the hold ran out, and the goods are still there."""
    too_late = "too_late"
    """… and the goods are gone: a refund task."""
    wrong_slip = "wrong_slip"
    """The first slip is refused, the second one is right."""
    given_back = "given_back"
    """Paid, but the group cannot deliver: cancelled and paid back."""
    unpaid = "unpaid"
    """Stops here: placed, nothing more yet."""
    slip_waits = "slip_waits"
    to_pack = "to_pack"
    packed = "packed"


#: How often in a thousand; the rest is delivered.
UNUSUAL: Final = {
    Story.changed_mind: 25,
    Story.forgotten: 25,
    Story.late: 10,
    Story.wrong_slip: 10,
    Story.given_back: 8,
}
#: What staff have to look at now, one of each: how long ago it began.
TROUBLES: Final = ((Story.too_late, timedelta(hours=30)), (Story.given_back, timedelta(hours=52)))
BASE_PER_DAY: Final = 1.02
GROWTH: Final = 0.9
"""What a day sells at the end of the year more than at its beginning, as a part of the base."""
#: People give presents at the turn of the year and eat fruit in the hot months.
BY_MONTH: Final = {1: 1.2, 2: 0.9, 3: 0.9, 4: 1.0, 5: 1.2, 6: 1.25, 7: 1.1, 8: 1.0, 9: 0.9, 10: 1.0, 11: 1.1, 12: 1.35}
IN_SEASON: Final = 2.5
FROM_TWO_GROUPS: Final = 0.2
IN_CASH: Final = 0.6
"""Of those who fetch everything where cash is taken."""
REGULARS: Final = 40
BY_REGULARS: Final = 0.35
#: Up to which price (satang) people take how many at most.
AT_MOST: Final = ((70_00, 5), (200_00, 3), (100_000_00, 2))


@dataclass(frozen=True, slots=True)
class Purchase:
    """Who wants how much (thousandths) of what, how it should reach them, and how that goes."""

    at: datetime
    buyer: Buyer
    wanted: tuple[tuple[Ware, int], ...]
    deliveries: Mapping[str, DeliveryKind]
    """By the group's code."""
    in_cash: bool
    story: Story

    @property
    def satang(self) -> int:
        return sum(ware.price_satang * milli // 1000 for ware, milli in self.wanted)


def of_the_year(dice: random.Random, stock: Stock, buyers: Sequence[Buyer], first: date, last: date) -> list[Purchase]:
    """Return the purchases of all days from the first to the last, in order of time."""
    shopping = _Shopping(dice, stock, buyers)
    days = (last - first).days
    found: list[Purchase] = []
    for n in range(days + 1):
        day = first + timedelta(days=n)
        likely = BASE_PER_DAY * (1 + GROWTH * n / days) * BY_MONTH[day.month]
        found += [shopping.on(day) for _ in range(_how_many(dice, likely))]
    return sorted(found, key=lambda purchase: purchase.at)


def still_open(dice: random.Random, stock: Stock, buyers: Sequence[Buyer], now: datetime) -> list[Purchase]:
    """Return purchases of the last days that stopped on their way, some for every centre, so that desks have work."""
    shopping = _Shopping(dice, stock, buyers)
    stories = (
        (Story.packed, timedelta(hours=44)),
        (Story.to_pack, timedelta(hours=20)),
        (Story.to_pack, timedelta(hours=7)),
        (Story.slip_waits, timedelta(hours=2)),
        (Story.unpaid, timedelta(minutes=12)),
    )
    sellers = dict.fromkeys(
        stock.groups[ware.code].group.center_id for ware in shopping.wares_on(clock.business_day(now))
    )
    found = [
        shopping.at_center(center_id, now - before - timedelta(minutes=3 * n), story)
        for n, center_id in enumerate(sellers)
        for story, before in stories
    ]
    troubled = zip(sellers, TROUBLES, strict=False)
    return found + [shopping.at_center(center_id, now - before, story) for center_id, (story, before) in troubled]


class _Shopping:
    """Draws purchases."""

    def __init__(self, dice: random.Random, stock: Stock, buyers: Sequence[Buyer]) -> None:
        self._dice, self._stock, self._buyers = dice, stock, buyers

    def on(self, day: date) -> Purchase:
        wares = self.wares_on(day)
        first = self._liked(wares, day)
        codes = [first.code]
        if self._dice.random() < FROM_TWO_GROUPS:
            codes.append(self._liked([ware for ware in wares if ware.code != first.code], day).code)
        at = datetime(day.year, day.month, day.day, 6, 30, tzinfo=BANGKOK) + timedelta(
            minutes=self._dice.triangular(0, 900, 780)
        )
        return self._bought(at, first, codes, self._story())

    def at_center(self, center_id: UUID, at: datetime, story: Story) -> Purchase:
        day = clock.business_day(at)
        wares = [ware for ware in self.wares_on(day) if self._stock.groups[ware.code].group.center_id == center_id]
        first = self._liked(wares, day)
        return self._bought(at, first, list(dict.fromkeys((first.code, self._liked(wares, day).code))), story)

    def wares_on(self, day: date) -> list[Ware]:
        return [
            ware
            for ware in self._stock.wares.values()
            if ware.demand and (ware.season is None or ware.season.holds(day))
        ]

    def _liked(self, wares: Sequence[Ware], day: date) -> Ware:
        weights = [ware.demand * (IN_SEASON if ware.season and ware.season.holds(day) else 1) for ware in wares]
        return self._dice.choices(wares, weights)[0]

    def _bought(self, at: datetime, first: Ware, codes: Sequence[str], story: Story) -> Purchase:
        chosen = {first.number: first}
        for code in codes:
            own = [ware for ware in self.wares_on(clock.business_day(at)) if ware.code == code]
            for ware in self._dice.sample(own, min(len(own), self._dice.choice((1, 1, 1, 2)))):
                chosen.setdefault(ware.number, ware)
        wanted = tuple((ware, self._quantity(ware)) for ware in chosen.values())
        groups = [self._stock.groups[code] for code in dict.fromkeys(ware.code for ware in chosen.values())]
        deliveries = self._deliveries(groups)
        in_cash = story is Story.delivered and self._is_paid_in_cash(groups, deliveries)
        return Purchase(at, self._buyer(), wanted, deliveries, in_cash, story)

    def _quantity(self, ware: Ware) -> int:
        """Fruit by the kilo in half-kilo steps, everything else by the piece."""
        is_by_weight = ware.variant.step_milli < MILLI
        most = 6 if is_by_weight else next(most for price, most in AT_MOST if ware.price_satang < price)
        return ware.variant.least_milli + ware.variant.step_milli * self._dice.randrange(most)

    def _deliveries(self, groups: Sequence[DemoGroup]) -> dict[str, DeliveryKind]:
        """Most people want a parcel; who fetches, fetches everything at one kind of place."""
        (kind,) = self._dice.choices(
            [DeliveryKind.parcel, DeliveryKind.pickup_group, DeliveryKind.pickup_center], [78, 10, 12]
        )
        return {each.code: kind for each in groups}

    def _is_paid_in_cash(self, groups: Sequence[DemoGroup], deliveries: Mapping[str, DeliveryKind]) -> bool:
        may = all(each.group.cash_enabled and deliveries[each.code].is_pickup for each in groups)
        return may and self._dice.random() < IN_CASH

    def _buyer(self) -> Buyer:
        regulars = self._buyers[:REGULARS]
        return self._dice.choice(regulars if self._dice.random() < BY_REGULARS else self._buyers)

    def _story(self) -> Story:
        usual = 1000 - sum(UNUSUAL.values())
        return self._dice.choices([*UNUSUAL, Story.delivered], [*UNUSUAL.values(), usual])[0]


def _how_many(dice: random.Random, likely: float) -> int:
    """Draw how often something happens that is that likely (Knuth's way to Poisson's numbers)."""
    limit, n, product = 2.718281828**-likely, 0, dice.random()
    while product > limit:
        n += 1
        product *= dice.random()
    return n


def by_stream_and_month(purchases: Sequence[Purchase]) -> Iterator[tuple[Ware, date, int]]:
    """Say what the delivered purchases bring, in satang: which ware in which month."""
    for purchase in purchases:
        if purchase.story is Story.delivered:
            for ware, milli in purchase.wanted:
                yield ware, clock.month_of(clock.business_day(purchase.at)), ware.price_satang * milli // 1000
