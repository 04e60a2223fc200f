"""Log lines: readable, of one request, and without anything that opens a door."""

import io
import json
import logging
import re
from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app import jobs, logs, mail, worker
from app.database import engine
from app.logs import HIDDEN, JsonLines, TextLines, redacted
from app.request_log import RequestLog


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What the market writes as JSON while the test runs."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonLines())
    handler.addFilter(logs.name_request)
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield written
    root.removeHandler(handler)
    root.setLevel(level)


def told(lines: io.StringIO, logger: str) -> list[dict[str, object]]:
    return [line for line in map(json.loads, lines.getvalue().splitlines()) if line["logger"] == logger]


@pytest.mark.parametrize(
    "text",
    [
        "cannot connect to postgresql://market:hunter2secret@db:5432/market",
        "sent Authorization: Bearer hunter2secret",
        '{"password": "hunter2secret", "name": "Boonma"}',
        "api_key=hunter2secret&page=2",
        "no such page: /en/o/hunter2secret",
        "Set-Cookie: session=hunter2secret",
        "Stripe said no to sk_test_hunter2secret",
        "whsec_hunter2secret is wrong",
        "DETAIL:  Key (email)=(hunter2secret) already exists.",
    ],
)
def test_a_line_holds_no_secret(text: str) -> None:
    assert HIDDEN in redacted(text)
    assert "hunter2secret" not in redacted(text)


def test_our_own_secret_key_is_hidden_wherever_it_stands() -> None:
    assert redacted("signed with a secret for tests only!") == f"signed with {HIDDEN}!"


@pytest.mark.parametrize("text", ["Job mail.send done", "GET /o/{token} 200", "https://market.example/listings/rice"])
def test_what_is_no_secret_stays_readable(text: str) -> None:
    assert redacted(text) == text


@pytest.mark.parametrize("form", [JsonLines(), TextLines()])
def test_a_secret_in_an_error_is_hidden_too(form: logging.Formatter) -> None:
    record = logging.makeLogRecord({"name": "market", "msg": "failed", "levelno": 40})
    record.exc_info = (ValueError, ValueError("token=hunter2secret"), None)
    line = form.format(record)
    assert HIDDEN in line
    assert "ValueError" in line
    assert "hunter2secret" not in line


async def test_each_request_is_one_line_without_its_address(client: httpx.AsyncClient, lines: io.StringIO) -> None:
    answer = await client.get("/en/o/a-link-nobody-has-but-the-buyer?q=rice")
    [line] = told(lines, "market.access")
    assert (line["method"], line["route"], line["status"], line["lang"]) == ("GET", "/o/{token}", 404, "en")
    assert line["request_id"] == answer.headers["X-Request-ID"]
    assert "nobody-has" not in str(line)
    assert "rice" not in str(line)


async def test_a_remembered_page_is_told_by_its_route_too(client: httpx.AsyncClient, lines: io.StringIO) -> None:
    for _ in range(2):
        await client.get("/how-we-rank")
    assert [line["route"] for line in told(lines, "market.access")] == ["/how-we-rank", "/how-we-rank"]


async def test_watchers_leave_no_lines_while_all_is_well(client: httpx.AsyncClient, lines: io.StringIO) -> None:
    assert (await client.get("/healthz")).status_code == 200
    assert told(lines, "market.access") == []


@pytest.mark.parametrize("given", ["a1b2c3d4e5f6", "0199c1f0-5b7e-7000-8000-000000000000", "req.7_b-8"])
async def test_the_proxys_number_is_taken(client: httpx.AsyncClient, given: str) -> None:
    answer = await client.get("/healthz", headers={"X-Request-ID": given})
    assert answer.headers["X-Request-ID"] == given


@pytest.mark.parametrize("given", ["short", "x\nforged line", "é" * 9, "<script>alert(1)</script>", "a" * 65])
async def test_what_is_no_number_is_replaced(client: httpx.AsyncClient, given: str) -> None:
    answer = await client.get("/healthz", headers={b"X-Request-ID": given.encode()})
    assert re.fullmatch("[0-9a-f]{12}", answer.headers["X-Request-ID"])


async def test_an_error_page_names_the_number_to_tell_us(
    client: httpx.AsyncClient, session: AsyncSession, lines: io.StringIO
) -> None:
    await session.execute(text("ALTER TABLE attempts RENAME TO hidden"))
    await session.commit()
    try:
        answer = await client.post("/en/orders/find", data={"number": "123456", "phone": "0812345678"})
    finally:
        await session.execute(text("ALTER TABLE hidden RENAME TO attempts"))
        await session.commit()
    assert answer.status_code == 500
    assert f"<code>{answer.headers['X-Request-ID']}</code>" in answer.text
    assert "Something went wrong on our side" in answer.text
    assert "Content-Security-Policy" in answer.headers
    [error] = told(lines, "app.refusal_pages")
    assert error["request_id"] == answer.headers["X-Request-ID"]
    assert "0812345678" not in lines.getvalue()


async def test_one_story_from_the_request_to_the_mail(session: AsyncSession, lines: io.StringIO) -> None:
    async def leave_a_mail(_scope: object, _receive: object, send: object) -> None:
        await mail.keep(session, to="a@market.example", lang="th", subject="สวัสดี", body="…")
        await session.commit()

    asked = {"type": "http", "method": "POST", "path": "/", "headers": [(b"x-request-id", b"one-story-1")]}
    await RequestLog(leave_a_mail)(asked, None, None)  # type: ignore[arg-type]
    jobs.request_id.set(None)
    await worker.work_off()
    [job] = told(lines, "market.worker")
    assert (job["request_id"], job["job"], job["outcome"]) == ("one-story-1", "mail.send", "done")


async def test_a_slow_statement_is_told_without_its_values(database: str, lines: io.StringIO) -> None:
    async with engine().connect() as connection:
        await connection.execute(text("SELECT pg_sleep(:seconds), :who"), {"seconds": 0.31, "who": "Boonma"})
    [line] = told(lines, "market.database")
    assert "pg_sleep" in str(line["message"])
    assert "Boonma" not in lines.getvalue()
