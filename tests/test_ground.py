"""What the tests themselves stand on: nothing a test commits is seen by the next one, and counting counts."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import httpx
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app import access
from app.access import Membership, Role
from app.database import engine, new_id
from app.people import Person
from tests import factories
from tests.ground.browsers import OpenPage
from tests.ground.databases import QueryCount, clean


@pytest.mark.parametrize("turn", ["first", "second"])
async def test_every_test_finds_an_empty_market(session: AsyncSession, turn: str) -> None:
    assert await session.scalar(select(func.count()).select_from(Person)) == 0
    await factories.staff(session)
    await session.commit()


async def test_cleaning_leaves_the_history_and_what_migrations_put_in(database: str) -> None:
    async with engine().begin() as connection:
        await connection.execute(text("CREATE TABLE testing.attempts AS SELECT * FROM attempts"))
        await connection.execute(text("INSERT INTO testing.attempts VALUES (gen_random_uuid(), 'kept', now())"))
        await connection.execute(text("INSERT INTO attempts VALUES (gen_random_uuid(), 'dirt', now())"))
        await clean(connection)
        assert (await connection.scalars(text("SELECT about FROM attempts"))).all() == ["kept"]
        assert await connection.scalar(text("SELECT count(*) FROM alembic_version")) == 1
        await connection.execute(text("DROP TABLE testing.attempts"))


async def test_foreign_keys_hold_again_after_cleaning(session: AsyncSession) -> None:
    async with engine().begin() as connection:
        await clean(connection)
    session.add(Membership(person_id=new_id(), role=Role.staff, since_at=await session.scalar(select(func.now()))))
    with pytest.raises(IntegrityError):
        await session.flush()


async def test_queries_are_counted(
    session: AsyncSession, query_count: Callable[[], AbstractContextManager[QueryCount]]
) -> None:
    with query_count() as queries:
        await access.scope_of(session, None)
        await session.execute(select(func.now()))
        await session.execute(select(func.now()))
    assert len(queries) == 2


async def test_the_client_reaches_the_application(client: httpx.AsyncClient) -> None:
    assert (await client.get("/readyz")).json()["ready"] is True


@pytest.mark.journey
async def test_a_browser_reaches_the_running_market(open_page: OpenPage) -> None:
    page = await open_page(lang="en")
    await page.goto("/healthz")
    assert await page.inner_text("body") == "alive"
    assert await page.evaluate("[innerWidth, navigator.language]") == [360, "en-GB"]
