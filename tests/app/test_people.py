"""Signing in: by e-mail or phone, revocable, slowed down for guessers, and roles that end at once."""

from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app import access, limits, people
from app.access import Role
from app.clock import FrozenClock
from app.errors import TooManyAttempts
from app.people import AlreadyKnown, Person, WrongSignIn


async def somchai(session: AsyncSession) -> Person:
    return await people.register(
        session, name="สมชาย", email="somchai@example.com", phone="+66812345678", password="ข้าวเม่าอร่อย"
    )


@pytest.mark.parametrize("name", ["somchai@example.com", "SOMCHAI@example.com ", "081-234-5678", "+66812345678"])
async def test_one_signs_in_by_email_or_phone(session: AsyncSession, name: str) -> None:
    person = await somchai(session)
    token = await people.sign_in(session, name, "ข้าวเม่าอร่อย", device="phone")
    await session.flush()
    assert (await people.signed_in(session, token)) is person


@pytest.mark.parametrize(("name", "password"), [("somchai@example.com", "wrong"), ("nobody@example.com", "ข้าวเม่าอร่อย")])
async def test_a_wrong_password_and_an_unknown_name_look_the_same(
    session: AsyncSession, name: str, password: str
) -> None:
    await somchai(session)
    with pytest.raises(WrongSignIn):
        await people.sign_in(session, name, password, device="phone")


async def test_a_phone_belongs_to_one_person(session: AsyncSession) -> None:
    await somchai(session)
    with pytest.raises(AlreadyKnown):
        await people.register(session, name="อื่น", email=None, phone="+66812345678", password="12345678")


async def test_a_revoked_session_is_over_at_once(session: AsyncSession) -> None:
    person = await somchai(session)
    here = await people.sign_in(session, "somchai@example.com", "ข้าวเม่าอร่อย", device="phone")
    there = await people.sign_in(session, "somchai@example.com", "ข้าวเม่าอร่อย", device="library")
    await people.sign_out_elsewhere(session, person, except_token=here)
    assert await people.signed_in(session, here)
    assert await people.signed_in(session, there) is None


async def test_a_session_ends_by_itself(session: AsyncSession, clock: FrozenClock) -> None:
    await somchai(session)
    token = await people.sign_in(session, "somchai@example.com", "ข้าวเม่าอร่อย", device="phone")
    clock.jump(people.SESSION_LASTS + timedelta(seconds=1))
    assert await people.signed_in(session, token) is None


async def test_a_new_password_signs_out_everywhere_else(session: AsyncSession) -> None:
    person = await somchai(session)
    here = await people.sign_in(session, "somchai@example.com", "ข้าวเม่าอร่อย", device="phone")
    there = await people.sign_in(session, "somchai@example.com", "ข้าวเม่าอร่อย", device="tablet")
    await people.change_password(session, person, "ข้าวเม่าอร่อย", "ข้าวใหม่ปลามัน", token=here)
    assert await people.signed_in(session, there) is None
    assert await people.sign_in(session, "somchai@example.com", "ข้าวใหม่ปลามัน", device="phone")


async def test_the_database_keeps_neither_passwords_nor_tokens(session: AsyncSession) -> None:
    person = await somchai(session)
    token = await people.sign_in(session, "somchai@example.com", "ข้าวเม่าอร่อย", device="phone")
    [browser] = await people.browsers_of(session, person)
    assert token not in browser.token_hash
    assert person.password_hash.startswith("$argon2id$")


async def test_staff_membership_ends_at_once(session: AsyncSession) -> None:
    person = await somchai(session)
    await access.grant(session, person, Role.staff)
    assert (await access.scope_of(session, person)).is_staff
    await access.end(session, person.id)
    assert not (await access.scope_of(session, person)).is_staff


async def test_guessing_is_slowed_down_and_told_until_when(session: AsyncSession, clock: FrozenClock) -> None:
    for _ in range(3):
        await limits.refuse_after(session, "order 1042", 3, timedelta(minutes=10))
        limits.count(session, "order 1042")
        clock.jump(timedelta(minutes=1))
    with pytest.raises(TooManyAttempts) as refusal:
        await limits.refuse_after(session, "order 1042", 3, timedelta(minutes=10))
    assert refusal.value.params == {"minutes": 7}
    clock.jump(timedelta(minutes=8))
    await limits.refuse_after(session, "order 1042", 3, timedelta(minutes=10))
