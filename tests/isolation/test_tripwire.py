"""The tripwire fires for a query without an owner, and for nothing else."""

from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Select, delete, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.access import Scope, whole_market
from app.database import Session, engine
from app.people import Person
from catalog.listings import Listing, ListingState, Variant
from migrations.tables import metadata
from orders.order import Order, OrderLine, OrderPart, received_by
from orders.slips import Slip
from producers.groups import Group, GroupState
from tests.ground.tripwire import NOBODYS, OWNERS, SECRETS, Watched, tripwire, unpinned

SOME = uuid4()
STAFF = Scope(is_staff=True)
parts_of_group = select(OrderPart.order_id).where(OrderPart.group_id == SOME)

UNOWNED = {
    "nothing": (select(Order), ["orders"]),
    "a number": (select(Order).where(Order.number == "123456"), ["orders"]),
    "a slug": (select(Group).where(Group.slug == "khao-mao"), ["groups"]),
    "a state": (select(Slip).where(Slip.state == "waiting"), ["slips"]),
    "one side of an or": (select(Order).where(or_(Order.person_id == SOME, Order.number == "1")), ["orders"]),
    "a join to what is loose": (
        select(Order, OrderPart).join(OrderPart, OrderPart.order_id == Order.id),
        ["order_parts", "orders"],
    ),
    "a subquery that is loose": (select(Order).where(Order.id.in_(select(OrderPart.order_id))), ["order_parts"]),
    "a derived table": (select(select(Order.id).subquery()), ["orders"]),
    "a union": (select(Order.id).where(Order.id == SOME).union(select(Order.id)), ["orders"]),
    "an update": (update(Order).where(Order.state == "placed").values(note=""), ["orders"]),
    "a delete": (delete(Slip).where(Slip.state == "waiting"), ["slips"]),
    "a draft": (select(Listing).where(Listing.state == ListingState.draft), ["listings"]),
}
OWNED: dict[str, Select[Any]] = {
    "its group": select(OrderPart).where(OrderPart.group_id.in_([SOME])),
    "its key": select(Order).where(Order.id == SOME),
    "its link": select(Order).where(Order.link_token == "x"),
    "a join": select(Order).join(OrderPart, OrderPart.order_id == Order.id).where(OrderPart.group_id == SOME),
    "a chain": select(OrderLine).join(OrderPart).join(Order).where(Order.person_id == SOME),
    "a subquery": select(Order).where(Order.id.in_(parts_of_group)),
    "a correlated subquery": select(Group).where(
        Group.state == GroupState.approved, exists().where(Listing.group_id == Group.id)
    ),
    "what is shown": select(Variant).join(Listing).where(Listing.published_at.is_not(None)),
    "staff's scope": select(Slip).join(Order, Order.id == Slip.order_id).where(received_by(STAFF)),
    "a scope": select(Group).where(Scope().watching(Group.id, Group.center_id)),
    "either of two that are joined": select(Order)
    .join(OrderPart, OrderPart.order_id == Order.id)
    .where(or_(Order.receiver_id == SOME, OrderPart.group_id == SOME)),
    "the whole market": select(Order).where(whole_market("a test"), Order.number == "1"),
}


@pytest.mark.parametrize("named", UNOWNED)
def test_a_query_without_an_owner_is_found(named: str) -> None:
    statement, tables = UNOWNED[named]
    assert unpinned(statement) == tables


@pytest.mark.parametrize("named", OWNED)
def test_a_query_that_says_whose_rows_passes(named: str) -> None:
    assert unpinned(OWNED[named]) == []


async def test_a_request_with_a_loose_query_trips(database: str) -> None:
    app = FastAPI()

    @app.get("/people")
    async def everybody(session: Session) -> int:
        return len((await session.scalars(select(Person))).all())

    with tripwire(engine()) as unscoped:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(Watched(app)), base_url="http://test") as client:
            assert (await client.get("/people")).json() == 0
    (found,) = unscoped
    assert found.startswith("people without an owner in: SELECT people.id")


async def test_what_no_request_asks_is_not_looked_at(session: AsyncSession) -> None:
    with tripwire(engine()) as unscoped:
        await session.scalars(select(Person))
    assert unscoped == []


def test_the_tripwire_names_what_there_is() -> None:
    columns = {f"{table.name}.{column.name}" for table in metadata.tables.values() for column in table.columns}
    assert sorted((SECRETS | OWNERS) - columns) == []
    assert sorted(NOBODYS - metadata.tables.keys()) == []
