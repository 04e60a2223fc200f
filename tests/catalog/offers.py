"""Listings to arrange a test with, made through the market's own verbs."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.money import Satang
from catalog import listings, wares
from catalog.listings import Listing, Variant
from catalog.wares import Details, Terms, Words
from producers.clusters import Cluster
from producers.groups import Group

KHAO_MAO = Words("ข้าวเม่าสด", "Fresh khao mao", "ตำใหม่ทุกเช้า", "Pounded every morning")
SWEETS = Details(Cluster.processing_marketing, "snacks-sweets")
BAG = Terms("ถุง 500 ก.", "500 g bag", Satang(4500), net_weight_g=500)


async def offered(
    session: AsyncSession,
    group: Group,
    words: Words = KHAO_MAO,
    details: Details = SWEETS,
    terms: Terms = BAG,
    stock_milli: int = 10_000,
) -> Listing:
    """Offer something and put it on sale."""
    listing = await wares.offer(session, group, words, details, terms, stock_milli)
    await listings.put_on_sale(session, listing)
    await session.flush()
    return listing


async def only_variant(session: AsyncSession, listing: Listing) -> Variant:
    [variant] = await listings.variants_of(session, listing.id)
    return variant
