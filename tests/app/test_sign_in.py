"""The pages where people sign in, as a browser meets them."""

from datetime import timedelta

import httpx
from bs4 import BeautifulSoup
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import FrozenClock
from app.sign_in import MOST_WRONG_PASSWORDS
from tests import factories
from tests.factories import PASSWORD


async def nok(session: AsyncSession) -> None:
    await factories.person(session, name="นก", email="nok@example.com")
    await session.commit()


async def test_signing_in_leads_back_to_where_one_wanted(client: httpx.AsyncClient, session: AsyncSession) -> None:
    await nok(session)
    answer = await client.post(
        "/en/sign-in", data={"name": "nok@example.com", "password": PASSWORD, "next": "/en/account"}
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/en/account")
    assert "นก" in (await client.get("/en/account")).text


async def test_a_session_cookie_is_out_of_reach_of_scripts_and_other_sites(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    await nok(session)
    answer = await client.post("/sign-in", data={"name": "nok@example.com", "password": PASSWORD})
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


async def test_a_wrong_password_keeps_the_name_and_says_so(client: httpx.AsyncClient, session: AsyncSession) -> None:
    await nok(session)
    answer = await client.post("/sign-in", data={"name": "nok@example.com", "password": "ไม่ใช่"})
    page = BeautifulSoup(answer.text, "html.parser")
    assert answer.status_code == 422
    assert page.select_one("input[name=name]")["value"] == "nok@example.com"  # type: ignore[index]
    assert "รหัสผ่านไม่ถูกต้อง" in page.get_text()


async def test_guessing_passwords_is_slowed_down_even_with_the_right_one(
    client: httpx.AsyncClient, session: AsyncSession, clock: FrozenClock
) -> None:
    await nok(session)
    for _ in range(MOST_WRONG_PASSWORDS):
        await client.post("/en/sign-in", data={"name": "nok@example.com", "password": "guess"})
    right = {"name": "nok@example.com", "password": PASSWORD}
    assert "Too many attempts" in (await client.post("/en/sign-in", data=right)).text
    clock.jump(timedelta(minutes=16))
    assert (await client.post("/en/sign-in", data=right)).status_code == 303


async def test_signing_in_never_leads_to_another_site(client: httpx.AsyncClient, session: AsyncSession) -> None:
    await nok(session)
    form = {"name": "nok@example.com", "password": PASSWORD, "next": "//evil.example/"}
    assert (await client.post("/sign-in", data=form)).headers["location"] == "/"


async def test_an_account_needs_a_phone_or_an_email(client: httpx.AsyncClient) -> None:
    answer = await client.post("/en/register", data={"name": "Nok", "password": "longenough"})
    assert answer.status_code == 422
    assert "Please give a phone number or an e-mail address" in answer.text


async def test_a_new_account_is_signed_in(client: httpx.AsyncClient, database: str) -> None:
    form = {"name": "Nok", "phone": "081 234 5678", "password": "longenough", "next": "/account"}
    assert (await client.post("/register", data=form)).headers["location"] == "/account"
    assert "+66812345678" in (await client.get("/account")).text


async def test_signing_out_ends_the_session(client: httpx.AsyncClient, session: AsyncSession) -> None:
    await nok(session)
    await client.post("/sign-in", data={"name": "nok@example.com", "password": PASSWORD})
    token = client.cookies["session"]
    await client.post("/sign-out")
    client.cookies.set("session", token)
    answer = await client.get("/account")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=%2Faccount")


async def test_a_page_that_does_not_exist_says_what_to_do(client: httpx.AsyncClient) -> None:
    answer = await client.get("/en/no-such-page")
    assert answer.status_code == 404
    assert "We could not find this page." in answer.text


async def test_a_program_gets_problem_details_in_both_languages(client: httpx.AsyncClient) -> None:
    answer = await client.get("/no-such-page", headers={"Accept": "application/json"})
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"] == answer.json()["detail_th"] == "ไม่พบหน้านี้"
    assert answer.json()["detail_en"] == "We could not find this page."
