"""Tokens: how a program acts for a person, no further than was allowed and no further than the person may go.

A token belongs to a person and may be narrowed to one of their groups or centres.  What it may see is worked out anew
at every call from the person's living memberships: whoever leaves a group takes the sight of it from all their tokens
at that moment.  The secret is shown once; the database keeps only its hash.
"""

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer, SecurityScopes
from sqlalchemy import ForeignKey, Index, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app import access, clock, people
from app.access import Scope
from app.api import rates
from app.database import Base, Id, Utc, session_scope
from app.errors import NotFound, Refusal
from app.language import N_
from app.people import Person

PREFIX: Final = "mkt_"
"""So that a secret that strayed into a log or a repository is recognised as one."""
SCOPES: Final[Mapping[str, str]] = {
    "orders:read": N_("See the group's orders"),
    "orders:write": N_("Pack, hand over and answer orders"),
    "listings:write": N_("Keep the listings"),
    "center:read": N_("See the centre's sheets and figures"),
    "money:read": N_("See the books"),
    "money:write": N_("Write plans, income and costs"),
    "webhooks": N_("Keep the addresses that are told what happens"),
}
"""What a token may be allowed, and how people read it."""
MOST_TOKENS: Final = 20
"""Living ones of one person."""
NOTED_EVERY: Final = timedelta(hours=1)
"""How exactly it is known when a token was last used: a read should not be a write."""


class TokenNeeded(Refusal):
    status = 401
    message = N_("This needs a token: the header Authorization: Bearer mkt_…")

    @property
    def headers(self) -> Mapping[str, str]:
        return {"WWW-Authenticate": "Bearer"}


class WrongToken(Refusal):
    status = 401
    message = N_("This token is not one of ours, or it was taken back.")

    @property
    def headers(self) -> Mapping[str, str]:
        return {"WWW-Authenticate": 'Bearer error="invalid_token"'}


class ScopeMissing(Refusal):
    status = 403
    message = N_("This token is not allowed “%(scope)s”.")

    @property
    def headers(self) -> Mapping[str, str]:
        return {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{self.params["scope"]}"'}


class NothingAllowed(Refusal):
    status = 422
    message = N_("Choose what the token may do.")


class TooManyTokens(Refusal):
    message = N_("You have %(most)s tokens already. Take one back first.")


class ApiToken(Base):
    __tablename__ = "api_tokens"
    __table_args__ = (Index("ix_api_tokens_person_id", "person_id"),)

    id: Mapped[Id]
    name: Mapped[str]
    """What the person calls the program it is for."""
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    secret_hash: Mapped[str] = mapped_column(unique=True)
    hint: Mapped[str]
    """The secret's first letters, by which a person tells tokens apart."""
    scopes: Mapped[list[Any]]
    """Some of `SCOPES`."""
    group_id: Mapped[UUID | None] = mapped_column(ForeignKey("groups.id"))
    """The one group it is for; None: all that the person may do (or one centre)."""
    center_id: Mapped[UUID | None] = mapped_column(ForeignKey("centers.id"))
    made_at: Mapped[Utc]
    last_used_at: Mapped[datetime | None]
    """Give or take `NOTED_EVERY`."""
    revoked_at: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: what they may see now, and the token they came with (None: anybody)."""

    scope: Scope
    token: ApiToken | None = None

    @property
    def person(self) -> Person:
        """The token's person; only where a token was asked for (`needs`)."""
        assert self.scope.person is not None
        return self.scope.person


async def tokens_of(session: AsyncSession, scope: Scope) -> Sequence[ApiToken]:
    """Return the person's own living tokens, the newest first."""
    found = await session.scalars(
        select(ApiToken)
        .where(scope.of_person(ApiToken.person_id), ApiToken.revoked_at.is_(None))
        .order_by(ApiToken.id.desc())
    )
    return found.all()


async def issue(
    session: AsyncSession,
    scope: Scope,
    name: str,
    allowed: Collection[str],
    *,
    group_id: UUID | None = None,
    center_id: UUID | None = None,
) -> tuple[ApiToken, str]:
    """Make a token for the person of `scope`; return it with its secret, which nobody can read again.

    Refuses with `NothingAllowed`, `TooManyTokens`, and `NotFound` for a group or a centre that is not theirs.
    """
    known = [each for each in SCOPES if each in allowed]
    if not known:
        raise NothingAllowed(field="scopes")
    if scope.person is None or _narrowed(scope, group_id, center_id) is None:
        raise NotFound
    if len(await tokens_of(session, scope)) >= MOST_TOKENS:
        raise TooManyTokens(most=MOST_TOKENS)
    secret = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken(
        name=name,
        person_id=scope.person.id,
        secret_hash=people.token_hash(secret),
        hint=secret[: len(PREFIX) + 4],
        scopes=known,
        group_id=group_id,
        center_id=center_id,
        made_at=clock.now(),
    )
    session.add(token)
    await session.flush()
    return token, secret


async def revoke(session: AsyncSession, scope: Scope, token_id: UUID) -> None:
    """Take one of the person's own tokens back, at once; refuses with `NotFound`."""
    revoked = await session.scalar(
        update(ApiToken)
        .where(ApiToken.id == token_id, scope.of_person(ApiToken.person_id), ApiToken.revoked_at.is_(None))
        .values(revoked_at=clock.now())
        .returning(ApiToken.id)
    )
    if revoked is None:
        raise NotFound


def secret_of(request: Request) -> str | None:
    """The bearer secret of a call, whether or not it is worth anything."""
    kind, _, secret = request.headers.get("authorization", "").partition(" ")
    return (secret.strip() or None) if kind.lower() == "bearer" else None


async def know_caller(request: Request) -> Caller:
    """Dependency of every route: nobody without a token.  Refuses with `WrongToken`, whatever the route needs.

    In a transaction of its own: a route may have work to do before it opens one.
    """
    if "authorization" not in request.headers:
        return Caller(Scope())
    secret = secret_of(request)
    async with session_scope() as session:
        caller = await caller_with(session, secret) if secret else None
    if caller is None:
        await rates.count_wrong_token(request)
        raise WrongToken
    return caller


bearer = HTTPBearer(scheme_name="token", description="A token made on your desk.", auto_error=False)


async def allowed(
    scopes: SecurityScopes,
    caller: Annotated[Caller, Depends(know_caller, scope="function")],
    _shown: Annotated[Any, Depends(bearer)],
) -> Caller:
    """Dependency behind `needs`; the bearer scheme is only there for the document."""
    if caller.token is None:
        raise TokenNeeded
    for scope in scopes.scopes:
        if scope not in caller.token.scopes:
            raise ScopeMissing(scope=scope)
    return caller


CurrentCaller = Annotated[Caller, Depends(know_caller, scope="function")]


def needs(scope: str) -> Any:
    """Dependency: a caller whose token is allowed `scope`: `caller: Annotated[Caller, needs("orders:read")]`.

    Refuses with `TokenNeeded` and `ScopeMissing`.
    """
    assert scope in SCOPES, scope
    return Security(allowed, scopes=[scope])


async def caller_with(session: AsyncSession, secret: str) -> Caller | None:
    found = await _living(session, secret)
    if found is None:
        return None
    token, person = found
    scope = _narrowed(await access.scope_of(session, person), token.group_id, token.center_id)
    await _note_use(session, token)
    return Caller(scope or Scope(person), token)


async def _living(session: AsyncSession, secret: str) -> tuple[ApiToken, Person] | None:
    row = (
        await session.execute(
            select(ApiToken, Person)
            .join(Person, Person.id == ApiToken.person_id)
            .where(
                ApiToken.secret_hash == people.token_hash(secret),
                ApiToken.revoked_at.is_(None),
                Person.blocked_at.is_(None),
            )
        )
    ).one_or_none()
    return (row[0], row[1]) if row else None


def _narrowed(scope: Scope, group_id: UUID | None, center_id: UUID | None) -> Scope | None:
    """The scope within one group or centre; None when the person has no part in it (any more)."""
    if group_id is not None:
        role = scope.roles.get(group_id)
        return replace(scope, roles={group_id: role}, centers=frozenset(), is_staff=False) if role else None
    if center_id is not None:
        is_theirs = scope.is_staff or center_id in scope.centers
        return replace(scope, roles={}, centers=frozenset({center_id}), is_staff=False) if is_theirs else None
    return scope


async def _note_use(session: AsyncSession, token: ApiToken) -> None:
    now = clock.now()
    if token.last_used_at is None or token.last_used_at < now - NOTED_EVERY:
        # Whoever notes it at the same moment does it for us: nobody waits for a row lock here.
        waiting = select(ApiToken.id).where(ApiToken.id == token.id).with_for_update(skip_locked=True)
        await session.execute(update(ApiToken).where(ApiToken.id.in_(waiting)).values(last_used_at=now))
