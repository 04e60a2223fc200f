"""Every page of the market, looked at as a person would: on a phone and a desk, in Thai and in English.

The list is made from the routes themselves: a new page is looked at without being asked to.
"""

import json
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, Response

from app.language import Language
from app.main import page_routes
from tests.ground.browsers import DESK, PHONE, OpenPage
from tests.ground.servers import RunningMarket
from tests.journeys.stocked_places import Visit, World, world

#: What is fetched rather than looked at.
NO_PAGES = {
    "center_demand_xlsx",
    "cloth",
    "healthz",
    "media",
    "metrics",
    "my_data",
    "order_data",
    "places_json",
    "promptpay_picture",
    "readyz",
    "robots",
    "sitemap",
    "sitemap_part",
    "slip_picture",
}
PAGES = {name: path for name, path in page_routes() if name not in NO_PAGES}
AXE = {"resultTypes": ["violations"]}


@pytest.fixture(scope="session")
async def places(stocked: RunningMarket) -> World:
    async with stocked.session() as session:
        return await world(session, stocked.url)


async def look(page: Page, visit: Visit, places: World, path: str, lang: Language) -> Response | None:
    if token := places.sessions.get(visit.who):
        await page.context.add_cookies([{"name": "session", "value": token, "url": places.url}])
    for word, value in visit.words.items():
        path = path.replace(f"{{{word}}}", value)
    return await page.goto(f"{'/en' if lang == 'en' else ''}{path}{visit.query}")


@pytest.mark.journey
@pytest.mark.parametrize("name", sorted(PAGES))
@pytest.mark.parametrize(
    ("lang", "width", "dark"),
    [
        pytest.param("th", PHONE, False, id="th-360"),
        pytest.param("en", DESK, True, id="en-1280-dark"),
        pytest.param("en", PHONE, False, id="en-360", marks=pytest.mark.long),
        pytest.param("th", DESK, False, id="th-1280", marks=pytest.mark.long),
    ],
)
async def test_a_page_fits_and_everybody_can_use_it(
    open_stocked_page: OpenPage, places: World, name: str, lang: Language, width: int, *, dark: bool
) -> None:
    page = await open_stocked_page(width=width, lang=lang, dark=dark)
    visit = places.visit(name, PAGES[name])
    answer = await look(page, visit, places, PAGES[name], lang)
    assert answer is not None
    assert answer.status == 200
    assert await page.get_attribute("html", "lang") == lang
    overflow = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0, "the page scrolls sideways"
    results = await Axe().run(page, options=AXE)
    assert [_told(each) for each in results.response["violations"]] == []


def _told(violation: dict[str, Any]) -> str:
    return (
        f"{violation['id']}: {json.dumps([node['html'][:160] for node in violation['nodes']][:3], ensure_ascii=False)}"
    )
