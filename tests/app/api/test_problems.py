"""Whatever a stranger sends, the answer is a problem that says what is wrong."""

from typing import Any

import httpx
import pytest

KEY = {"Idempotency-Key": "0199b7a6-2f7e-7d53-9f3e-2b0d5d9c7c11"}
JSON = {**KEY, "Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("sent", "status", "kind"),
    [
        ({"content": b"{", "headers": JSON}, 400, "malformed"),
        ({"content": b"\xff\xfe", "headers": JSON}, 400, "malformed"),
        ({"content": b"[" * 100_000, "headers": JSON}, 400, "malformed"),
        ({"content": b"{}", "headers": JSON}, 422, "unreadable"),
        ({"content": b"", "headers": KEY}, 422, "unreadable"),
        ({"content": b'{"word": 1}', "headers": JSON}, 422, "unreadable"),
        ({"content": b'{"word": "a\\u0000b"}', "headers": JSON}, 422, "nul-in-text"),
        ({"content": b'{"word": "\\ud800"}', "headers": JSON}, 422, "unreadable"),
        ({"content": b"word=mango", "headers": KEY}, 415, "wrong-type"),
        ({"data": {"word": "mango"}, "headers": KEY}, 415, "wrong-type"),
        ({"json": {"word": "x" * 300_000}, "headers": KEY}, 413, "body-too-large"),
        ({"json": {"word": "blot"}, "headers": KEY}, 409, "out-of-ink"),
    ],
)
async def test_what_does_not_fit_is_a_problem(
    book: httpx.AsyncClient, sent: dict[str, Any], status: int, kind: str
) -> None:
    answer = await book.post("/words", **sent)

    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:market:{kind}")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status


async def test_a_problem_names_the_field_in_both_languages(book: httpx.AsyncClient) -> None:
    answer = await book.post("/words", json={"word": "x" * 21, "ink": 1}, headers={**KEY, "Accept-Language": "en"})

    fields = {error["field"]: error for error in answer.json()["errors"]}
    assert set(fields) == {"word", "ink"}
    assert fields["word"]["detail"] == fields["word"]["detail_en"] == "Please use at most 20 characters."
    assert fields["word"]["detail_th"] != fields["word"]["detail_en"]


async def test_a_wrong_method_says_what_can_be_done(book: httpx.AsyncClient) -> None:
    answer = await book.put("/words", json={})

    assert (answer.status_code, answer.json()["type"]) == (405, "urn:market:wrong-method")
    assert set(answer.headers["allow"].split(", ")) == {"GET", "POST", "DELETE"}


async def test_what_is_not_there_is_a_problem_too(client: httpx.AsyncClient, database: str) -> None:
    for path in ("/api/v1/nothing", "/api/v1/listings/%00", "/api/nothing", "/en/api/v1/nothing"):
        answer = await client.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json"), path
