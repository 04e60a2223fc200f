"""What strangers try at the doors: other people's redirects, hosts, cookies, scripts and files."""

import asyncio
import base64
import re
from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock, files, people
from app.access import SESSION_COOKIE
from app.language import ROOMS, ROOT
from app.limits import Attempt
from app.main import create_app
from app.pages import is_own_path
from app.settings import settings
from app.sign_in import MOST_REGISTRATIONS, MOST_WRONG_PASSWORDS
from tests import factories
from tests.ground.tripwire import Watched
from tests.isolation.routes import routes_of
from tests.producers.desk import enter

ELSEWHERE = [
    *(
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "\\/evil.example",
        "/\t/evil.example",
    ),
    *(
        "https://evil.example",
        "https:evil.example",
        "HTTP://evil.example",
        "//evil.example/%2f..",
        "/\r\n/evil.example",
    ),
    *("javascript:alert(1)", "data:text/html,x", "evil.example", "@evil.example", " //evil.example", "/\x00/evil", ""),
    *("/\u2028/evil.example", "/\x0b/evil.example", ".//evil.example", "?next=//evil.example"),
]
OURS = ["/", "/desk", "/en/desk", "/market?q=ข้าว", "/%2fevil.example", "/%5cevil.example", "/a//b", "/o/x#paid"]


@pytest.mark.parametrize("path", ELSEWHERE)
def test_an_address_elsewhere_is_no_path_of_ours(path: str) -> None:
    assert not is_own_path(path)


@pytest.mark.parametrize("path", OURS)
def test_a_path_of_ours_is_one(path: str) -> None:
    assert is_own_path(path)


@pytest.mark.parametrize("prefix", ["", "/en"])
async def test_signing_in_leads_nowhere_else(client: httpx.AsyncClient, session: AsyncSession, prefix: str) -> None:
    person = await factories.person(session)
    await enter(client, session, person)
    for path in [*filter(None, ELSEWHERE), "/en//evil.example", "/en/\\evil.example"]:
        answer = await client.get(f"{prefix}/sign-in", params={"next": path})
        location = httpx.URL("http://market.test/").join(answer.headers["location"])
        assert (answer.status_code, location.host) == (303, "market.test"), path


async def test_two_slashes_after_the_language_name_no_host(client: httpx.AsyncClient) -> None:
    for path in ("/en//evil.example/x", "//evil.example/x", "/en/%5Cevil.example", "/en//evil.example/"):
        answer = await client.request("GET", httpx.URL(f"http://market.test{path}"), headers={"Accept": "text/html"})
        assert not re.search(r"""(href|action)=["']?(//|/\\|/?%5C)""", answer.text), path
        assert not answer.headers.get("location", "").startswith(("//", "/\\")), path


async def test_a_slash_too_many_leads_to_the_page_on_whatever_host(client: httpx.AsyncClient) -> None:
    answer = await client.get("/market/", headers={"Host": "evil.example"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/market")


@pytest.mark.parametrize("host", ["evil.example", "evil.example/en/desk?", 'x"><script>', "evil.example#", "a b", ""])
async def test_a_forged_host_shows_nowhere(client: httpx.AsyncClient, host: str) -> None:
    forged = {"Host": host, "X-Forwarded-Host": host, "Forwarded": f"host={host}"}
    for path in ("/", "/en/terms", "/sitemap.xml", "/robots.txt", "/desk", "/nowhere", "/api/v1/openapi.json"):
        answer = await client.get(path, headers=forged)
        assert answer.status_code < 500
        told = answer.text + answer.headers.get("location", "")
        assert "evil.example" not in told, path
        assert "x&#34;&gt;&lt;script" not in told, path


async def test_a_forged_host_poisons_no_remembered_page(client: httpx.AsyncClient) -> None:
    first = await client.get("/terms", headers={"Host": "evil.example/en/privacy?"})
    second = await client.get("/terms")
    assert first.text == second.text
    assert f'rel="canonical" href="{settings().address}/terms"' in second.text


@pytest.mark.parametrize("kept", ["%(x)s", "100%", "%d"])
async def test_a_flash_that_the_reader_made_breaks_nothing(client: httpx.AsyncClient, kept: str) -> None:
    client.cookies.set("flash", base64.urlsafe_b64encode(f'["{kept}", {{}}]'.encode()).decode())
    assert (await client.get("/terms")).status_code == 200


async def test_a_flash_is_shown_as_words(client: httpx.AsyncClient) -> None:
    client.cookies.set("flash", base64.urlsafe_b64encode(b'["<script>alert(1)</script>", {}]').decode())
    page = (await client.get("/terms")).text
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


@pytest.mark.parametrize("room", ROOMS)
def test_no_template_has_script_or_style_inside(room: str) -> None:
    for template in (ROOT / room / "templates").rglob("*.html"):
        if template.name.endswith("_file.html"):  # goes into somebody's ZIP, and is no page of the market
            continue
        html = template.read_text()
        assert not re.search(r"<style|\sstyle\s*=|\son[a-z]+\s*=\s*[\"']|javascript:", html), template
        scripts = re.findall(r"<script\b([^>]*)>", html)
        assert [each for each in scripts if "src=" not in each and "application/ld+json" not in each] == [], template


async def test_every_answer_carries_the_headers(client: httpx.AsyncClient) -> None:
    for path in ("/", "/nowhere", "/desk", "/healthz", "/static/market.css", "/api/v1/openapi.json"):
        headers = (await client.get(path)).headers
        policy = headers["content-security-policy"]
        assert "script-src 'self'; style-src 'self'" in policy, path
        assert "unsafe" not in policy, path
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["x-frame-options"] == "DENY", path


@pytest.mark.parametrize("path", ["/static/../pages.py", "/static/%2e%2e/pages.py", "/static/..%2fpages.py"])
async def test_static_files_end_at_their_folder(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.request("GET", httpx.URL(f"http://market.test{path}"))).status_code == 404


async def test_what_people_uploaded_cannot_run(client: httpx.AsyncClient) -> None:
    await files.put("media/photos/attack.jpg", b"<script>alert(1)</script>", "text/html")
    answer = await client.get("/media/photos/attack.jpg")
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("name", ["attack.svg", "attack.html", "attack.js", "attack", "attack.jpg.svg", "attack.xml"])
async def test_only_pictures_of_our_own_making_are_served(client: httpx.AsyncClient, name: str) -> None:
    await files.put(f"media/photos/{name}", b"<svg onload='alert(1)'/>", "image/svg+xml")
    assert (await client.get(f"/media/photos/{name}")).status_code == 404


@pytest.mark.parametrize(
    "key", ["../slips/aa/x.jpg", "%2e%2e/slips/aa/x.jpg", "..%2fslips%2faa%2fx.jpg", "//slips/aa/x.jpg"]
)
async def test_slips_and_originals_are_never_public(client: httpx.AsyncClient, key: str) -> None:
    await files.put("slips/aa/x.jpg", b"a slip", "image/jpeg")
    await files.put("originals/x.jpg", b"a photo with its place", "image/jpeg")
    for path in (f"/media/{key}", "/slips/aa/x.jpg", "/originals/x.jpg", "/media/originals/x.jpg"):
        assert (await client.request("GET", httpx.URL(f"http://market.test{path}"))).status_code == 404, path


@pytest.fixture
def https(monkeypatch: pytest.MonkeyPatch) -> Iterator[FastAPI]:
    """The market as it stands in the world: behind a proxy of ours, over HTTPS."""
    monkeypatch.setenv("PUBLIC_URL", "https://market.example")
    monkeypatch.setenv("TRUSTED_PROXIES", "10.0.0.0/8")
    settings.cache_clear()
    yield create_app()
    monkeypatch.undo()
    settings.cache_clear()


def asked_from(app: FastAPI, address: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(Watched(app), client=(address, 4711))
    return httpx.AsyncClient(transport=transport, base_url="https://market.example")


async def test_cookies_are_tied_to_this_host_over_https(session: AsyncSession, https: FastAPI) -> None:
    person = await factories.person(session)
    await session.commit()
    async with asked_from(https, "10.0.0.1") as client:
        signed_in = await client.post("/sign-in", data={"name": person.email, "password": factories.PASSWORD})
        assert signed_in.status_code == 303
        out = await client.post("/sign-out")
    given = [*signed_in.headers.get_list("set-cookie"), *out.headers.get_list("set-cookie")]
    assert given
    for cookie in given:
        assert cookie.startswith("__Host-")
        parts = {part.strip().lower() for part in cookie.split(";")}
        assert {"secure", "httponly", "path=/", "samesite=lax"} <= parts
        assert not any(part.startswith("domain") for part in parts)
    assert "max-age" in signed_in.headers["strict-transport-security"]


async def test_over_https_a_cookie_without_its_prefix_is_nobodys(session: AsyncSession, https: FastAPI) -> None:
    async with asked_from(https, "10.0.0.1") as client:
        await enter(client, session, await factories.person(session))
        assert (await client.get("/account")).headers["location"].startswith("/sign-in")


async def test_the_origin_is_judged_by_our_own_address(database: str, https: FastAPI) -> None:
    async with asked_from(https, "10.0.0.1") as client:
        inner = {"Host": "web:8000"}
        ours = await client.post("/sign-out", headers=inner | {"Origin": "https://market.example"})
        theirs = await client.post("/sign-out", headers=inner | {"Origin": "https://evil.example"})
    assert (ours.status_code, theirs.status_code) == (303, 403)


@pytest.mark.parametrize(
    ("peer", "counted"), [("10.0.0.1", "203.0.113.7"), ("192.0.2.1", "192.0.2.1")], ids=["our proxy", "a stranger"]
)
async def test_only_our_own_proxy_says_who_asks(session: AsyncSession, https: FastAPI, peer: str, counted: str) -> None:
    async with asked_from(https, peer) as client:
        typed = {"name": "nobody@example.com", "password": "wrong password"}
        await client.post("/sign-in", data=typed, headers={"X-Forwarded-For": "198.51.100.1, 203.0.113.7, 10.0.0.2"})
    tried = (await session.scalars(select(Attempt.about).where(Attempt.about.startswith("sign-in from")))).all()
    assert tried == [f"sign-in from {counted}"]


async def test_guesses_that_come_at_once_are_counted_one_by_one(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    await factories.person(session, email="nok@example.com")
    await session.commit()
    guesses = [{"name": "nok@example.com", "password": f"wrong password {n}"} for n in range(2 * MOST_WRONG_PASSWORDS)]
    await asyncio.gather(*(client.post("/sign-in", data=guess) for guess in guesses))
    counted = select(func.count()).where(Attempt.about == "sign-in nok@example.com")
    assert await session.scalar(counted) == MOST_WRONG_PASSWORDS


async def test_asking_who_is_known_here_by_registering_is_slowed_down(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    await factories.person(session, email="nok@example.com")
    session.add_all(
        Attempt(about="register from 127.0.0.1", made_at=clock.now()) for _ in range(MOST_REGISTRATIONS - 1)
    )
    await session.commit()
    typed = {"name": "นก", "email": "nok@example.com", "password": "a long password"}
    known, refused = [await client.post("/register", data=typed) for _ in range(2)]
    assert (known.status_code, refused.status_code) == (422, 422)
    assert "นาที" in refused.text
    assert "นาที" not in known.text


async def test_signing_in_gives_a_session_nobody_knew_before(client: httpx.AsyncClient, session: AsyncSession) -> None:
    await factories.person(session, email="nok@example.com")
    await session.commit()
    client.cookies.set(SESSION_COOKIE, "planted by somebody else")
    answer = await client.post("/sign-in", data={"name": "nok@example.com", "password": factories.PASSWORD})
    (cookie,) = [each for each in answer.headers.get_list("set-cookie") if each.startswith("session=")]
    assert "planted" not in cookie
    assert await people.signed_in(session, "planted by somebody else") is None


@pytest.mark.parametrize(
    "site", [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "null"}]
)
async def test_no_changing_route_takes_a_form_of_another_site(client: httpx.AsyncClient, site: dict[str, str]) -> None:
    for route in routes_of(create_app()):
        method, _, path = route.partition(" ")
        if method != "GET" and not path.startswith("/api/"):
            answer = await client.request(method, path.replace("{", "").replace("}", ""), headers=site)
            assert answer.status_code == 403, route
