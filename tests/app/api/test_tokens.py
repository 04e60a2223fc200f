"""What a token may do, and no longer than its person may."""

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app import access, clock
from app.access import Role, scope_of
from app.api import rates, tokens
from app.api.tokens import PREFIX, NothingAllowed, TooManyTokens
from app.database import session_scope
from app.errors import NotFound
from app.people import Person
from producers.groups import Group
from tests import factories
from tests.producers import factories as producers


async def token_of(session: AsyncSession, person: Person, *scopes: str, group: Group | None = None) -> str:
    scope = await scope_of(session, person)
    _, secret = await tokens.issue(session, scope, "บัญชี", scopes, group_id=group.id if group else None)
    await session.commit()
    return secret


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


async def test_a_token_does_what_it_was_allowed_and_no_more(book: httpx.AsyncClient, session: AsyncSession) -> None:
    person = await factories.person(session)
    reading = await token_of(session, person, "orders:read")
    writing = await token_of(session, person, "orders:write")

    answers = [await book.get("/words", headers=headers) for headers in (bearer(reading), bearer(writing), {})]

    assert [answer.status_code for answer in answers] == [200, 403, 401]
    assert answers[1].json()["type"] == "urn:market:scope-missing"
    assert answers[2].headers["www-authenticate"] == "Bearer"


async def test_a_secret_is_shown_once_and_only_its_hash_is_kept(session: AsyncSession) -> None:
    person = await factories.person(session)

    token, secret = await tokens.issue(session, await scope_of(session, person), "บัญชี", ["orders:read"])

    assert secret.startswith(PREFIX)
    assert secret not in str(vars(token))
    assert secret.startswith(token.hint)


async def test_a_token_taken_back_is_nothing_at_once(book: httpx.AsyncClient, session: AsyncSession) -> None:
    person = await factories.person(session)
    secret = await token_of(session, person, "orders:read")
    scope = await scope_of(session, person)
    [token] = await tokens.tokens_of(session, scope)

    await tokens.revoke(session, scope, token.id)
    await session.commit()

    refused = await book.get("/words", headers=bearer(secret))
    assert (refused.status_code, refused.json()["type"]) == (401, "urn:market:wrong-token")


async def test_a_blocked_person_s_tokens_are_nothing(book: httpx.AsyncClient, session: AsyncSession) -> None:
    person = await factories.person(session)
    secret = await token_of(session, person, "orders:read")
    person.blocked_at = clock.now()
    await session.commit()

    assert (await book.get("/words", headers=bearer(secret))).status_code == 401


async def test_nobody_takes_another_person_s_token_back(session: AsyncSession) -> None:
    person, other = await factories.person(session), await factories.person(session)
    token, _ = await tokens.issue(session, await scope_of(session, person), "บัญชี", ["orders:read"])

    with pytest.raises(NotFound):
        await tokens.revoke(session, await scope_of(session, other), token.id)


async def test_a_token_of_one_group_sees_that_group_as_long_as_its_person_does(session: AsyncSession) -> None:
    owner = await factories.person(session)
    own, second = [await producers.group(session, owner=owner) for _ in range(2)]
    secret = await token_of(session, owner, "orders:read", group=own)

    async def seen() -> list[object]:
        async with session_scope() as opened:
            caller = await tokens.caller_with(opened, secret)
        assert caller is not None
        return list(caller.scope.group_ids())

    before = await seen()
    await access.end(session, owner.id, group_id=own.id)
    await session.commit()

    assert (before, await seen()) == ([own.id], [])
    assert second.id not in before


async def test_a_staff_member_s_token_of_one_centre_is_no_staff_token(session: AsyncSession) -> None:
    center = await producers.center(session)
    staff = await factories.staff(session)
    _, secret = await tokens.issue(session, staff, "แผนที่", ["center:read"], center_id=center.id)
    await session.commit()

    caller = await tokens.caller_with(session, secret)

    assert caller is not None
    assert (caller.scope.is_staff, caller.scope.centers) == (False, frozenset({center.id}))


async def test_a_token_for_somebody_else_s_group_is_not_made(session: AsyncSession) -> None:
    group = await producers.group(session)
    member = await producers.member(session, group, Role.packer)
    stranger = await scope_of(session, await factories.person(session))

    with pytest.raises(NotFound):
        await tokens.issue(session, stranger, "x", ["orders:read"], group_id=group.id)
    with pytest.raises(NothingAllowed):
        await tokens.issue(session, await scope_of(session, member), "x", ["everything"], group_id=group.id)


async def test_a_person_has_so_many_tokens_and_no_more(session: AsyncSession) -> None:
    scope = await scope_of(session, await factories.person(session))
    for _ in range(tokens.MOST_TOKENS):
        await tokens.issue(session, scope, "x", ["orders:read"])

    with pytest.raises(TooManyTokens):
        await tokens.issue(session, scope, "x", ["orders:read"])


async def test_whoever_guesses_tokens_is_told_to_wait(book: httpx.AsyncClient) -> None:
    answers = [await book.get("/words", headers=bearer(f"mkt_{n}")) for n in range(rates.MOST_WRONG_TOKENS + 1)]

    assert [answer.status_code for answer in answers] == [401] * rates.MOST_WRONG_TOKENS + [429]
