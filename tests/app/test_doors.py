"""The doors: language, origin, size, headers; and pages remembered without going stale."""

import asyncio
import gzip
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from app.doors import BodyLimit, HeadAsGet, LanguagePrefix, OwnOrigin, SafeHeaders
from app.page_memory import PageMemory
from app.pages import PUBLIC, is_own_path

PRICE = {"baht": 45, "asked": 0}


async def price(request: Request) -> Response:
    PRICE["asked"] += 1
    await asyncio.sleep(0.01)
    body = f"<p>{request.state.lang} {PRICE['baht']}</p>" + " " * 2000
    return HTMLResponse(body, headers={"Cache-Control": PUBLIC})


async def take(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


@pytest.fixture
async def door() -> AsyncIterator[httpx.AsyncClient]:
    PRICE.update(baht=45, asked=0)
    app = Starlette(
        routes=[Route("/price", price), Route("/take", take, methods=["POST"])],
        middleware=[
            Middleware(SafeHeaders, is_https=True),
            Middleware(HeadAsGet),
            Middleware(PageMemory, seconds=0.3),
            Middleware(OwnOrigin),
            Middleware(BodyLimit, most=1000),
            Middleware(LanguagePrefix),
        ],
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://market.test") as client:
        yield client


async def test_the_english_market_stands_under_its_prefix(door: httpx.AsyncClient) -> None:
    assert "<p>th 45" in (await door.get("/price")).text
    assert "<p>en 45" in (await door.get("/en/price")).text


async def test_a_hundred_readers_at_once_cost_one_rendering(door: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(door.get("/price") for _ in range(100)))
    assert {answer.status_code for answer in answers} == {200}
    assert PRICE["asked"] == 1


async def test_a_changed_price_shows_within_the_promised_time(door: httpx.AsyncClient) -> None:
    await door.get("/price")
    PRICE["baht"] = 50
    await asyncio.sleep(0.31)
    assert "50" in (await door.get("/price")).text


async def test_whoever_has_a_session_reads_afresh(door: httpx.AsyncClient) -> None:
    await door.get("/price")
    PRICE["baht"] = 50
    assert "50" in (await door.get("/price", headers={"Cookie": "__Host-session=x"})).text


async def test_an_unchanged_page_is_answered_by_its_etag(door: httpx.AsyncClient) -> None:
    etag = (await door.get("/price")).headers["ETag"]
    again = await door.get("/price", headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")


async def test_a_page_is_sent_compressed_to_who_can_read_it(door: httpx.AsyncClient) -> None:
    plain = await door.get("/price", headers={"Accept-Encoding": "identity"})
    async with door.stream("GET", "/price", headers={"Accept-Encoding": "gzip"}) as zipped:
        raw = b"".join([chunk async for chunk in zipped.aiter_raw()])
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(raw) == plain.content


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}]
)
async def test_a_form_from_another_site_is_refused(door: httpx.AsyncClient, headers: dict[str, str]) -> None:
    assert (await door.post("/take", headers=headers)).status_code == 403


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://market.test"}, {}])
async def test_our_own_forms_and_programs_pass(door: httpx.AsyncClient, headers: dict[str, str]) -> None:
    assert (await door.post("/take", headers=headers)).status_code == 200


async def test_a_body_beyond_the_limit_is_refused_with_words(door: httpx.AsyncClient) -> None:
    announced = await door.post("/take", content=b"x" * 1001)

    async def drip() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 100

    unannounced = await door.post("/take", content=drip())
    assert [announced.status_code, unannounced.status_code] == [413, 413]


async def test_every_answer_carries_the_safe_headers(door: httpx.AsyncClient) -> None:
    headers = (await door.get("/nowhere")).headers
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "max-age" in headers["Strict-Transport-Security"]


async def test_asking_with_head_gets_the_headers_alone(door: httpx.AsyncClient) -> None:
    answer = await door.head("/price", headers={"Accept-Encoding": "identity"})
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["Content-Length"]) > 2000


async def test_nothing_is_at_an_address_with_a_nul(door: httpx.AsyncClient) -> None:
    assert (await door.get("/price%00")).status_code == 404


@pytest.mark.parametrize("path", ["//evil.example", "/\\evil.example", "https://evil.example", "/a\nb", ""])
def test_an_open_redirect_is_not_our_path(path: str) -> None:
    assert not is_own_path(path)
