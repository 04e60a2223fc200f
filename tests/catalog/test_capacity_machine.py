"""Whatever is held, paid, released, given back, restocked and however the clock jumps: nothing is sold twice.

A model of a few lines, written from the rules alone, says what each step must do; the real verbs over the real database
must say the same.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from app import clock
from app.database import new_id
from app.errors import Refusal
from catalog import capacity
from catalog.capacity import HeldByBuyers, Hold, HoldRanOut, NotEnough, Pool, Want
from tests.ground.databases import clean

START = datetime(2026, 12, 31, 16, 0, tzinfo=UTC)  # an hour before the new year in Bangkok
AMOUNTS = st.sampled_from([500, 1000, 1500, 3000])


@dataclass
class Holding:
    """One hold as the model knows it."""

    amount: int
    until: datetime
    state: str = "held"


class Model:
    """One pool: what is on hand, and who has what of it."""

    def __init__(self, on_hand: int) -> None:
        self.on_hand = on_hand
        self.holdings: dict[UUID, Holding] = {}

    def held(self) -> int:
        return sum(each.amount for each in self.holdings.values() if each.state == "held")

    def left(self) -> int:
        return self.on_hand - sum(
            each.amount for each in self.holdings.values() if each.state == "held" and each.until > clock.now()
        )

    def free(self, sparing: UUID | None = None) -> None:
        for owner, each in self.holdings.items():
            if each.state == "held" and each.until <= clock.now() and owner != sparing:
                each.state = "expired"

    def hold(self, owner: UUID, amount: int, until: datetime) -> bool:
        if self.on_hand - self.held() < amount:
            self.free()
        if self.on_hand - self.held() < amount:
            return False
        self.holdings[owner] = Holding(amount, until)
        return True

    def can_come_back(self, owner: UUID) -> bool:
        each = self.holdings[owner]
        if each.state == "expired":
            if self.on_hand - self.held() < each.amount:
                self.free(sparing=owner)
            return self.on_hand - self.held() >= each.amount
        return each.state != "released"


class Shelf(RuleBasedStateMachine):
    """Buyers of one pool, the group that restocks it, and a clock that jumps."""

    engine: AsyncEngine
    run: Callable[[Coroutine[Any, Any, Any]], Any]

    def __init__(self) -> None:
        super().__init__()
        self.frozen = clock.frozen(START)
        self.clock = self.frozen.__enter__()
        self.owners: list[UUID] = []

    def teardown(self) -> None:
        self.frozen.__exit__(None, None, None)
        self.run(self._clean())

    @initialize(on_hand=AMOUNTS)
    def open(self, on_hand: int) -> None:
        self.model = Model(on_hand)
        self.pool_id: UUID = self.run(self._told(lambda session: capacity.new_pool(session, on_hand)))

    @rule(amount=AMOUNTS, minutes=st.integers(1, 90))
    def hold(self, amount: int, minutes: int) -> None:
        owner, until = new_id(), clock.now() + timedelta(minutes=minutes)
        expected = self.model.hold(owner, amount, until)
        want = Want(self.pool_id, owner, amount)

        assert self.tell(lambda session: capacity.hold(session, [want], until), NotEnough) is expected
        if expected:
            self.owners.append(owner)

    @rule(pick=st.randoms(use_true_random=False))
    def pay(self, pick: Any) -> None:
        if not self.owners:
            return
        owner = pick.choice(self.owners)
        expected = self.model.can_come_back(owner)

        assert self.tell(lambda session: capacity.confirm(session, [owner]), HoldRanOut) is expected
        each = self.model.holdings[owner]
        if expected and each.state in {"held", "expired"}:
            each.state = "taken"
            self.model.on_hand -= each.amount

    @rule(pick=st.randoms(use_true_random=False), minutes=st.integers(1, 90))
    def prolong(self, pick: Any, minutes: int) -> None:
        if not self.owners:
            return
        owner, until = pick.choice(self.owners), clock.now() + timedelta(minutes=minutes)
        expected = self.model.can_come_back(owner)

        assert self.tell(lambda session: capacity.prolong(session, [owner], until), HoldRanOut) is expected
        each = self.model.holdings[owner]
        if expected and each.state in {"held", "expired"}:
            each.state, each.until = "held", until

    @rule(pick=st.randoms(use_true_random=False), paid=st.booleans())
    def cancel(self, pick: Any, paid: bool) -> None:  # noqa: FBT001 - drawn by name
        if not self.owners:
            return
        owner = pick.choice(self.owners)
        verb = capacity.give_back if paid else capacity.release

        assert self.tell(lambda session: verb(session, [owner]), Refusal)
        each = self.model.holdings[owner]
        if each.state == "taken" and paid:
            each.state = "released"
            self.model.on_hand += each.amount
        elif each.state == "held":
            each.state = "expired" if each.until <= clock.now() else "released"

    @rule(on_hand=st.sampled_from([0, 500, 2000, 5000]))
    def restock(self, on_hand: int) -> None:
        self.model.free()
        expected = on_hand >= self.model.held()

        assert self.tell(lambda session: capacity.set_on_hand(session, self.pool_id, on_hand), HeldByBuyers) is expected
        if expected:
            self.model.on_hand = on_hand

    @rule(minutes=st.integers(-30, 120))
    def jump(self, minutes: int) -> None:
        self.clock.jump(timedelta(minutes=minutes))

    @rule()
    def ask_again(self) -> None:
        """Looking changes nothing."""
        self.agree()

    @invariant()
    def agree(self) -> None:
        if not hasattr(self, "pool_id"):
            return
        on_hand, held, left, taken = self.run(self._told(self._look))
        assert held <= on_hand
        assert (on_hand, left) == (self.model.on_hand, self.model.left())
        assert taken == {owner for owner, each in self.model.holdings.items() if each.state == "taken"}

    def tell(self, verb: Callable[[AsyncSession], Coroutine[Any, Any, None]], refusal: type[Refusal]) -> bool:
        """Do it in a transaction of its own; false when it was refused."""
        try:
            self.run(self._told(verb))
        except refusal:
            return False
        return True

    async def _told(self, verb: Callable[[AsyncSession], Coroutine[Any, Any, Any]]) -> Any:
        async with AsyncSession(self.engine) as session, session.begin():
            return await verb(session)

    async def _look(self, session: AsyncSession) -> tuple[int, int, int, set[UUID]]:
        left = (await capacity.left_of(session, [self.pool_id]))[self.pool_id]
        row = (await session.execute(select(Pool).where(Pool.id == self.pool_id))).scalar_one()
        taken = select(Hold.owner_id).where(Hold.pool_id == self.pool_id, Hold.state == "taken")
        return row.on_hand_milli, row.held_milli, left, set(await session.scalars(taken))

    async def _clean(self) -> None:
        async with self.engine.begin() as connection:
            await clean(connection)


def explore(url: str, examples: int, steps: int) -> None:
    """Let Hypothesis look for a sequence of steps that the market gets wrong."""
    with asyncio.Runner() as runner:
        engine = create_async_engine(url, pool_size=1)
        machine = type("OurShelf", (Shelf,), {"engine": engine, "run": staticmethod(runner.run)})
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=examples,
                stateful_step_count=steps,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
        runner.run(engine.dispose())


def test_no_sequence_of_steps_sells_anything_twice(migrated_database: str) -> None:
    explore(migrated_database, examples=25, steps=30)


@pytest.mark.long
def test_no_sequence_of_many_steps_sells_anything_twice(migrated_database: str) -> None:
    explore(migrated_database, examples=400, steps=60)
