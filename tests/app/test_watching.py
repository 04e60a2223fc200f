"""What watchers are told: alive, ready, and figures that move with the trade."""

import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from importlib import import_module
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app import jobs, worker, worker_port
from app.clock import FrozenClock
from app.database import engine, sessions
from app.limits import Attempt
from app.settings import settings
from tests.orders import factories

TOKEN = "a long token for tests"
Figures = dict[str, float]


@pytest.fixture
def setting(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """Change a setting for the length of a test."""

    def change(name: str, value: str) -> None:
        monkeypatch.setenv(name, value)
        settings.cache_clear()

    yield change
    monkeypatch.undo()
    settings.cache_clear()


async def figures(client: httpx.AsyncClient, market: FastAPI) -> Figures:
    """Every sample by name and labels, asked anew."""
    market.state.asked.due_at = dict.fromkeys(market.state.asked.due_at, 0.0)
    answer = await client.get("/metrics")
    assert answer.status_code == 200
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def lose_database() -> None:
    """As if the server were gone: the next engine knocks where nobody opens."""
    await engine().dispose()
    engine.cache_clear()
    sessions.cache_clear()


@pytest.fixture
async def no_database(setting: Callable[[str, str], None], database: str) -> AsyncIterator[None]:
    await lose_database()
    setting("DATABASE_URL", "postgresql://market@127.0.0.1:1/market")
    yield
    setting("DATABASE_URL", database)
    await lose_database()


async def test_without_its_database_a_process_is_alive_and_not_ready(
    client: httpx.AsyncClient, no_database: None
) -> None:
    assert (await client.get("/healthz")).text == "alive"
    ready = await client.get("/readyz")
    assert (ready.status_code, ready.json()["database"]) == (503, "away")


async def test_without_its_database_the_counts_are_still_told(
    client: httpx.AsyncClient, market: FastAPI, no_database: None
) -> None:
    told = await figures(client, market)
    assert told["market_database_up"] == 0
    assert "market_jobs_failed" not in told


async def test_a_ready_market_tells_what_it_does_without(client: httpx.AsyncClient) -> None:
    assert (await client.get("/readyz")).json() == {"ready": True, "database": "ok", "files": "ok", "mail": "not set"}


async def test_mail_and_files_being_away_do_not_make_it_unready(
    client: httpx.AsyncClient, setting: Callable[[str, str], None]
) -> None:
    setting("SMTP_URL", "smtp://127.0.0.1:1")
    setting("MARKET_HOME", "/nowhere")
    ready = await client.get("/readyz")
    assert (ready.status_code, ready.json()["mail"], ready.json()["files"]) == (200, "away", "away")


@pytest.mark.parametrize(
    ("found", "status", "word"),
    [("0001", 503, "behind: run `market migrate`"), ("9999_of_tomorrow", 200, "newer")],
)
async def test_older_tables_are_not_served_and_newer_ones_are(
    client: httpx.AsyncClient, market: FastAPI, session: AsyncSession, found: str, status: int, word: str
) -> None:
    found = next((known for known in market.state.revisions if known.startswith(found)), found)
    await session.execute(text("UPDATE alembic_version SET version_num = :found"), {"found": found})
    await session.commit()
    try:
        ready = await client.get("/readyz")
    finally:
        await session.execute(text("UPDATE alembic_version SET version_num = :n"), {"n": market.state.revisions[0]})
        await session.commit()
    assert (ready.status_code, ready.json()["database"]) == (status, word)


@pytest.mark.parametrize(("goes_rounds", "status"), [("yes", 200), ("", 503)])
async def test_a_worker_that_goes_no_rounds_is_stuck(goes_rounds: str, status: int) -> None:
    application = worker_port.application(("0001",), lambda: bool(goes_rounds))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://worker") as client:
        assert (await client.get("/healthz")).status_code == status
        assert (await client.get("/metrics")).status_code == 200


@pytest.mark.parametrize("headers", [{"X-Forwarded-For": "127.0.0.1"}, {"Via": "1.1 proxy"}, {"Forwarded": "for=::1"}])
async def test_figures_are_not_told_to_who_comes_by_a_proxy(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    assert (await client.get("/metrics", headers=headers)).status_code == 404


async def test_figures_are_not_told_to_another_machine(market: FastAPI, database: str) -> None:
    transport = httpx.ASGITransport(market, client=("203.0.113.7", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://market.test") as stranger:
        assert (await stranger.get("/metrics")).status_code == 404


@pytest.mark.parametrize(("said", "status"), [(f"Bearer {TOKEN}", 200), ("Bearer another", 404), ("", 404)])
async def test_a_token_opens_the_figures(
    client: httpx.AsyncClient, setting: Callable[[str, str], None], said: str, status: int
) -> None:
    setting("METRICS_TOKEN", TOKEN)
    answer = await client.get("/metrics", headers={"Authorization": said, "X-Forwarded-For": "203.0.113.7"})
    assert answer.status_code == status


async def test_figures_move_with_the_trade(
    client: httpx.AsyncClient, market: FastAPI, session: AsyncSession, clock: FrozenClock
) -> None:
    await factories.fee_rules(session)
    stall = await factories.stall(session, promptpay=None)
    stall.center.promptpay_id, stall.center.promptpay_name = "0898887777", "ศูนย์"
    await session.commit()
    before = await figures(client, market)
    await factories.paid_order(session, (stall, 2000))
    await factories.order(session, (stall, 1000))
    await session.commit()
    clock.jump(timedelta(hours=2))
    after = await figures(client, market)
    assert moved(before, after, "market_orders paid", "market_orders placed", "market_holds run_out") == [1, 1, 1]
    assert moved(before, after, "market_orders_of_a_day placed", "market_orders_of_a_day paid") == [2, 1]
    assert after["market_ledger_entries"] > before["market_ledger_entries"]
    assert after["market_ledger_sum_satang"] == 0


def moved(before: Figures, after: Figures, *names: str) -> list[float]:
    return [after[name] - before[name] for name in names]


async def test_books_that_do_not_balance_are_told(
    client: httpx.AsyncClient, market: FastAPI, session: AsyncSession
) -> None:
    await factories.fee_rules(session)
    stall = await factories.stall(session)
    await factories.paid_order(session, (stall, 1000))
    await session.commit()
    await session.execute(text("ALTER TABLE ledger_entries DISABLE TRIGGER ALL"))
    await session.execute(text("UPDATE ledger_entries SET satang = satang + 1 WHERE position = 0"))
    await session.execute(text("ALTER TABLE ledger_entries ENABLE TRIGGER ALL"))
    await session.commit()
    assert (await figures(client, market))["market_ledger_sum_satang"] > 0


async def test_jobs_are_told_while_they_wait_and_when_they_are_done(
    client: httpx.AsyncClient, market: FastAPI, session: AsyncSession, clock: FrozenClock
) -> None:
    await jobs.enqueue(session, "jobs.forget", {})
    await session.commit()
    clock.jump(timedelta(minutes=5))
    waiting = await figures(client, market)
    assert (waiting["market_jobs_due jobs.forget"], waiting["market_jobs_oldest_due_seconds"]) == (1, 300)
    await worker.work_off()
    done = await figures(client, market)
    assert "market_jobs_due jobs.forget" not in done
    assert done["market_job_seconds_count jobs.forget done"] >= 1


async def test_the_database_is_asked_no_more_than_every_quarter_of_a_minute(
    client: httpx.AsyncClient, query_count: Callable[[], object]
) -> None:
    await client.get("/metrics")
    with query_count() as queries:  # type: ignore[attr-defined]
        for _ in range(3):
            await client.get("/metrics")
    assert len(queries) == 0


async def test_requests_are_measured_by_route(client: httpx.AsyncClient, market: FastAPI) -> None:
    before = await figures(client, market)
    for address in ("/o/a-link-of-somebody", "/o/another-link-of-somebody", "/nowhere-at-all"):
        await client.get(address)
    after = await figures(client, market)
    names = ("market_request_seconds_count GET /o/{token} 404", "market_request_seconds_count GET (none) 404")
    assert [after[name] - before.get(name, 0) for name in names] == [2, 1]


def test_processes_of_one_home_are_added_up_and_the_dead_forgotten(tmp_path: Path) -> None:
    """A count of a process that ended stays until the market starts again; what it held went with it."""
    script = (
        "import os, sys; from pathlib import Path; from app import meters;"
        "meters.share(Path(sys.argv[1])); meters.request_done('GET', '/', 200, 0.1);"
        "meters.meters().connections_used.inc();"
        "os.fork() == 0 and (meters.request_done('GET', '/', 200, 0.1), os._exit(0)); os.wait();"
        "from prometheus_client import generate_latest; print(generate_latest(meters.registry()).decode())"
    )
    told = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True)
    assert 'market_request_seconds_count{method="GET",route="/",status="200"} 2.0' in told.stdout
    assert "market_database_connections_used 1.0" in told.stdout


@pytest.mark.parametrize(("trusted", "seen"), [("127.0.0.0/8,10.0.0.1", "203.0.113.9"), ("", "127.0.0.1")])
async def test_a_readers_address_is_believed_of_trusted_proxies_only(
    session: AsyncSession, setting: Callable[[str, str], None], trusted: str, seen: str
) -> None:
    setting("TRUSTED_PROXIES", trusted)
    behind = httpx.ASGITransport(import_module("app.main").create_app(), client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=behind, base_url="http://market.test") as client:
        wrong = {"number": "123456", "phone": "5678"}
        await client.post("/orders/find", data=wrong, headers={"X-Forwarded-For": "198.51.100.1, 203.0.113.9"})
    tried = (await session.scalars(select(Attempt.about))).all()
    assert any(seen in about for about in tried)
