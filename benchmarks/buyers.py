"""Buyers with something in their baskets, ready to send the form that makes an order."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import unescape
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

import httpx
from sqlalchemy import select

from app.database import session_scope
from benchmarks import load
from catalog.listings import Listing, ListingState, Variant
from orders import basket as baskets

_FIELD: Final = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')
_DELIVERY: Final = re.compile(r'name="(delivery-[^"]+)"')


@dataclass(frozen=True, slots=True)
class Buyer:
    cookie: str
    variants: Sequence[UUID]

    def changes(self, quantity: int) -> bytes:
        """The form of the basket page with other amounts."""
        fields = {f"quantity-{variant}": str(quantity) for variant in self.variants}
        return urlencode({"whole": "1", **fields}).encode()

    async def orders(self, client: httpx.AsyncClient) -> bytes:
        """The form of the checkout page as this buyer's browser would send it, everything picked up at the groups."""
        shown = (await client.get("/checkout", headers={"Cookie": self.cookie})).raise_for_status().text
        fields = [(name, unescape(value)) for name, value in _FIELD.findall(shown)]
        fields += [(name, "pickup_group") for name in sorted(set(_DELIVERY.findall(shown)))]
        fields += [("name", "มะลิ ใจเย็น"), ("phone", "0891112222"), ("payment_method", "promptpay")]
        return urlencode(fields).encode()


def basket_change(buyer: Buyer, quantity: int) -> bytes:
    return load.request("POST", "/basket", cookie=buyer.cookie, body=buyer.changes(quantity))


def placing(buyer: Buyer, form: bytes) -> bytes:
    return load.request("POST", "/checkout", cookie=buyer.cookie, body=form)


async def buyers(count: int, *, of_one_jar: bool = False) -> list[Buyer]:
    """Fill so many baskets: with things of two groups, other ones each time, or all with the same jar."""
    wanted = 1 if of_one_jar else 2
    async with session_scope() as session:
        variants = (
            await session.scalars(
                select(Variant.id)
                .join(Listing, Listing.id == Variant.listing_id)
                .where(Listing.state == ListingState.on_sale, Listing.slug.like("stock-%7"))
                .order_by(Listing.slug)
                .limit(wanted * (1 if of_one_jar else min(count, 40)))
            )
        ).all()
    return [await _buyer([variants[(n * wanted + i) % len(variants)] for i in range(wanted)]) for n in range(count)]


async def _buyer(variants: Sequence[UUID]) -> Buyer:
    async with session_scope() as session:
        basket, token = await baskets.start(session, None)
        for variant in variants:
            await baskets.add(session, basket, variant, 1000)
    return Buyer(f"basket={token}", variants)
