"""The `market` command, as an operator types it."""

import asyncio
import os
import sys
from dataclasses import dataclass

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app import access, people
from app.database import engine
from migrations import history

PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Said:
    code: int | None
    output: str
    complaint: str


async def market(*arguments: str, **variables: str) -> Said:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app.cli", *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | variables,
    )
    async with asyncio.timeout(PATIENCE_SECONDS):
        output, complaint = await process.communicate()
    return Said(process.returncode, output.decode(), complaint.decode())


async def test_a_new_member_of_staff_signs_in_with_the_printed_password(session: AsyncSession) -> None:
    said = await market("create-staff", "--name", "สุดา", "--email", "suda@example.org")
    assert said.code == 0, said.complaint
    password = said.output.split()[-1]
    token = await people.sign_in(session, "suda@example.org", password, device="test")
    await session.flush()
    assert (await access.scope_of(session, await people.signed_in(session, token))).is_staff


async def test_staff_may_be_known_by_phone_and_choose_the_password(session: AsyncSession) -> None:
    said = await market("create-staff", "--name", "สุดา", "--phone", "081 234 5678", "--password", "ข้าวเม่าอร่อย")
    assert (said.code, "ข้าวเม่าอร่อย" in said.output) == (0, False)
    assert await people.sign_in(session, "0812345678", "ข้าวเม่าอร่อย", device="test")


async def test_an_address_already_in_use_is_told_plainly(session: AsyncSession) -> None:
    await people.register(session, name="สุดา", email="suda@example.org", phone=None, password="ข้าวเม่าอร่อย")
    await session.commit()
    said = await market("create-staff", "--name", "สุดา", "--email", "suda@example.org")
    assert (said.code, said.output) == (1, "")
    assert said.complaint.strip() == people.AlreadyKnown().text("en")


@pytest.mark.parametrize(
    ("option", "value", "complaint"),
    [
        ("--email", "suda", "--email: "),
        ("--phone", "12", "--phone: 12 is not a phone number"),
        ("--password", "short", "--password: use at least 8 characters"),
    ],
)
async def test_a_wrong_option_is_named(database: str, option: str, value: str, complaint: str) -> None:
    said = await market(
        "create-staff", "--name", "สุดา", *(["--email", "a@b.co"] * (option == "--password")), option, value
    )
    assert (said.code, said.complaint.startswith(complaint)) == (1, True), said.complaint


async def test_the_demo_stays_out_of_a_market_in_use(session: AsyncSession) -> None:
    await people.register(session, name="สุดา", email="suda@example.org", phone=None, password="ข้าวเม่าอร่อย")
    await session.commit()
    said = await market("seed")
    assert (said.code, said.complaint.strip()) == (1, "This market is not empty, so the demo stays out of it.")


async def test_migrate_brings_a_database_up_to_date(migrated_database: str) -> None:
    said = await market("migrate")
    assert (said.code, said.complaint) == (0, "")
    async with engine().connect() as connection:
        assert await connection.scalar(text("SELECT version_num FROM alembic_version")) == history.newest()


async def test_a_draft_is_asked_for_by_room(migrated_database: str) -> None:
    said = await market("makemigration", "--room", "kitchen")
    assert (said.code, said.complaint) == (1, "--room: one of app, producers, catalog, orders, incubation_centers\n")
