"""Passwords, tokens and secret links stay out of everything that is written down for people to read later."""

import io
import logging
import re
from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app import logs, people
from app.access import SESSION_COOKIE, Role
from app.jobs import Job
from app.mail import Notice
from producers import members
from tests import factories
from tests.orders import factories as make
from tests.producers import factories as producers

READ_BY_ALL = (
    "SELECT last_error FROM jobs UNION ALL SELECT last_error FROM notices UNION ALL SELECT about FROM attempts"
)


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """Everything that would be logged, down to DEBUG, in the form for machines."""
    lines = io.StringIO()
    handler = logging.StreamHandler(lines)
    handler.setFormatter(logs.JsonLines())
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield lines
    root.removeHandler(handler)
    root.setLevel(before)


async def test_a_day_at_the_market_leaves_no_secret_in_the_logs(
    client: httpx.AsyncClient, session: AsyncSession, written: io.StringIO
) -> None:
    person = await factories.person(session, email="nok@example.com")
    group = await producers.group(session, owner=person)
    order = await make.order(session, (await make.stall(session), 1000))
    invitation = members.invite(session, Role.packer, by=person, group_id=group.id)
    await session.commit()
    wrong = "not the right password"

    await client.post("/sign-in", data={"name": "nok@example.com", "password": wrong})
    signed_in = await client.post("/sign-in", data={"name": "nok@example.com", "password": factories.PASSWORD})
    for path in (
        order.path,
        f"/en{order.path}/receipt",
        f"{order.path}/nowhere",
        f"/invitations/{invitation}",
        "/account",
    ):
        await client.get(path)
    await client.post(f"/invitations/{invitation}")
    await client.post(f"{order.path}/cancel", data={"reason": "เปลี่ยนใจ"})
    await client.post("/account/password", data={"old_password": factories.PASSWORD, "password": "another long one"})

    session_token = signed_in.cookies[SESSION_COOKIE]
    kept = "\n".join(str(each) for each in await session.scalars(text(READ_BY_ALL)))
    for secret in (factories.PASSWORD, wrong, "another long one", session_token, order.link_token, invitation):
        assert secret not in written.getvalue()
        assert secret not in kept
    assert people.token_hash(session_token) not in written.getvalue()
    assert "market.access" in written.getvalue()


async def test_jobs_carry_no_secret(session: AsyncSession, client: httpx.AsyncClient) -> None:
    placed = await make.paid_order(session, (await make.stall(session), 1000))
    await session.commit()
    payloads = [str(each) for each in await session.scalars(select(Job.payload))]
    assert payloads
    assert [each for each in payloads if placed.link_token in each or re.search(r"password|secret", each)] == []
    assert any(placed.link_token in each for each in await session.scalars(select(Notice.body_text)))
