"""Where to look in the demo market: for every page, who opens it and what it is about."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import access, people
from app.access import Role
from app.people import Person
from app.webhooks import deliveries
from app.webhooks import hooks as webhooks
from app.webhooks.hooks import Event, Place
from catalog.listings import Listing, ListingKind, ListingState, Variant
from orders.order import Order, OrderPart
from orders.slips import Slip, SlipState
from orders.states import PartState
from producers import members
from producers.centers import Center
from producers.groups import Group
from tests import factories


class Who(StrEnum):
    guest = "guest"
    owner = "owner"
    coordinator = "coordinator"
    staff = "staff"


@dataclass(frozen=True, slots=True)
class Visit:
    """Open a page as `who`; `words` are what its address takes, `query` what stands behind it."""

    who: Who
    words: Mapping[str, str]
    query: str = ""


@dataclass(frozen=True, slots=True)
class World:
    """A group with something to pack, a centre with a slip to look at, and a session of everybody who may see them."""

    url: str
    group: Group
    center: Center
    listing: Listing
    variant: Variant
    order: Order
    slip: Slip
    invitation: str
    hooks: Mapping[str, tuple[str, str]]
    """By kind of desk: a webhook and a message of it."""
    sessions: Mapping[Who, str]

    def visit(self, name: str, path: str) -> Visit:
        """How to visit the page called `name` at `path`."""
        slug = self.center.slug if name.startswith("center") else self.group.slug
        hook_id, delivery_id = self.hooks.get(name.partition("_")[0], ("", ""))
        words = {
            "slug": self.listing.slug if name == "listing" else slug,
            "listing_slug": self.listing.slug,
            "hook_id": hook_id,
            "delivery_id": delivery_id,
            "slip_id": str(self.slip.id),
            "number": "5" if name == "canvas_note" else self.order.number,
            "token": self.invitation if name == "invitation" else self.order.link_token,
        }
        return Visit(self._who(name, path), words, "?q=ข้าว" if name == "search" else "")

    def _who(self, name: str, path: str) -> Who:
        if path.startswith(("/staff", "/desk/give-back")):
            return Who.staff
        if path.startswith("/desk/centers"):
            return Who.coordinator
        return Who.owner if path.startswith(("/desk", "/account", "/my")) or name == "apply" else Who.guest


async def world(session: AsyncSession, url: str) -> World:
    """Find places with work to do, and let people of the tests' own work there."""
    part, order, group = (
        await session.execute(
            select(OrderPart, Order, Group)
            .join(Order, Order.id == OrderPart.order_id)
            .join(Group, Group.id == OrderPart.group_id)
            .where(OrderPart.state == PartState.paid)
            .order_by(Order.placed_at.desc())
            .limit(1)
        )
    ).one()
    slip, center = (
        await session.execute(
            select(Slip, Center)
            .join(Order, Order.id == Slip.order_id)
            .join(Center, Center.id == Order.receiver_id)
            .where(Slip.state == SlipState.waiting)
            .limit(1)
        )
    ).one()
    listing, variant = (
        await session.execute(
            select(Listing, Variant)
            .join(Variant, Variant.listing_id == Listing.id)
            .where(
                Listing.group_id == part.group_id,
                Listing.state == ListingState.on_sale,
                Listing.kind == ListingKind.goods,
            )
            .order_by(Listing.slug)
            .limit(1)
        )
    ).one()
    sessions = {
        Who.owner: await _worker(session, Role.owner, group_id=group.id),
        Who.coordinator: await _worker(session, Role.coordinator, center_id=center.id),
        Who.staff: await _worker(session, Role.staff),
    }
    inviting = await factories.person(session, name="ผู้เชิญ")
    invitation = members.invite(session, Role.packer, by=inviting, group_id=group.id)
    hooks = {
        "group": await _hook(session, Place(group_id=group.id), inviting),
        "center": await _hook(session, Place(center_id=center.id), inviting),
        "staff": await _hook(session, Place(), inviting),
    }
    return World(url, group, center, listing, variant, order, slip, invitation, hooks, sessions)


async def _hook(session: AsyncSession, place: Place, by: Person) -> tuple[str, str]:
    """A webhook that heard of an order once and was paused then."""
    hook = await webhooks.add(session, place, "https://example.com/hook", [Event.order_paid], by=by)
    webhooks.pause(hook)
    told = await deliveries.tell(session, hook, Event.order_paid, about="483920", data={"order": {"number": "483920"}})
    return str(hook.id), str(told.id)


async def _worker(session: AsyncSession, role: Role, **place: Any) -> str:
    person = await factories.person(session, name=f"ผู้ตรวจหน้า ({role})")
    await access.grant(session, person, role, **place)
    return people.open_browser(session, person, device="test")
