"""Routes of the API, tried with everybody's tokens: a cookie opens nothing, a token no more than its person may.

A token is tried with every scope there is; where the registry names one, also with all but that one.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import httpx
import pytest

from app import access, people
from app.access import SESSION_COOKIE
from app.api import tokens
from app.database import engine, sessions
from app.main import create_app
from tests.ground.clients import ADDRESS
from tests.ground.databases import clean
from tests.ground.tripwire import Watched, tripwire
from tests.isolation import snapshot
from tests.isolation.registry import WHOSE, Who
from tests.isolation.snapshot import Snapshot
from tests.isolation.world import TwoWorlds, Words, never_was, parameters_of, path_of, two_worlds

API = [route for route, whose in WHOSE.items() if whose.is_api]
CLOSED = [route for route in API if WHOSE[route].kept_out]
BY_LINK = [route for route in API if "{link}" in route]
READING = [route for route in API if route.startswith("GET ")]
MALFORMED = {415, 422}
"""A body that is no body of this route is told so before anything is looked up."""
BESIDES = {"api_answers", "api_calls", "api_tokens", "attempts", "trail"}
"""What is written of every call, whoever makes it."""


@dataclass(frozen=True, slots=True)
class Stage:
    worlds: TwoWorlds
    caller: httpx.AsyncClient
    rows: Snapshot
    secrets: Mapping[Who, str]
    """A token with every scope, of everybody but the stranger."""
    narrow: Mapping[tuple[Who, str], str]
    """Tokens with every scope but one."""

    async def call(self, route: str, words: Words, headers: Mapping[str, str]) -> httpx.Response:
        method, _, path = route.partition(" ")
        body = None if method == "GET" else dict(WHOSE[route].form)
        return await self.caller.request(method, path_of(path, words), headers=headers, json=body)


def bearer(secret: str | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"} if secret else {}


@pytest.fixture(scope="module")
async def stage(migrated_database: str) -> AsyncIterator[Stage]:
    full: dict[Who, str] = {}
    narrow: dict[tuple[Who, str], str] = {}
    wanted = {whose.scope for whose in WHOSE.values() if whose.scope}
    async with sessions()() as session, session.begin():
        worlds = await two_worlds(session)
        await session.flush()
        for who, cookie in worlds.sessions.items():
            scope = await access.scope_of(session, await people.signed_in(session, cookie))
            full[who] = (await tokens.issue(session, scope, "all", tokens.SCOPES))[1]
            for one in wanted:
                narrow[who, one] = (await tokens.issue(session, scope, one, tokens.SCOPES.keys() - {one}))[1]
    rows = await snapshot.take()
    with tripwire(engine()) as unscoped:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(Watched(create_app())), base_url=ADDRESS) as caller:
            yield Stage(worlds, caller, rows, full, narrow)
    await snapshot.drop()
    async with engine().begin() as connection:
        await clean(connection)
    assert sorted(set(unscoped)) == [], "see tests/ground/tripwire.py"


@pytest.mark.parametrize("route", CLOSED)
async def test_nobody_elses_token_gets_in(stage: Stage, route: str) -> None:
    here, nowhere = stage.worlds.here.words, never_was(stage.worlds.here.words)
    for who in WHOSE[route].kept_out:
        answer, never = [await stage.call(route, words, bearer(stage.secrets.get(who))) for words in (here, nowhere)]
        assert answer.status_code in {*MALFORMED, *({401} if who is Who.stranger else {403, 404})}, who
        assert (answer.status_code, answer.json()["type"]) == (never.status_code, never.json()["type"]), who
    for who in WHOSE[route].gets_in:
        if scope := WHOSE[route].scope:
            assert (await stage.call(route, here, bearer(stage.narrow[who, scope]))).status_code in {403, *MALFORMED}, (
                who
            )
    assert set(await stage.rows.changed()) <= BESIDES
    await stage.rows.restore()


@pytest.mark.parametrize("route", API)
async def test_a_cookie_opens_nothing_more(stage: Stage, route: str) -> None:
    cookie = {"Cookie": f"{SESSION_COOKIE}={stage.worlds.sessions[Who.owner]}", "Sec-Fetch-Site": "same-origin"}
    plain = await stage.call(route, stage.worlds.here.words, {})
    await stage.rows.restore()
    assert (await stage.call(route, stage.worlds.here.words, cookie)).status_code == plain.status_code
    await stage.rows.restore()


@pytest.mark.parametrize("route", BY_LINK)
async def test_a_link_that_never_was_opens_nothing(stage: Stage, route: str) -> None:
    nowhere = never_was(stage.worlds.here.words)
    for who in (Who.stranger, Who.owner, Who.staff):
        headers = bearer(stage.secrets.get(who)) | {"Idempotency-Key": f"{route} {who}"}
        assert (await stage.call(route, nowhere, headers)).status_code in {404, *MALFORMED}, who


@pytest.mark.parametrize("route", READING)
async def test_whoever_may_reads(stage: Stage, route: str) -> None:
    for who in sorted(WHOSE[route].gets_in):
        answer = await stage.call(route, stage.worlds.here.words, bearer(stage.secrets.get(who)))
        is_refused = answer.status_code in {401, 403, 404}
        assert answer.status_code < 500
        assert not is_refused or "/basket" in route or "/places" in route, (who, answer.status_code)


@pytest.mark.parametrize("route", [route for route in READING if parameters_of(route.partition(" ")[2])])
async def test_reading_shows_nothing_of_others(stage: Stage, route: str) -> None:
    for who in (Who.stranger, Who.other_shopper, Who.outsider, Who.other_coordinator, Who.revoked):
        answer = await stage.call(route, stage.worlds.there.words, bearer(stage.secrets.get(who)))
        assert [private for private in stage.worlds.here.private if private in answer.text] == [], who
