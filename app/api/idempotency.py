"""The same call twice is one call: answers are kept under the caller's key, in the transaction that did the work.

A changing call may carry an `Idempotency-Key` (one that makes something must).  The same caller with the same key and
the same request gets the same status, headers and bytes again; another request under that key is refused, and while
the first is still at work the second is told to come back.  Because the answer is written in the same transaction as
what it tells of, there is no moment in which one is there without the other; and a refusal, which rolls back, keeps
nothing, so the call may be tried again.

Routes need not know: `app.api.route` calls `begin` before every changing route function and `keep` after it.
"""

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Final

from fastapi import Header, Request, Response
from sqlalchemy import Index, LargeBinary, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app import clock, jobs
from app.api import rates
from app.database import Base, Session, Utc, session_scope
from app.errors import Refusal
from app.language import N_
from app.people import token_hash

KEPT: Final = timedelta(days=3)
"""How long an answer is kept: longer than any program's retries."""
RETRY_SECONDS: Final = 1
HEADER: Final = "Idempotency-Key"
_ABOUT: Final = (
    "Any text of your own that nobody can guess, such as a UUID, new for every call that is meant as a new one.  "
    "The same key with the same request gets the same answer again."
)

_READ: Final = Header(alias=HEADER, min_length=16, max_length=200, pattern=r"^[!-~]*$", description=_ABOUT)
Key = Annotated[str, _READ]
PerhapsKey = Annotated[str | None, _READ]


class KeyUsedOtherwise(Refusal):
    status = 422
    message = N_("This Idempotency-Key was used for another request. Please take a new one.")


class StillAtWork(Refusal):
    """The first call with this key has not ended."""

    message = N_("A call with this Idempotency-Key is still at work. Please come back in a moment.")

    @property
    def headers(self) -> Mapping[str, str]:
        return {"Retry-After": str(RETRY_SECONDS)}


class KeptAnswer(Base):
    __tablename__ = "api_answers"
    __table_args__ = (Index("ix_api_answers_kept_at", "kept_at"),)

    caller: Mapped[str] = mapped_column(primary_key=True)
    """Who called, by a hash of their secret, or by their address."""
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str]
    """Of method, path and body."""
    status: Mapped[int]
    headers: Mapped[list[Any]]
    """Pairs of name and value."""
    body: Mapped[bytes] = mapped_column(LargeBinary)
    kept_at: Mapped[Utc]


class AnsweredBefore(Exception):  # noqa: N818 - no error: the route function is not called again
    """Carries the kept answer past the route function."""

    def __init__(self, answer: Response) -> None:
        super().__init__()
        self.answer = answer


class Once:
    """One changing call under a key."""

    def __init__(self, session: AsyncSession, caller: str, key: str, fingerprint: str) -> None:
        self._session = session
        self._caller = caller
        self._key = key
        self._fingerprint = fingerprint

    async def begin(self) -> None:
        """Take the key until the transaction ends.  Refuses with `StillAtWork` and `KeyUsedOtherwise`."""
        lock = func.hashtextextended(f"api {self._caller} {self._key}", 0)
        if not await self._session.scalar(select(func.pg_try_advisory_xact_lock(lock))):
            raise StillAtWork
        known = await self._session.get(KeptAnswer, (self._caller, self._key))
        if known is None:
            return
        if known.fingerprint != self._fingerprint:
            raise KeyUsedOtherwise(field=HEADER)
        raise AnsweredBefore(_again(known))

    def keep(self, answer: Response) -> None:
        self._session.add(
            KeptAnswer(
                caller=self._caller,
                key=self._key,
                fingerprint=self._fingerprint,
                status=answer.status_code,
                headers=[[name, value] for name, value in answer.headers.items() if name != "content-length"],
                body=bytes(answer.body),
                kept_at=clock.now(),
            )
        )


async def begin_with_key(request: Request, session: Session, key: Key) -> None:
    """Dependency of calls that make something: the key must be there."""
    await begin(request, session, caller_of(request), key)


async def begin_if_key(request: Request, session: Session, key: PerhapsKey = None) -> None:
    """Dependency of other changing calls."""
    if key is not None:
        await begin(request, session, caller_of(request), key)


async def begin(request: Request, session: AsyncSession, caller: str, key: str) -> None:
    """Begin a changing call under a caller's key.

    Raises `AnsweredBefore` with the kept answer; refuses with `StillAtWork` and `KeyUsedOtherwise`.
    """
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    content_type = request.headers.get("content-type", "")
    fingerprint = fingerprint_of(request.method, path, content_type, await request.body())
    once = Once(session, caller, key, fingerprint)
    await once.begin()
    request.state.once = once


def keep(request: Request, answer: Response) -> None:
    """Keep what is about to be answered, if the call came with a key."""
    once: Once | None = getattr(request.state, "once", None)
    if once is not None:
        once.keep(answer)


def caller_of(request: Request) -> str:
    """Who calls: whoever knows a token, a basket's or an order's secret; otherwise an address."""
    for name in ("authorization", "basket-token"):
        if given := request.headers.get(name):
            return f"{name} {token_hash(given)}"
    if link := request.path_params.get("link"):
        return f"link {token_hash(link)}"
    return f"from {rates.address_of(request)}"


def fingerprint_of(method: str, path: str, content_type: str, body: bytes) -> str:
    """A digest of what is asked; the boundary of a form is drawn anew for every try, so it is left aside."""
    _, _, boundary = content_type.partition("boundary=")
    if boundary:
        body = body.replace(boundary.strip('" ').encode(), b"")
    return hashlib.sha256(b"\0".join((method.encode(), path.encode(), body))).hexdigest()


@jobs.every(timedelta(hours=6), "api.forget_answers")
async def forget(_payload: dict[str, Any]) -> None:
    async with session_scope() as session:
        await session.execute(delete(KeptAnswer).where(KeptAnswer.kept_at < clock.now() - KEPT))


def _again(known: KeptAnswer) -> Response:
    answer = Response(known.body, known.status)
    answer.raw_headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in known.headers]
    answer.raw_headers.append((b"content-length", str(len(known.body)).encode()))
    return answer
