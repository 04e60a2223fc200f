"""The same call twice is one call."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.api import idempotency
from app.api.idempotency import KeptAnswer, fingerprint_of
from app.clock import FrozenClock
from app.database import session_scope
from tests.app.api.little_api import written

KEY = "0199b7a6-2f7e-7d53-9f3e-2b0d5d9c7c11"
MANGO = {"word": "mango"}


def key(text: str = KEY) -> dict[str, str]:
    return {"Idempotency-Key": text}


async def test_the_same_call_gets_the_same_bytes_and_is_done_once(
    book: httpx.AsyncClient, session: AsyncSession
) -> None:
    first = await book.post("/words", json=MANGO, headers=key())
    await book.post("/words", json={"word": "durian"}, headers=key(f"{KEY}-2"))
    again = await book.post("/words", json=MANGO, headers=key())

    assert first.status_code == again.status_code == 201
    assert again.content == first.content == b'{"words":1}'
    assert dict(again.headers) == dict(first.headers)
    assert await written(session) == 2


async def test_a_key_used_for_another_body_is_refused(book: httpx.AsyncClient, session: AsyncSession) -> None:
    await book.post("/words", json=MANGO, headers=key())

    other = await book.post("/words", json={"word": "durian"}, headers=key())

    assert other.status_code == 422
    assert other.json()["type"] == "urn:market:key-used-otherwise"
    assert await written(session) == 1


async def test_a_key_used_for_another_route_is_refused(book: httpx.AsyncClient) -> None:
    await book.post("/words", json=MANGO, headers=key())

    assert (await book.delete("/words", headers=key())).status_code == 422


async def test_two_callers_may_use_the_same_key(book: httpx.AsyncClient, session: AsyncSession) -> None:
    await book.post("/words", json=MANGO, headers=key())
    await book.post("/words", json=MANGO, headers={**key(), "Basket-Token": "somebody else's"})

    assert await written(session) == 2


async def test_what_makes_something_needs_a_key_that_nobody_guesses(book: httpx.AsyncClient) -> None:
    missing = await book.post("/words", json=MANGO)
    guessable = await book.post("/words", json=MANGO, headers=key("1"))

    assert missing.status_code == guessable.status_code == 422
    assert [error["field"] for error in guessable.json()["errors"]] == ["Idempotency-Key"]


async def test_what_makes_nothing_may_do_without_a_key(book: httpx.AsyncClient, session: AsyncSession) -> None:
    assert (await book.delete("/words")).json() == {"words": 1}
    assert (await book.delete("/words")).json() == {"words": 2}
    assert await session.scalar(select(func.count()).select_from(KeptAnswer)) == 0


async def test_a_refusal_keeps_nothing_and_may_be_tried_again(book: httpx.AsyncClient, session: AsyncSession) -> None:
    refused = await book.post("/words", json={"word": "blot"}, headers=key())
    again = await book.post("/words", json=MANGO, headers=key())

    assert (refused.status_code, again.status_code) == (409, 201)
    assert await written(session) == 1


async def test_while_the_first_is_at_work_the_second_is_told_to_come_back(book: httpx.AsyncClient) -> None:
    async with session_scope() as first:
        fingerprint = fingerprint_of("DELETE", "/words", "", b"")
        await idempotency.Once(first, "from 127.0.0.1", KEY, fingerprint).begin()

        second = await book.delete("/words", headers=key())

    assert second.status_code == 409
    assert second.headers["retry-after"] == "1"
    assert (await book.delete("/words", headers=key())).status_code == 200


async def test_many_at_once_do_it_once(book: httpx.AsyncClient, session: AsyncSession) -> None:
    answers = await asyncio.gather(*(book.post("/words", json=MANGO, headers=key()) for _ in range(8)))

    done = [answer for answer in answers if answer.status_code == 201]
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert {answer.content for answer in done} == {b'{"words":1}'}
    assert await written(session) == 1


@pytest.mark.parametrize("boundary", ["abc", '"a b c"'])
def test_a_form_sent_again_is_the_same_form_under_another_boundary(boundary: str) -> None:
    body = b'--abc\r\nContent-Disposition: form-data; name="slip"\r\n\r\nx\r\n--abc--'
    bare = boundary.strip('"')
    sent = fingerprint_of(
        "POST", "/slip", f"multipart/form-data; boundary={boundary}", body.replace(b"abc", bare.encode())
    )

    assert sent == fingerprint_of("POST", "/slip", "multipart/form-data; boundary=abc", body)


async def test_answers_are_forgotten_after_some_days(
    book: httpx.AsyncClient, session: AsyncSession, clock: FrozenClock
) -> None:
    await book.post("/words", json=MANGO, headers=key())
    clock.jump(idempotency.KEPT + timedelta(minutes=1))
    await book.post("/words", json=MANGO, headers=key(str(uuid4())))
    await idempotency.forget({})

    assert await session.scalar(select(func.count()).select_from(KeptAnswer)) == 1
