"""People who sign in: members of groups, coordinators, staff, and shoppers who want an account (guests need none).

A session is a row that can be revoked; the browser keeps only a random token, the database only its hash.
"""

import asyncio
import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import phonenumbers
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import ForeignKey, Index, delete, func, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app import clock, devices, jobs
from app.database import Base, Id, Utc, session_scope
from app.errors import Refusal
from app.language import N_, Language

SESSION_LASTS = timedelta(days=90)
SIGN_IN_KEPT = timedelta(days=90)
"""How long it is remembered that there was a session, after it ended."""
ERASED_NAME = "(ลบบัญชีแล้ว · account erased)"
"""What stands for somebody who is gone, in either language, where their work is told of."""
LEAST_PASSWORD_LENGTH = 8

_passwords = PasswordHash((Argon2Hasher(),))
#: Verified when nobody has the given name, so that an unknown name takes as long as a wrong password.
_NOBODYS_HASH = _passwords.hash(secrets.token_urlsafe())


class WrongSignIn(Refusal):
    status = 422
    message = N_("E-mail, phone or password is not right.")


class AlreadyKnown(Refusal):
    status = 422
    message = N_("Somebody already uses this e-mail or phone. Sign in instead?")


class Person(Base):
    __tablename__ = "people"
    __table_args__ = (
        Index("uq_people_email", text("lower(email)"), unique=True),
        Index("uq_people_phone", "phone", unique=True),
    )

    id: Mapped[Id]
    name: Mapped[str]
    email: Mapped[str | None]
    phone: Mapped[str | None]
    """E.164, for instance +66812345678."""
    password_hash: Mapped[str]
    lang: Mapped[str]
    created_at: Mapped[Utc]
    blocked_at: Mapped[datetime | None]
    erased_at: Mapped[datetime | None]
    """Since when the row is only an id that others refer to, without anything of the person."""


class SignIn(Base):
    """A browser where somebody is signed in, until it ends or is revoked; `device` is its name (`app.devices`)."""

    __tablename__ = "sign_ins"

    id: Mapped[Id]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), index=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    device: Mapped[str]
    created_at: Mapped[Utc]
    seen_at: Mapped[Utc]
    ends_at: Mapped[Utc]
    revoked_at: Mapped[datetime | None]

    @property
    def device_name(self) -> str:
        """As people would say it; rows of older markets hold all that the browser said."""
        return devices.named(self.device)


async def signed_in(session: AsyncSession, token: str) -> Person | None:
    """Return whose session `token` is, or None when it ended, was revoked or never was."""
    found: Person | None = await session.scalar(
        select(Person)
        .join(SignIn, SignIn.person_id == Person.id)
        .where(
            SignIn.token_hash == token_hash(token),
            SignIn.revoked_at.is_(None),
            SignIn.ends_at > clock.now(),
            Person.blocked_at.is_(None),
        )
    )
    return found


async def by_email_or_phone(session: AsyncSession, name: str) -> Person | None:
    """Find a person by what they type to sign in: an e-mail, or a phone in any usual spelling."""
    phone = e164(name)
    condition = Person.phone == phone if phone else func.lower(Person.email) == name.strip().lower()
    found: Person | None = await session.scalar(select(Person).where(condition))
    return found


async def browsers_of(session: AsyncSession, person: Person) -> Sequence[SignIn]:
    """Return the person's living sessions, the one used last first."""
    rows = await session.scalars(
        select(SignIn)
        .where(SignIn.person_id == person.id, SignIn.revoked_at.is_(None), SignIn.ends_at > clock.now())
        .order_by(SignIn.seen_at.desc())
    )
    return rows.all()


async def register(
    session: AsyncSession, *, name: str, email: str | None, phone: str | None, password: str, lang: Language = "th"
) -> Person:
    """Add a person; `phone` is E.164 and one of e-mail and phone is given.  Refuses with `AlreadyKnown`."""
    for known in filter(None, (email, phone)):
        if await by_email_or_phone(session, known):
            raise AlreadyKnown(field="email" if known == email else "phone")
    person = Person(
        name=name,
        email=email,
        phone=phone,
        password_hash=await hashed(password),
        lang=lang,
        created_at=clock.now(),
    )
    session.add(person)
    await session.flush()
    return person


async def sign_in(session: AsyncSession, name: str, password: str, *, device: str) -> str:
    """Open a session for whoever has this e-mail or phone and password; return its secret token.

    Refuses with `WrongSignIn` for an unknown name, a wrong password and a blocked person alike.
    """
    person = await by_email_or_phone(session, name)
    password_hash = person.password_hash if person else _NOBODYS_HASH
    is_right = await asyncio.to_thread(_passwords.verify, password, password_hash)
    if person is None or person.blocked_at or not is_right:
        raise WrongSignIn(field="name")
    return open_browser(session, person, device=device)


def open_browser(session: AsyncSession, person: Person, *, device: str) -> str:
    """Add a session of `person` without asking for the password again (they just proved who they are)."""
    token = secrets.token_urlsafe(32)
    now = clock.now()
    session.add(
        SignIn(
            person_id=person.id,
            token_hash=token_hash(token),
            device=devices.named(device),
            created_at=now,
            seen_at=now,
            ends_at=now + SESSION_LASTS,
        )
    )
    return token


async def sign_out(session: AsyncSession, token: str) -> None:
    await session.execute(
        update(SignIn)
        .where(SignIn.token_hash == token_hash(token), SignIn.revoked_at.is_(None))
        .values(revoked_at=clock.now())
    )


async def sign_out_elsewhere(session: AsyncSession, person: Person, *, except_token: str | None = None) -> None:
    """Revoke the person's sessions, all of them or all but the one in hand."""
    kept = token_hash(except_token) if except_token else ""
    await session.execute(
        update(SignIn)
        .where(SignIn.person_id == person.id, SignIn.revoked_at.is_(None), SignIn.token_hash != kept)
        .values(revoked_at=clock.now())
    )


async def change_password(session: AsyncSession, person: Person, old: str, new: str, *, token: str) -> None:
    """Set a new password and sign the person out everywhere else.  Refuses with `WrongSignIn`."""
    if not await asyncio.to_thread(_passwords.verify, old, person.password_hash):
        raise WrongSignIn(field="old_password")
    person.password_hash = await hashed(new)
    session.add(person)
    await sign_out_elsewhere(session, person, except_token=token)


async def refuse_unless_right(person: Person, password: str) -> None:
    """Somebody who is signed in proves again who they are.  Refuses with `WrongSignIn`."""
    if not await asyncio.to_thread(_passwords.verify, password, person.password_hash):
        raise WrongSignIn(field="password")


async def erase(session: AsyncSession, person_id: UUID) -> None:
    """Leave of a person only the id that others refer to: no name, nothing to sign in with, no browsers."""
    await session.execute(delete(SignIn).where(SignIn.person_id == person_id))
    now = clock.now()
    await session.execute(
        update(Person)
        .where(Person.id == person_id)
        .values(name=ERASED_NAME, email=None, phone=None, password_hash="", blocked_at=now, erased_at=now)
    )


@jobs.every(timedelta(days=1), "people.forget_sign_ins")
async def forget_sign_ins(_payload: dict[str, Any]) -> None:
    """Delete the sessions that ended or were revoked long ago."""
    before = clock.now() - SIGN_IN_KEPT
    async with session_scope() as session:
        await session.execute(delete(SignIn).where(or_(SignIn.revoked_at < before, SignIn.ends_at < before)))


async def hashed(password: str) -> str:
    """Hash with argon2id, in a thread: it takes tens of milliseconds on purpose."""
    return await asyncio.to_thread(_passwords.hash, password)


def token_hash(token: str) -> str:
    """Tokens are random and long, so a plain SHA-256 keeps them safe at rest."""
    return hashlib.sha256(token.encode()).hexdigest()


def e164(phone: str) -> str | None:
    """Return a phone in E.164 (Thai numbers may be written nationally), or None when nobody can have it."""
    try:
        number = phonenumbers.parse(phone, "TH")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
