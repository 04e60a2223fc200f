"""Every route, tried by everybody with everybody's things: who may gets in, and the others learn nothing.

"Nothing" is exact: what somebody is told about a thing that is not theirs is, to the letter, what they are told about a
thing that never was; and no row of the database is different afterwards.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import httpx
import pytest

from app.access import SESSION_COOKIE
from app.database import engine, sessions
from app.main import create_app
from tests.ground.clients import ADDRESS
from tests.ground.databases import clean
from tests.ground.tripwire import Watched, tripwire
from tests.isolation import snapshot
from tests.isolation.registry import WHOSE, Who, Whose
from tests.isolation.snapshot import Snapshot
from tests.isolation.world import (
    PARAMETER,
    TwoWorlds,
    Words,
    never_was,
    parameters_of,
    path_of,
    swapped,
    two_worlds,
)

BROWSER = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}
REFUSED = {401, 403, 404}
TAKEN = {*range(200, 400), 409, 410, 413, 422}
"""Got in: shown, sent on, or told what is wrong with a form."""

PAGES = [route for route, whose in WHOSE.items() if not whose.is_api]
CLOSED = [route for route in PAGES if WHOSE[route].kept_out]
POINTING = [route for route in PAGES if parameters_of(route)]
MIXED = [route for route in POINTING if len(parameters_of(route)) > 1]
TYPING = [
    route for route in PAGES if any(PARAMETER.search(f"{name}{typed}") for name, typed in WHOSE[route].form.items())
]


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: str
    location: str

    @property
    def is_sign_in(self) -> bool:
        return self.status == 303 and self.location.startswith("/sign-in")


@dataclass(frozen=True, slots=True)
class Stage:
    """Two worlds, a browser for each person, and the rows as they were."""

    worlds: TwoWorlds
    browser: httpx.AsyncClient
    rows: Snapshot

    async def visit(self, who: Who, route: str, words: Words, typed: Words | None = None) -> Answer:
        """Ask for the route; the words of its path are taken out of the answer.  `typed`: other words for the form."""
        method, _, path = route.partition(" ")
        token = self.worlds.sessions.get(who)
        answer = await self.browser.request(
            method,
            path_of(path, words),
            data=typed_for(WHOSE[route], typed or words) if method != "GET" else None,
            headers=BROWSER | ({"Cookie": f"{SESSION_COOKIE}={token}"} if token else {}),
        )
        asked = [words[key] for key in words if any(end.endswith(key) for end in parameters_of(path))]
        return Answer(
            answer.status_code, _without(answer.text, asked), _without(answer.headers.get("location", ""), asked)
        )

    async def learns_nothing(self, who: Who, route: str, answer: Answer) -> None:
        """See that the answer is the one about things that never were."""
        never = await self.visit(who, route, never_was(self.worlds.here.words))
        assert answer == never, f"{who} can tell that it exists"


@pytest.fixture(scope="module")
async def stage(migrated_database: str) -> AsyncIterator[Stage]:
    async with sessions()() as session, session.begin():
        worlds = await two_worlds(session)
    rows = await snapshot.take()
    with tripwire(engine()) as unscoped:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(Watched(create_app())), base_url=ADDRESS) as browser:
            yield Stage(worlds, browser, rows)
    await snapshot.drop()
    async with engine().begin() as connection:
        await clean(connection)
    assert sorted(set(unscoped)) == [], "see tests/ground/tripwire.py"


@pytest.mark.parametrize("route", CLOSED)
async def test_nobody_else_gets_in_or_learns_anything(stage: Stage, route: str) -> None:
    kept_out = WHOSE[route].kept_out
    nearest = Who.outsider if Who.outsider in kept_out else kept_out[0]
    for who in kept_out:
        answer = await stage.visit(who, route, stage.worlds.here.words)
        assert answer.status in REFUSED or (who is Who.stranger and answer.is_sign_in), (who, answer.status)
        if who in {nearest, Who.stranger}:
            await stage.learns_nothing(who, route, answer)
    assert await stage.rows.changed() == []


@pytest.mark.long
@pytest.mark.parametrize("route", CLOSED)
async def test_nobody_at_all_can_tell_what_there_is(stage: Stage, route: str) -> None:
    for who in WHOSE[route].kept_out:
        await stage.learns_nothing(who, route, await stage.visit(who, route, stage.worlds.here.words))


@pytest.mark.parametrize("route", MIXED)
async def test_a_foreign_thing_in_ones_own_place_does_not_exist(stage: Stage, route: str) -> None:
    here, there = stage.worlds.here.words, stage.worlds.there.words
    who = strongest(WHOSE[route])
    for end in parameters_of(route)[1:]:
        foreign = await stage.visit(who, route, swapped(here, end, there))
        assert foreign.status == 404, (end, foreign.status)
        assert foreign == await stage.visit(who, route, swapped(here, end, never_was(there)))
    assert await stage.rows.changed() == []


@pytest.mark.parametrize("route", TYPING)
async def test_a_form_cannot_point_at_foreign_things(stage: Stage, route: str) -> None:
    here, there = stage.worlds.here.words, stage.worlds.there.words
    pointed = [
        there[key] for key in there if any(key in f"{name} {typed}" for name, typed in WHOSE[route].form.items())
    ]
    before = await snapshot.rows_naming(pointed, stage.rows.columns)
    await stage.visit(strongest(WHOSE[route]), route, here, typed=there)
    assert await snapshot.rows_naming(pointed, stage.rows.columns) == before
    await stage.rows.restore()


@pytest.mark.parametrize("route", POINTING)
async def test_what_never_was_is_not_there_for_anybody(stage: Stage, route: str) -> None:
    answer = await stage.visit(strongest(WHOSE[route]), route, never_was(stage.worlds.here.words))
    assert answer.status in {404, 410}
    assert await stage.rows.changed() == []


@pytest.mark.parametrize("route", PAGES)
async def test_whoever_may_gets_in(stage: Stage, route: str) -> None:
    for who in some_of(WHOSE[route]):
        answer = await stage.visit(who, route, stage.worlds.here.words)
        assert answer.status in TAKEN, (who, answer.status)
        assert who is Who.stranger or not answer.is_sign_in, who
        if not route.startswith("GET "):
            await stage.rows.restore()


@pytest.mark.parametrize("route", [route for route in PAGES if route.startswith("GET ")])
async def test_ones_own_pages_show_nothing_of_others(stage: Stage, route: str) -> None:
    own = {Who.stranger, Who.outsider, Who.other_coordinator, Who.revoked} if WHOSE[route].kept_out else {Who.outsider}
    for who in sorted(own):
        answer = await stage.visit(who, route, stage.worlds.there.words)
        assert [private for private in stage.worlds.here.private if private in answer.body] == [], who


def some_of(whose: Whose) -> list[Who]:
    """Everybody who gets in, or of what is everybody's a few who have nothing in common."""
    everybodys = {Who.stranger, Who.shopper, Who.owner, Who.staff} & whose.gets_in
    return sorted(whose.gets_in if len(whose.gets_in) <= len(everybodys) + 1 else everybodys)


def typed_for(whose: Whose, words: Words) -> Mapping[str, str]:
    return {_filled(name, words): _filled(typed, words) for name, typed in whose.form.items()}


def strongest(whose: Whose) -> Who:
    """Whoever gets in and may do most there."""
    order = (Who.staff, Who.owner, Who.coordinator) if Who.owner not in whose.gets_in else (Who.owner,)
    return next(who for who in order if who in whose.gets_in)


def _filled(typed: str, words: Words) -> str:
    for key, word in words.items():
        typed = typed.replace(key, word)
    return typed


def _without(text: str, words: list[str]) -> str:
    for word in words:
        text = text.replace(word, "…")
    return text
