"""Two worlds that have nothing to do with each other, and everybody who lives in them.

Each world is a centre with two groups and all that can be pointed at by an address.  What nobody else may read carries
a mark of its world, so that a page that shows too much is found by its words.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from app import access, clock, files, jobs, people
from app.access import Role
from app.api import tokens
from app.jobs import Job
from app.money import Satang
from app.people import Person
from app.webhooks import deliveries, hooks
from app.webhooks.hooks import Event, Place
from catalog import photos
from catalog.photos import Original
from orders import cancellation, payments, provider_events, refunds, slips
from orders.checkout import Buyer
from orders.order import Order
from orders.states import BUYER
from orders.stripe_gateway import StripeEvent
from producers import certificates, members, notes, own_books
from producers.certificates import CertificateKind
from producers.notes import Block
from tests import factories
from tests.isolation.registry import Who
from tests.orders import factories as orders
from tests.orders.factories import STAFF, Stall
from tests.producers import factories as producers

Words = Mapping[str, str]
"""What an address of this world takes, by the end of the path up to the parameter; the longest that fits counts."""

PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")
EVERYWHERE: Words = {
    "cloth/{slug}": "any-name-has-a-pattern",
    "notes/{number}": "5",
    "sitemap-{part}": "0",
    "{key}": "demo/picture.jpg",
}
"""What belongs to nobody."""
PICTURE = b"\xff\xd8\xff\xe0 a picture of a test \xff\xd9"


@dataclass(frozen=True, slots=True)
class World:
    words: Words
    private: frozenset[str]
    """What only its own people may read."""
    group_owner: Person
    group_id: UUID
    center_id: UUID
    shopper: Person


@dataclass(frozen=True, slots=True)
class TwoWorlds:
    here: World
    there: World
    sessions: Mapping[Who, str]
    """Of everybody but the stranger, what their browser carries."""


async def two_worlds(session: AsyncSession) -> TwoWorlds:
    """Build everything; the caller commits."""
    here, there = await _world(session, "ที่นี่"), await _world(session, "ที่โน่น")
    who = {
        Who.owner: here.group_owner,
        Who.packer: await _with(session, Role.packer, group_id=here.group_id),
        Who.editor: await _with(session, Role.editor, group_id=here.group_id),
        Who.coordinator: await _with(session, Role.coordinator, center_id=here.center_id),
        Who.staff: await _with(session, Role.staff),
        Who.shopper: here.shopper,
        Who.other_shopper: there.shopper,
        Who.outsider: there.group_owner,
        Who.other_coordinator: await _with(session, Role.coordinator, center_id=there.center_id),
        Who.revoked: await _revoked(session, here),
    }
    here = await _with_token(session, here, "centers/{slug}", who[Who.coordinator], center_id=here.center_id)
    here = await _with_token(session, here, "staff", who[Who.staff])
    there = await _with_token(session, there, "centers/{slug}", who[Who.other_coordinator], center_id=there.center_id)
    await files.put("media/demo/picture.jpg", PICTURE, "image/jpeg")
    sessions = {each: people.open_browser(session, person, device="test") for each, person in who.items()}
    return TwoWorlds(here, there, sessions)


def path_of(route_path: str, words: Words) -> str:
    """The address of a route with this world's words in it."""
    return PARAMETER.sub(lambda found: _word(route_path[: found.start()] + f"{{{found[1]}}}", words), route_path)


def parameters_of(route_path: str) -> list[str]:
    """The ends of path by which the words of this route are found, those of nobody left out."""
    ends = [route_path[: found.start()] + f"{{{found[1]}}}" for found in PARAMETER.finditer(route_path)]
    return [end for end in ends if not any(end.endswith(common) for common in EVERYWHERE)]


def swapped(words: Words, end: str, other: Words) -> Words:
    """These words, but the other world's thing at the parameter where the path so far is `end`."""
    key = _key(end, words)
    return {**words, key: other[key]}


def never_was(words: Words) -> Words:
    """Words that look as these do and name nothing."""
    return {key: _unlike(word) for key, word in words.items()}


def _key(end: str, words: Words) -> str:
    fitting = [key for key in words if end.endswith(key)]
    assert fitting, f"tests/isolation/world.py does not know {end}: add it to _words_of (what is it in each world?)"
    return max(fitting, key=len)


def _word(end: str, words: Words) -> str:
    every = {**EVERYWHERE, **words}
    return every[_key(end, every)]


def _unlike(word: str) -> str:
    try:
        UUID(word)
    except ValueError:
        return "987654321" if word.isdigit() else "never-was"
    return str(uuid4())


async def _world(session: AsyncSession, mark: str) -> World:
    center = await producers.center(session)
    center.promptpay_id, center.promptpay_name = "0812223333", f"ศูนย์ {mark}"
    stall = await orders.stall(session, at=center)
    shopper = await factories.person(session, name=f"นักช้อป {mark}")
    buyer = replace(
        orders.MALI,
        name=f"ผู้ซื้อของ {mark}",
        email="buyer@example.com",
        address_line=f"99 หมู่บ้าน {mark}",
        note=f"ฝากไว้กับ {mark}",
        person_id=shopper.id,
    )
    things = await _things(session, stall, buyer, mark)
    placed = {key: word for key, word in things.items() if key in {"o/{token}", "orders/{number}"}}
    private = frozenset({buyer.name, buyer.address_line or "", f"ความลับ {mark}", *placed.values()})
    return World(things, private, stall.owner, stall.group.id, center.id, shopper)


async def _things(session: AsyncSession, stall: Stall, buyer: Buyer, mark: str) -> Words:
    """One of everything an address can name.  The order of the group's desk is another than the one behind the link."""
    secret, owner, group = f"ความลับ {mark}", stall.owner, stall.group
    ready = await orders.paid_order(session, (stall, 1000), buyer=buyer)
    unpaid = await orders.order(session, (stall, 1000), buyer=buyer)
    of_group = await _slip(session, await orders.order(session, (stall, 1000), buyer=buyer))
    part = await orders.only_part(session, ready)
    photo = await photos.add(
        session, group.id, Original(f"originals/{uuid4().hex}.jpg", 800, 600), listing_id=stall.listing.id
    )
    stream = await producers.stream(session, group)
    fact = await own_books.record_off_market(
        session,
        group,
        stream,
        day=clock.business_day() - timedelta(days=1),
        satang=Satang(100_00),
        token=mark,
        note=secret,
        by=owner,
    )
    await notes.write_note(session, group.id, Block(5), text_th=secret, text_en=None, seen_version=0, by=owner)
    certificate = await certificates.add(session, group, CertificateKind.pgs, number="PGS-1", issuer=secret, by=owner)
    members.invite(session, Role.packer, by=owner, group_id=group.id, hint=secret)
    await session.flush()
    (invitation,) = await members.open_invitations(session, group.id)
    helper = await producers.member(session, group, Role.packer)
    return {
        "groups/{slug}": group.slug,
        "centers/{slug}": stall.center.slug,
        "listings/{slug}": stall.listing.slug,
        "{listing_slug}": stall.listing.slug,
        "{variant_id}": str(stall.variant.id),
        "{photo_id}": str(photo.id),
        "{certificate_id}": str(certificate.id),
        "{invitation_id}": str(invitation.id),
        "{person_id}": str(helper.id),
        "{stream_id}": str(stream.id),
        "{fact_id}": str(fact.id),
        "{part_id}": str(part.id),
        "{job_id}": await _failed_job(session),
        "{event_id}": str(await _told_by_stripe(session)),
        "{task_id}": await _refund(session, stall, buyer, secret),
        **await _programs(session, stall, secret),
        "orders/{number}": ready.number,
        "o/{token}": unpaid.link_token,
        "orders/{link}": unpaid.link_token,
        "deliveries/{group}": group.slug,
        "invitations/{token}": members.invite(session, Role.packer, by=owner, group_id=group.id),
        "desk/slips/{slip_id}": of_group,
    }


async def _programs(session: AsyncSession, stall: Stall, secret: str) -> Words:
    """A token of the group's owner; a webhook of the group, of its centre and of the network, each with a message."""
    scope = await access.scope_of(session, stall.owner)
    token, _ = await tokens.issue(session, scope, secret, ["orders:read"], group_id=stall.group.id)
    words = {"{token_id}": str(token.id)}
    places = {
        "groups/{slug}": Place(group_id=stall.group.id),
        "centers/{slug}": Place(center_id=stall.center.id),
        "staff": Place(),
    }
    for where, place in places.items():
        hook = await hooks.add(session, place, "https://example.com/hook", [Event.order_paid], by=stall.owner)
        told = await deliveries.tell(session, hook, Event.order_paid, about=secret, data={"secret": secret})
        words[f"{where}/programs/hooks/{{hook_id}}"] = str(hook.id)
        words[f"{where}/programs/hooks/{{hook_id}}/deliveries/{{delivery_id}}"] = str(told.id)
    return words


async def _with_token(session: AsyncSession, world: World, where: str, person: Person, **place: UUID) -> World:
    """The world with a token that this person made on that desk."""
    token, _ = await tokens.issue(session, await access.scope_of(session, person), "token", ["webhooks"], **place)
    return replace(world, words={**world.words, f"{where}/programs/tokens/{{token_id}}": str(token.id)})


async def _slip(session: AsyncSession, order: Order) -> str:
    picture = orders.slip()
    await files.put(picture.file_key, PICTURE, picture.content_type)
    return str((await slips.send_slip(session, order, picture)).id)


async def _refund(session: AsyncSession, stall: Stall, buyer: Buyer, pay_to: str) -> str:
    """Money for an order that was cancelled meanwhile: the group holds it and owes it."""
    order = await orders.order(session, (stall, 1000), buyer=buyer)
    await cancellation.cancel(session, order, BUYER, None)
    await payments.settle(session, order, order.total_satang, STAFF)
    await refunds.say_where(session, order, pay_to)
    return str((await refunds.of_order(session, order.id))[0].id)


async def _with(session: AsyncSession, role: Role, **place: UUID) -> Person:
    person = await factories.person(session, name=f"คนทำงาน ({role})")
    await access.grant(session, person, role, **place)
    return person


async def _revoked(session: AsyncSession, here: World) -> Person:
    person = await factories.person(session, name="คนที่เคยทำงาน")
    for role, place in (
        (Role.owner, {"group_id": here.group_id}),
        (Role.coordinator, {"center_id": here.center_id}),
        (Role.staff, {}),
    ):
        await access.grant(session, person, role, **place)
        await access.end(session, person.id, **place)
    return person


async def _told_by_stripe(session: AsyncSession) -> UUID:
    event_id = f"evt_{uuid4()}"
    about = {"object": "refund", "id": f"re_{uuid4()}", "status": "succeeded", "amount": 1}
    return await provider_events.keep(session, StripeEvent(event_id, "refund.updated", {"data": {"object": about}}))


async def _failed_job(session: AsyncSession) -> str:
    await jobs.enqueue(session, "mail.send", {"notice_id": str(uuid4())}, key=(key := str(uuid4())))
    failed = update(Job).where(Job.key == key).values(failed_at=clock.now(), last_error="no")
    return str(await session.scalar(failed.returning(Job.id)))
