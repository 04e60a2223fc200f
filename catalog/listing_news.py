"""What other people's programs are told of a listing that changed (`app.webhooks`).

The database asks for it by itself (triggers of migration 0009), in the transaction of the change, so that no verb can
forget; changes within a few seconds are told once, as things stand then.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app import jobs
from app.database import session_scope
from app.webhooks import deliveries, hooks
from app.webhooks.hooks import Event
from catalog.listings import Listing, Variant, variants_of
from producers.groups import Group


@jobs.handler("listings.tell")
async def tell(payload: dict[str, Any]) -> None:
    """Tell of a listing as it is now."""
    async with session_scope() as session:
        row = (
            await session.execute(
                select(Listing, Group)
                .join(Group, Group.id == Listing.group_id)
                .where(Listing.id == UUID(payload["listing_id"]))
            )
        ).one_or_none()
        if row is None:
            return
        listing, group = row
        data = {"listing": _listing_data(listing, group, await variants_of(session, listing.id))}
        for hook in await hooks.listening(session, Event.listing_changed, {group.id}, {group.center_id}):
            await deliveries.tell(session, hook, Event.listing_changed, about=listing.slug, data=data)


def _listing_data(listing: Listing, group: Group, variants: Sequence[Variant]) -> dict[str, Any]:
    return {
        "slug": listing.slug,
        "ref": listing.ref,
        "group": group.slug,
        "url": f"/api/v1/desk/groups/{group.slug}/listings/{listing.slug}",
        "state": listing.state,
        "name": {"th": listing.name_th, "en": listing.name_en},
        "changed_at": listing.changed_at.isoformat(),
        "variants": [_variant_data(variant) for variant in variants],
    }


def _variant_data(variant: Variant) -> dict[str, Any]:
    return {
        "id": str(variant.id),
        "label": {"th": variant.label_th, "en": variant.label_en},
        "unit": {"th": variant.unit_th, "en": variant.unit_en},
        "price_satang": variant.price_satang,
    }
