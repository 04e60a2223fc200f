"""`market check` says nothing about a market that is well, and names each thing that is broken in it."""

import os
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.pool import NullPool

from app import archive, backup, check, embedded, files, findings, restore
from app.clock import frozen
from app.database import engine, sessions
from app.findings import Finding
from app.worker import work_off
from migrations import history
from tests import pictures
from tests.app.markets import at_home
from tests.app.test_cli import market
from tests.ground.databases import TUESDAY_MORNING, clean, copy_of_template, empty_database
from tests.ground.homes import NewHome
from tests.orders import every_state

ORDER: Final = "(SELECT id FROM orders WHERE note = '{}')"
LINE: Final = f"(SELECT min(id::text)::uuid FROM order_lines WHERE order_id = {ORDER})"
LONG_AGO: Final = "'2026-11-01 00:00+00'"

#: How to break what each check looks after, and words that the finding must have.  Orders are named by their note.
BREAKS: Final[Mapping[str, tuple[str, str]]] = {
    "ledger facts sum to zero": (
        "UPDATE ledger_entries SET satang = satang + 1 WHERE id = (SELECT id FROM ledger_entries LIMIT 1)",
        "sum to 0.01 baht",
    ),
    "the ledger sums to zero": (
        "DELETE FROM ledger_entries WHERE id = (SELECT id FROM ledger_entries WHERE satang = 14000 LIMIT 1)",
        "-140.00 baht",
    ),
    "entries stand on the day of their fact": (
        "UPDATE ledger_entries SET business_day = '2026-01-01' WHERE id = (SELECT id FROM ledger_entries LIMIT 1)",
        "2026-01-01",
    ),
    "groups' earnings are paid out or owed": (
        (
            "ALTER TABLE ledger_entries DROP CONSTRAINT ck_ledger_entries_purpose_is_known;"
            " UPDATE ledger_entries SET purpose = 'gift' WHERE id ="
            " (SELECT id FROM ledger_entries WHERE account = 'group' AND purpose = 'sale' LIMIT 1)"
        ),
        "and is owed",
    ),
    "pools follow their holds": ("UPDATE pools SET held_milli = held_milli + 500 WHERE held_milli > 0", "goods-"),
    "nothing is sold twice": (
        (
            "ALTER TABLE pools DROP CONSTRAINT ck_pools_held_within_on_hand;"
            " ALTER TABLE pools DROP CONSTRAINT ck_pools_on_hand_not_negative;"
            " UPDATE pools SET on_hand_milli = -1000"
        ),
        "has -1 on hand",
    ),
    "holds have a pool": (
        f"UPDATE holds SET pool_id = gen_random_uuid() WHERE owner_id = {LINE.format('cancelled')}",
        "does not exist",
    ),
    "listings know their group": ("UPDATE listings SET is_open = false", "goods-"),
    "orders received what their payments say": (
        f"DELETE FROM payments WHERE order_id = {ORDER.format('paid')}",
        "came in; its payments say 0.00",
    ),
    "orders promised back what their refunds say": (
        f"DELETE FROM refund_tasks WHERE order_id = {ORDER.format('paid back')}",
        "its refund tasks say 0.00",
    ),
    "paid orders are paid": (
        f"UPDATE orders SET received_satang = 100, returned_satang = 0 WHERE id = {ORDER.format('packed')}",
        "only 1.00 of",
    ),
    "no payment without an order": (
        f"UPDATE orders SET returned_satang = 0 WHERE id = {ORDER.format('waits for its money')}",
        "not promised back",
    ),
    "payments stand in the ledger": (
        (
            "DELETE FROM ledger_facts WHERE key = 'payment ' ||"
            f" (SELECT id FROM payments WHERE order_id = {ORDER.format('paid')})"
        ),
        "has no fact",
    ),
    "what was handed over stands in the ledger": (
        (
            "UPDATE ledger_facts SET key = 'lost' WHERE key = 'handed over ' ||"
            f" (SELECT id FROM order_parts WHERE order_id = {ORDER.format('cash fetched')})"
        ),
        "has no fact",
    ),
    "lines have their goods": (f"DELETE FROM holds WHERE owner_id = {LINE.format('placed')}", "not there"),
    "goods that left the stock have a line": (
        f"UPDATE holds SET owner_id = gen_random_uuid() WHERE owner_id = {LINE.format('paid')}",
        "belongs to no order's line",
    ),
    "lines hold what was ordered": (
        f"UPDATE holds SET amount_milli = 500 WHERE owner_id = {LINE.format('placed')}",
        "2 of",
    ),
    "no order in doubt": (
        f"UPDATE orders SET hold_until_at = {LONG_AGO} WHERE id = {ORDER.format('part paid')}",
        "10.00 baht came in",
    ),
    "orders run out": (
        f"UPDATE orders SET hold_until_at = {LONG_AGO} WHERE id = {ORDER.format('placed')}",
        "1 unpaid orders",
    ),
    "slips are looked at": (f"UPDATE slips SET sent_at = {LONG_AGO}", "waits since 2026-11-01 00:00 UTC"),
    "the provider decided about payments": (
        (
            "INSERT INTO provider_payments (id, order_id, provider, checkout_id, satang, state, asked_at, expires_at)"
            f" SELECT gen_random_uuid(), id, 'stripe', 'cs_1', 100, 'asked', {LONG_AGO}, {LONG_AGO} FROM orders"
            " WHERE note = 'placed'"
        ),
        "1.00 baht were asked for through stripe",
    ),
    "the provider's events are worked": (
        (
            "INSERT INTO provider_events (id, provider, event_id, kind, payload, received_at, attempts, last_error)"
            f" VALUES (gen_random_uuid(), 'stripe', 'evt_1', 'refund.updated', '{{}}', {LONG_AGO}, 3, 'no such order')"
        ),
        "no such order",
    ),
    "failed jobs": (
        (
            "UPDATE jobs SET failed_at = now(), attempts = 10, last_error = 'OSError: no route'"
            " WHERE id = (SELECT id FROM jobs LIMIT 1)"
        ),
        "OSError: no route",
    ),
    "overdue jobs": (
        f"UPDATE jobs SET run_after_at = {LONG_AGO}, done_at = NULL",
        "should have been done since 2026-11-01",
    ),
}


@pytest.fixture(scope="module")
async def stocked_home(migrated_database: str, homes: NewHome) -> AsyncIterator[Path]:
    """The database and a folder with an order in every state; all tests of this module look at the same."""
    with at_home(homes()) as home, frozen(TUESDAY_MORNING) as clock:
        async with sessions()() as session:
            orders = await every_state.market(session, clock)
            await every_state.photo(session, await every_state.stall_of(session, orders[0]), pictures.jpeg(40, 30))
            await work_off()
        yield home
    async with engine().begin() as connection:
        await clean(connection)


@pytest.fixture
async def well(stocked_home: Path) -> AsyncIterator[AsyncSession]:
    """A session in that market, at its time, whose changes are undone."""
    with at_home(stocked_home), frozen(TUESDAY_MORNING + timedelta(hours=2)):
        async with sessions()() as session:
            yield session
            await session.rollback()


async def test_nothing_is_wrong_with_a_market_that_its_own_verbs_made(well: AsyncSession) -> None:
    found = await check.check(os.environ["DATABASE_URL"], all_files=True)
    assert found == [check.SEARCH]


@pytest.mark.parametrize("name", [each.name for each in check.CHECKS])
async def test_what_is_broken_is_named(well: AsyncSession, name: str) -> None:
    statements, words = BREAKS[name]
    await well.execute(text("SET LOCAL session_replication_role = replica"))
    for statement in statements.split(";"):
        result = await well.execute(text(statement.replace(":00", r"\:00")))
    assert result.rowcount > 0  # type: ignore[attr-defined]  # it did break something
    found = await findings.of_checks(well, check.CHECKS)
    assert any(words in finding.says for finding in found if finding.check == name), found


async def test_many_findings_of_one_kind_are_counted(well: AsyncSession) -> None:
    await well.execute(
        text(
            "INSERT INTO jobs (id, kind, payload, run_after_at, attempts, created_at, failed_at)"
            " SELECT gen_random_uuid(), 'test', '{}', now(), 10, now(), now() FROM generate_series(1, 25)"
        )
    )
    found = [each for each in await findings.of_checks(well, check.CHECKS) if each.check == "failed jobs"]
    assert (len(found), found[-1].says) == (findings.MOST_NAMED + 1, "… and 15 more")


async def test_a_picture_that_is_gone_is_named(well: AsyncSession) -> None:
    key = await well.scalar(text("SELECT original_key FROM photos"))
    original = await files.get(key)
    await files.delete(key)
    found = await check.check(os.environ["DATABASE_URL"])
    await files.put(key, original, "image/jpeg")
    assert Finding("files", f"{key} is not in the file store") in found


async def test_old_tables_are_named_before_anything_else(test_server: embedded.Server) -> None:
    async with empty_database(test_server, f"test_{os.getpid()}_old") as url:
        await history.upgrade(url, "0005_incubation_centers")
        [finding] = await check.check(url)
    assert "0005_incubation_centers" in finding.says


async def test_a_restored_market_is_well(
    well: AsyncSession, test_server: embedded.Server, homes: NewHome, tmp_path: Path
) -> None:
    with archive.writing(tmp_path / "market.tar") as writer:
        await backup.take(os.environ["DATABASE_URL"], writer)
    async with empty_database(test_server, f"test_{os.getpid()}_restored") as url:
        with at_home(homes()):
            await restore.restore(url, tmp_path / "market.tar")
            assert await check.check(url, all_files=True) == [check.SEARCH]


async def test_the_command_fails_when_something_is_wrong(test_server: embedded.Server) -> None:
    async with copy_of_template(test_server, f"test_{os.getpid()}_commanded") as url:
        said = await market("check", DATABASE_URL=url)
        assert (said.code, said.output.splitlines()[-1]) == (0, "All is well."), said
        other = create_async_engine(url, poolclass=NullPool)
        async with other.begin() as connection:
            await connection.execute(text("INSERT INTO pools VALUES (gen_random_uuid(), 0, 0)"))
            await connection.execute(text("ALTER TABLE pools DISABLE TRIGGER USER"))
            await connection.execute(text("ALTER TABLE pools DROP CONSTRAINT ck_pools_held_within_on_hand"))
            await connection.execute(text("UPDATE pools SET held_milli = 1000"))
        said = await market("check", DATABASE_URL=url)
    assert said.code == 1
    assert "WRONG: nothing is sold twice: pool " in said.output
    assert said.output.splitlines()[-1] == "2 things are wrong."
