"""Notices: kept with the fact, sent once by SMTP when there is a server, readable by staff in any case."""

import asyncio
from collections.abc import AsyncIterator
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app import mail
from app.mail import Notice
from app.settings import settings
from app.worker import work_off


class PostOffice:
    """A small SMTP server that keeps what it is given, and can be closed to mail."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.is_closed = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 post office\r\n")
        while line := await reader.readline():
            command = line.decode().upper().split()[0]
            if command == "DATA":
                writer.write(b"354 go on\r\n")
                self._keep(await reader.readuntil(b"\r\n.\r\n"))
            refused = self.is_closed and command == "MAIL"
            writer.write(
                b"451 come back later\r\n" if refused else b"221 bye\r\n" if command == "QUIT" else b"250 fine\r\n"
            )
            if command == "QUIT":
                break
        writer.close()

    def _keep(self, data: bytes) -> None:
        letter = message_from_bytes(data.removesuffix(b".\r\n"), policy=policy.default)
        assert isinstance(letter, EmailMessage)
        self.letters.append(letter)


@pytest.fixture
async def post_office(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[PostOffice]:
    office = PostOffice()
    server = await asyncio.start_server(office.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    monkeypatch.setenv("SMTP_URL", f"smtp://127.0.0.1:{port}")
    monkeypatch.setenv("MAIL_FROM", "market@example.org")
    settings.cache_clear()
    yield office
    monkeypatch.undo()
    settings.cache_clear()
    server.close()


async def kept(session: AsyncSession, subject: str = "คำสั่งซื้อ C-1 ชำระเงินแล้ว") -> Notice:
    notice = await mail.keep(
        session, to="malee@example.com", lang="th", subject=subject, body="ขอบคุณค่ะ\nมาลี", about="C-1"
    )
    await session.commit()
    return notice


async def test_a_notice_arrives_in_thai(session: AsyncSession, post_office: PostOffice) -> None:
    notice = await kept(session)
    await work_off()
    [letter] = post_office.letters
    assert (letter["To"], letter["Subject"]) == ("malee@example.com", "คำสั่งซื้อ C-1 ชำระเงินแล้ว")
    assert letter.get_content().splitlines() == ["ขอบคุณค่ะ", "มาลี"]
    await session.refresh(notice)
    assert notice.sent_at is not None


async def test_a_notice_is_sent_once_however_often_the_job_runs(session: AsyncSession, post_office: PostOffice) -> None:
    notice = await kept(session)
    await work_off()
    await mail.send({"notice_id": str(notice.id)})
    assert len(post_office.letters) == 1


async def test_a_letter_sent_again_is_recognised_as_the_same(session: AsyncSession, post_office: PostOffice) -> None:
    notice = await kept(session)
    await mail.send({"notice_id": str(notice.id)})
    notice.sent_at = None  # as if the answer had been lost
    await mail._note(notice, sent_at=None)
    await mail.send({"notice_id": str(notice.id)})
    assert [letter["Message-ID"] for letter in post_office.letters] == [f"<{notice.id}@example.org>"] * 2


async def test_a_refused_letter_says_why_and_is_tried_again(session: AsyncSession, post_office: PostOffice) -> None:
    notice = await kept(session)
    post_office.is_closed = True
    with pytest.raises(Exception, match="come back later"):
        await work_off()
    await session.refresh(notice)
    assert "come back later" in (notice.last_error or "")
    post_office.is_closed = False
    await mail.send({"notice_id": str(notice.id)})
    await session.refresh(notice)
    assert (notice.last_error, len(post_office.letters)) == (None, 1)


async def test_without_a_server_notices_are_kept_to_be_read(session: AsyncSession) -> None:
    await kept(session)
    await work_off()
    [notice] = await mail.recent(session, about="C-1")
    assert (notice.body_text, notice.sent_at) == ("ขอบคุณค่ะ\nมาลี", None)
    assert await mail.recent(session, about="C-2") == []


async def test_a_subject_cannot_smuggle_in_a_header(session: AsyncSession, post_office: PostOffice) -> None:
    await kept(session, subject="ร้านป้า\r\nBcc: everybody@example.com")
    await work_off()
    [letter] = post_office.letters
    assert letter["Bcc"] is None
    assert letter["Subject"] == "ร้านป้า Bcc: everybody@example.com"
