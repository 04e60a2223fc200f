"""Notices to people by e-mail: a row kept in the transaction of the fact it tells, sent by the worker.

Without `SMTP_URL` a notice is kept only, and staff can read it on their desk.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import UUID

import aiosmtplib
from sqlalchemy import ColumnElement, Index, and_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped

from app import clock, jobs
from app.access import whole_market
from app.database import Base, Id, Utc, session_scope
from app.language import Language
from app.settings import settings

SMTP_SECONDS = 30
KEPT = timedelta(days=180)
"""How long a notice can be read; then only that it was sent, when, and about what."""


class Notice(Base):
    __tablename__ = "notices"
    __table_args__ = (Index("ix_notices_kept_at", "kept_at"), Index("ix_notices_about", "about"))

    id: Mapped[Id]
    to: Mapped[str]
    lang: Mapped[str]
    subject: Mapped[str]
    body_text: Mapped[str]
    about: Mapped[str | None]
    """What it tells of, for instance an order number."""
    kept_at: Mapped[Utc]
    sent_at: Mapped[datetime | None]
    last_error: Mapped[str | None]


async def recent(session: AsyncSession, limit: int = 50, *, about: str | None = None) -> Sequence[Notice]:
    """Return the last notices (those `about` one thing, if given), the newest first."""
    condition = whole_market("staff look after every notice")
    if about:
        condition = and_(condition, Notice.about == about)
    found = await session.scalars(select(Notice).where(condition).order_by(Notice.kept_at.desc()).limit(limit))
    return found.all()


async def keep(
    session: AsyncSession, *, to: str, lang: Language, subject: str, body: str, about: str | None = None
) -> Notice:
    """Keep a notice, and have it sent once the caller's transaction has committed."""
    notice = Notice(
        to=to, lang=lang, subject=" ".join(subject.split()), body_text=body, about=about, kept_at=clock.now()
    )
    session.add(notice)
    await session.flush()
    await jobs.enqueue(session, "mail.send", {"notice_id": str(notice.id)})
    return notice


async def is_in_reach() -> bool | None:
    """Whether the mail server takes connections; None when there is none."""
    url = settings().smtp_url
    if url is None:
        return None
    server = urlsplit(url)
    try:
        _, writer = await asyncio.open_connection(
            server.hostname, server.port or (465 if server.scheme == "smtps" else 25)
        )
    except OSError:
        return False
    writer.close()
    return True


async def strip(session: AsyncSession, condition: ColumnElement[bool]) -> int:
    """Take address and words from these notices; return how many there were."""
    stripped = await session.scalars(
        update(Notice)
        .where(whole_market("a notice has no owner but the address on it"), condition, Notice.to != "")
        .values(to="", body_text="", last_error=None)
        .returning(Notice.id)
    )
    return len(stripped.all())


@jobs.every(timedelta(days=1), "mail.forget")
async def forget(_payload: dict[str, Any]) -> None:
    async with session_scope() as session:
        await strip(session, Notice.kept_at < clock.now() - KEPT)


@jobs.handler("mail.send")
async def send(payload: dict[str, Any]) -> None:
    """Send a kept notice unless it was sent before; a failure is noted on it and the job tries again."""
    async with session_scope() as session:
        notice = await session.get(Notice, UUID(payload["notice_id"]))
    url = settings().smtp_url
    if url is None or notice is None or notice.sent_at or not notice.to:
        return
    try:
        await _hand_over(url, _message(notice))
    except (aiosmtplib.SMTPException, OSError) as error:
        await _note(notice, last_error=f"{type(error).__name__}: {error}"[:500])
        raise
    await _note(notice, sent_at=clock.now(), last_error=None)


async def _note(notice: Notice, **values: Any) -> None:
    async with session_scope() as session:
        await session.execute(update(Notice).where(Notice.id == notice.id).values(**values))


async def _hand_over(url: str, message: EmailMessage) -> None:
    server = urlsplit(url)
    await aiosmtplib.send(
        message,
        hostname=server.hostname,
        port=server.port,
        username=unquote(server.username) if server.username else None,
        password=unquote(server.password) if server.password else None,
        use_tls=server.scheme == "smtps",
        timeout=SMTP_SECONDS,
    )


def _message(notice: Notice) -> EmailMessage:
    """The id comes from the notice, so that a copy sent again after a lost answer is recognised as the same mail."""
    sender = settings().mail_from
    message = EmailMessage()
    message["From"] = sender
    message["To"] = notice.to
    message["Subject"] = notice.subject
    message["Date"] = notice.kept_at
    message["Message-ID"] = f"<{notice.id}@{sender.rpartition('@')[2].rstrip('>') or 'localhost'}>"
    message["Content-Language"] = notice.lang
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(notice.body_text)
    return message
