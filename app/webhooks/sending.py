"""Sending: the worker's part.  One signed POST per attempt, no transaction open meanwhile.

A receiver has ten seconds to say 2xx; anything else is a failure, redirects too (they could lead anywhere).  Failed
deliveries are tried again by `TIMETABLE`, over about two days.  A hook that failed rests for a while, so that a dead
receiver takes no time from the living, and one that fails for days is paused and its people are told.
"""

import asyncio
import hashlib
import hmac
import random
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

import httpx
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock, jobs, mail
from app.access import Membership, Role
from app.database import session_scope
from app.language import N_, Language, translate
from app.people import Person
from app.webhooks import addresses, hooks
from app.webhooks.addresses import Target
from app.webhooks.deliveries import SEND, Delivery, SendAttempt, schedule
from app.webhooks.hooks import Hook, Pause

SECONDS: Final = 10
"""From looking up the name to the first bytes of the answer."""
MOST_ANSWER_BYTES: Final = 2000
MOST_ANSWER_CHARACTERS: Final = 500
MOST_ADDRESSES: Final = 3
"""Of a name with many addresses so many are tried."""
TIMETABLE: Final = tuple(
    timedelta(seconds=seconds) for seconds in (10, 60, 300, 900, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 24 * 3600)
)
"""How long to wait after each failed attempt."""
FIRST_REST: Final = timedelta(seconds=5)
LONGEST_REST: Final = timedelta(minutes=30)
PAUSED_AFTER: Final = timedelta(days=3)
"""Failing for so long without one success."""
AGENT: Final = "CommunityMarket-Webhooks/1"


class Trouble(StrEnum):
    """Why no answer came."""

    unknown_host = "unknown_host"
    not_public = "not_public"
    unreachable = "unreachable"
    slow = "slow"


TROUBLE_WORDS: Final = {
    Trouble.unknown_host: N_("There is no server of this name."),
    Trouble.not_public: N_("The address is not on the public internet."),
    Trouble.unreachable: N_("The server could not be reached safely."),
    Trouble.slow: N_("The server took longer than ten seconds."),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one attempt went."""

    at: datetime
    milliseconds: int
    status: int | None = None
    trouble: Trouble | None = None
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """Everything needed to send, read before, so that no transaction is open while the network is slow."""

    delivery_id: UUID
    url: str
    event: str
    body: bytes
    secrets: list[str]


def signature(secrets: list[str], at: datetime, body: bytes) -> str:
    """Return the value of `Market-Signature`: the moment, and one HMAC-SHA256 of "moment.body" per secret."""
    moment = int(at.timestamp())
    signed = f"{moment}.".encode() + body
    marks = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets]
    return ",".join([f"t={moment}", *(f"v1={mark}" for mark in marks)])


@jobs.handler(SEND)
async def send(payload: dict[str, Any]) -> None:
    """Try a delivery once, write down how it went, and plan the next attempt if it failed."""
    async with session_scope() as session:
        letter = await _letter(session, payload)
    if letter is None:
        return
    outcome = await _sent(letter)
    async with session_scope() as session:
        await _write_down(session, letter.delivery_id, outcome, is_replay=bool(payload.get("is_replay")))


async def _letter(session: AsyncSession, payload: dict[str, Any]) -> Letter | None:
    """Return what is to be sent now; None when it is not wanted any more, or has to wait."""
    found = await _found(session, UUID(payload["delivery_id"]))
    if found is None:
        return None
    delivery, hook = found
    if not payload.get("is_replay"):
        is_stale = not delivery.is_waiting or delivery.attempts != payload["attempt"]
        if is_stale or hook.paused_at:
            return None
        if hook.rests_until_at and hook.rests_until_at > clock.now():
            delivery.next_at = hook.rests_until_at + _any_of(FIRST_REST)
            await schedule(session, delivery)
            return None
    body = delivery.body_text.encode()
    return Letter(delivery.id, hook.url, delivery.event, body, hook.secrets_at(clock.now()))


async def _sent(letter: Letter) -> Outcome:
    at, began = clock.now(), time.monotonic()

    def outcome(**said: Any) -> Outcome:
        return Outcome(at, round((time.monotonic() - began) * 1000), **said)

    try:
        async with asyncio.timeout(SECONDS):
            status, answer = await _posted(letter, at)
        return outcome(status=status, answer=answer)
    except addresses.UnknownHost:
        return outcome(trouble=Trouble.unknown_host)
    except (addresses.AddressNotPublic, addresses.NotEncrypted, addresses.AddressUnclear):
        return outcome(trouble=Trouble.not_public)
    except (TimeoutError, httpx.TimeoutException):
        return outcome(trouble=Trouble.slow)
    except (httpx.HTTPError, OSError) as error:
        return outcome(trouble=Trouble.unreachable, answer=_cut(str(error)))


async def _posted(letter: Letter, at: datetime) -> tuple[int, str]:
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": AGENT,
        "Accept-Encoding": "identity",
        "Market-Event": letter.event,
        "Market-Delivery": str(letter.delivery_id),
        "Market-Signature": signature(letter.secrets, at, letter.body),
    }
    reachable = (await addresses.targets(letter.url))[:MOST_ADDRESSES]
    # Proxies of the environment would look the name up once more, by themselves.
    async with httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=SECONDS) as client:
        for target in reachable[:-1]:
            try:
                return await _asked(client, target, letter, headers)
            except httpx.ConnectError:
                continue
        return await _asked(client, reachable[-1], letter, headers)


async def _asked(client: httpx.AsyncClient, target: Target, letter: Letter, headers: dict[str, str]) -> tuple[int, str]:
    """POST to the very address that was checked; the server proves the name it was asked by."""
    parts = urlsplit(letter.url)
    url = target.origin + (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    extensions = {"sni_hostname": target.host} if target.is_encrypted else {}
    named = headers | {"Host": parts.netloc}
    async with client.stream("POST", url, content=letter.body, headers=named, extensions=extensions) as answer:
        read = b""
        async for chunk in answer.aiter_raw(MOST_ANSWER_BYTES):
            read += chunk
            if len(read) >= MOST_ANSWER_BYTES:
                break
        return answer.status_code, _cut(read[:MOST_ANSWER_BYTES].decode(errors="replace"))


async def _write_down(session: AsyncSession, delivery_id: UUID, outcome: Outcome, *, is_replay: bool) -> None:
    found = await _found(session, delivery_id)
    if found is None:  # the hook was deleted meanwhile
        return
    delivery, hook = found
    attempt = SendAttempt(
        delivery_id=delivery.id,
        at=outcome.at,
        milliseconds=outcome.milliseconds,
        status=outcome.status,
        trouble=outcome.trouble,
        answer=outcome.answer,
    )
    session.add(attempt)
    if attempt.is_fine:
        _arrived(delivery, hook)
    else:
        await _failed(session, delivery, hook, is_replay=is_replay)
    await session.flush()


def _arrived(delivery: Delivery, hook: Hook) -> None:
    delivery.delivered_at = delivery.delivered_at or clock.now()
    delivery.next_at = None
    hook.failures, hook.failing_since_at, hook.rests_until_at = 0, None, None


async def _failed(session: AsyncSession, delivery: Delivery, hook: Hook, *, is_replay: bool) -> None:
    now = clock.now()
    hook.failures += 1
    hook.failing_since_at = hook.failing_since_at or now
    hook.rests_until_at = now + min(FIRST_REST * 2 ** min(hook.failures - 1, 20), LONGEST_REST)
    if not is_replay:
        pause = TIMETABLE[delivery.attempts] if delivery.attempts < len(TIMETABLE) else None
        delivery.attempts += 1
        delivery.next_at = now + pause + _any_of(pause / 10) if pause else None
    if hook.paused_at is None and now - hook.failing_since_at >= PAUSED_AFTER:
        hooks.pause(hook, Pause.failing)
        await _tell_its_people(session, hook)
    elif delivery.next_at and not is_replay:
        await schedule(session, delivery)


async def _found(session: AsyncSession, delivery_id: UUID) -> tuple[Delivery, Hook] | None:
    """Lock a delivery with its hook; None when either is gone."""
    row = (
        await session.execute(
            select(Delivery, Hook)
            .join(Hook, Hook.id == Delivery.hook_id)
            .where(Delivery.id == delivery_id, Hook.deleted_at.is_(None))
            .with_for_update()
        )
    ).one_or_none()
    return (row.Delivery, row.Hook) if row else None


async def _tell_its_people(session: AsyncSession, hook: Hook) -> None:
    """Write to the group's owners, the centre's coordinators or the staff."""
    role = Role.owner if hook.group_id else Role.coordinator if hook.center_id else Role.staff
    rows = await session.execute(
        select(Person.email, Person.lang)
        .join(Membership, Membership.person_id == Person.id)
        .where(
            Membership.group_id.is_not_distinct_from(hook.group_id),
            Membership.center_id.is_not_distinct_from(hook.center_id),
            Membership.role == role,
            Membership.ended_at.is_(None),
            Person.email.is_not(None),
        )
    )
    for email, spoken in rows:
        assert email is not None
        lang: Language = "en" if spoken == "en" else "th"
        subject = translate(lang, N_("Your webhook is paused"))
        body = translate(
            lang,
            N_(
                "%(url)s has not answered for days, so we no longer send anything there.\n\n"
                "What happens meanwhile is kept for 30 days. Once your program runs again, open your desk, part "
                '"Programs", and let the webhook go on.'
            ),
            url=hook.url,
        )
        await mail.keep(session, to=email, lang=lang, subject=subject, body=body, about=f"webhook {hook.id}")


def _any_of(longest: timedelta) -> timedelta:
    """A random part of it, so that many do not come at once."""
    return longest * random.random()


def _cut(text: str) -> str:
    return text.replace("\x00", "")[:MOST_ANSWER_CHARACTERS]
