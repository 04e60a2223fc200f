"""Announcements: what other people's programs are told of an order (`app.webhooks`), in the transaction of the fact.

A group's program hears of the group's own part and nothing else, a centre's of its groups' parts.  Who the buyer is and
where they live is left out: a program that needs it asks the API for the order, with a token that may see it, so that
nobody's address lies about in logs or goes to a server that nobody looks after any more.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.webhooks import deliveries, hooks
from app.webhooks.hooks import Event
from catalog.listings import Listing
from orders.order import Order, OrderLine, OrderPart
from producers.groups import Group


async def announce(session: AsyncSession, event: Event, order: Order, parts: Sequence[OrderPart]) -> None:
    """Tell of these parts of an order to every hook that listens to their groups or centres."""
    listening = await hooks.listening(
        session, event, {part.group_id for part in parts}, {part.center_id for part in parts}
    )
    if not listening:
        return
    described = await _described(session, order, parts)
    for hook in listening:
        heard = [described[part.id] for part in parts if hook.hears_of(part.group_id, part.center_id)]
        await deliveries.tell(
            session, hook, event, about=order.number, data={"order": _order_data(order), "parts": heard}
        )


def _order_data(order: Order) -> dict[str, Any]:
    return {
        "number": order.number,
        "state": order.state,
        "payment_method": order.payment_method,
        "placed_at": order.placed_at.isoformat(),
        "paid_at": order.paid_at.isoformat() if order.paid_at else None,
    }


async def _described(session: AsyncSession, order: Order, parts: Sequence[OrderPart]) -> dict[UUID, dict[str, Any]]:
    group_ids = {part.group_id for part in parts}
    slugs = dict((await session.execute(select(Group.id, Group.slug).where(Group.id.in_(group_ids)))).all())
    rows = await session.execute(
        select(OrderLine, Listing.slug)
        .join(Listing, Listing.id == OrderLine.listing_id)
        .where(OrderLine.part_id.in_([part.id for part in parts]))
        .order_by(OrderLine.position, OrderLine.id)
    )
    lines: dict[UUID, list[dict[str, Any]]] = {}
    for line, listing_slug in rows:
        lines.setdefault(line.part_id, []).append(_line_data(line, listing_slug))
    return {part.id: _part_data(order, part, slugs[part.group_id], lines.get(part.id, [])) for part in parts}


def _part_data(order: Order, part: OrderPart, slug: str, lines: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "group": slug,
        "url": f"/api/v1/desk/groups/{slug}/orders/{order.number}",
        "state": part.state,
        "delivery": part.delivery,
        "goods_satang": part.goods_satang,
        "delivery_satang": part.delivery_satang,
        "total_satang": part.total_satang,
        "carrier": part.carrier,
        "tracking": part.tracking,
        "lines": lines,
    }


def _line_data(line: OrderLine, listing_slug: str) -> dict[str, Any]:
    return {
        "listing": listing_slug,
        "variant_id": str(line.variant_id),
        "name": {"th": line.name.th, "en": line.name.en},
        "unit": {"th": line.unit_th, "en": line.unit_en},
        "quantity_milli": line.quantity_milli,
        "price_satang": line.price_satang,
        "satang": line.satang,
    }
