"""Everything hostile, posted at every changing page by whoever may change there: never a 500."""

import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest
from bs4 import BeautifulSoup

from app.access import SESSION_COOKIE
from app.database import engine, sessions
from app.main import create_app
from tests.bad_days.hostile_forms import Body, bodies
from tests.ground.clients import ADDRESS
from tests.ground.databases import clean
from tests.isolation import snapshot
from tests.isolation.registry import WHOSE, Who
from tests.isolation.snapshot import Snapshot
from tests.isolation.world import TwoWorlds, path_of, two_worlds

CHANGING = [route for route, whose in WHOSE.items() if not whose.is_api and not route.startswith("GET ")]
RIGHTFUL = (Who.owner, Who.coordinator, Who.staff, Who.shopper, Who.stranger)
A_FEW = 8
"""Bodies for a route in `make test`, other ones for each route."""


@dataclass(frozen=True)
class Stage:
    worlds: TwoWorlds
    browser: httpx.AsyncClient
    rows: Snapshot

    async def post(self, route: str, body: Body) -> httpx.Response:
        method, _, path = route.partition(" ")
        headers = self.headers(route) | ({"Content-Type": body.content_type} if body.content_type else {})
        return await self.browser.request(
            method, path_of(path, self.worlds.here.words), content=body.content, headers=headers
        )

    async def fields(self, route: str) -> list[str]:
        """The names in the forms that the route's own page or the one above it shows, and those of the registry."""
        path = path_of(route.partition(" ")[2], self.worlds.here.words)
        pages = [await self.browser.get(each, headers=self.headers(route)) for each in (path, path.rpartition("/")[0])]
        shown = [
            str(field["name"])
            for page in pages
            for field in BeautifulSoup(page.text, "html.parser").select("main [name]")
        ]
        return list(dict.fromkeys([*WHOSE[route].form, *shown]))

    def headers(self, route: str) -> dict[str, str]:
        who = next(who for who in RIGHTFUL if who in WHOSE[route].gets_in)
        token = self.worlds.sessions.get(who)
        return {"Sec-Fetch-Site": "same-origin"} | ({"Cookie": f"{SESSION_COOKIE}={token}"} if token else {})


@pytest.fixture(scope="module")
async def stage(migrated_database: str) -> AsyncIterator[Stage]:
    async with sessions()() as session, session.begin():
        worlds = await two_worlds(session)
    rows = await snapshot.take()
    transport = httpx.ASGITransport(create_app(), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=ADDRESS) as browser:
        yield Stage(worlds, browser, rows)
    await snapshot.drop()
    async with engine().begin() as connection:
        await clean(connection)


@pytest.mark.parametrize("route", CHANGING)
async def test_some_hostile_forms_end_in_a_plain_answer(stage: Stage, route: str) -> None:
    every = list(bodies(await stage.fields(route), WHOSE[route].form))
    first = CHANGING.index(route) * 7
    assert await broken_by(stage, route, [every[(first + n * 13) % len(every)] for n in range(A_FEW)]) == []


@pytest.mark.long
@pytest.mark.parametrize("route", CHANGING)
async def test_every_hostile_form_ends_in_a_plain_answer(stage: Stage, route: str) -> None:
    assert await broken_by(stage, route, list(bodies(await stage.fields(route), WHOSE[route].form))) == []


async def broken_by(stage: Stage, route: str, hostile: list[Body]) -> list[str]:
    """The bodies that were answered with a 5xx."""
    answers = [(body.name, (await stage.post(route, body)).status_code) for body in hostile]
    await stage.rows.restore()
    return [f"{name}: {status}" for name, status in answers if status >= 500]


def test_every_route_gets_other_forms() -> None:
    names = [body.name for body in itertools.islice(bodies(["a", "b"], {}), 200)]
    assert len(set(names)) == len(names)
