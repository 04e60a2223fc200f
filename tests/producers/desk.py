"""A browser that is signed in, and its pages as soup."""

import httpx
from bs4 import BeautifulSoup, Tag
from sqlalchemy.ext.asyncio import AsyncSession

from app import people
from app.access import SESSION_COOKIE
from app.people import Person


async def enter(client: httpx.AsyncClient, session: AsyncSession, person: Person) -> None:
    """Let `client` be signed in as `person`; commits what the test arranged."""
    client.cookies.set(SESSION_COOKIE, people.open_browser(session, person, device="test"))
    await session.commit()


async def soup(client: httpx.AsyncClient, path: str, status: int = 200) -> BeautifulSoup:
    answer = await client.get(path)
    assert answer.status_code == status, answer.text[:2000]
    return BeautifulSoup(answer.text, "html.parser")


async def sent(client: httpx.AsyncClient, path: str, status: int = 303, /, **typed: str) -> BeautifulSoup:
    """Send a form and return the page that answers (nothing to read, after a redirect)."""
    answer = await client.post(path, data=typed)
    assert answer.status_code == status, answer.text[:2000]
    return BeautifulSoup(answer.text, "html.parser")


def words(page: Tag) -> str:
    return " ".join(page.get_text(" ").split())
