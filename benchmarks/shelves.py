"""A market stocked by the thousand, to see that browsing stays quick: written by the database itself."""

from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app import places
from catalog.categories import CATEGORIES

LISTINGS_OF_A_GROUP: Final = 40

PEOPLE_AND_PLACES: Final = """
INSERT INTO centers (id, number, slug, name_th, name_en, cluster, region, province_code, latitude, longitude,
                     place_text_th, place_verified, sort_key)
SELECT gen_random_uuid(), 100 + n, 'stock-center-' || n, 'ศูนย์ที่ ' || n, 'Centre ' || n, 'production', :region, :province,
       15, 101, 'ที่ใดที่หนึ่ง', false, 'ศูนย์ที่ ' || n
FROM generate_series(1, 11) AS n;
INSERT INTO groups (id, slug, name_th, name_en, center_id, cluster, region, province_code, is_example, sort_key,
                    parcel_enabled, pickup_enabled, cash_enabled, state, applied_at, approved_at, changed_at)
SELECT gen_random_uuid(), 'stock-group-' || n, 'กลุ่มที่ ' || n, 'Group ' || n, centers.id, 'production', p.region, p.code, true,
       'กลุ่มที่ ' || n, true, true, true, 'approved', now(), now(), now()
FROM generate_series(1, :groups) AS n
JOIN unnest(CAST(:codes AS text[]), CAST(:regions AS text[])) WITH ORDINALITY AS p (code, region, place)
    ON p.place = 1 + n % 77
JOIN centers ON centers.number = 101 + n % 11;
INSERT INTO streams (id, group_id, kind, is_default, name_th, position)
SELECT gen_random_uuid(), id, 'goods', true, 'ขายสินค้า', 0 FROM groups WHERE slug LIKE 'stock-%';
INSERT INTO certificates (id, group_id, kind, number, added_at)
SELECT gen_random_uuid(), id, (ARRAY['organic', 'gap', 'pgs', 'halal'])[1 + (hashtext(slug) & 3)], '1', now()
FROM groups WHERE slug LIKE 'stock-%'
"""

GOODS: Final = """
CREATE TEMPORARY TABLE stock AS
SELECT n, gen_random_uuid() AS listing_id, gen_random_uuid() AS pool_id, (1 + n % 500) * 100 AS price,
       g.id AS group_id, s.id AS stream_id, c.code AS category, c.cluster
FROM generate_series(1, :listings) AS n
JOIN (SELECT id, row_number() OVER (ORDER BY slug) AS place FROM groups WHERE slug LIKE 'stock-%') g
    ON g.place = 1 + n % :groups
JOIN streams s ON s.group_id = g.id
JOIN unnest(CAST(:categories AS text[]), CAST(:clusters AS text[])) WITH ORDINALITY AS c (code, cluster, place)
    ON c.place = 1 + (n / 7) % 25;
INSERT INTO pools (id, on_hand_milli, held_milli) SELECT pool_id, CASE WHEN n % 20 = 0 THEN 0 ELSE 1000000000 END, 0 FROM stock;
INSERT INTO listings (id, slug, group_id, kind, name_th, name_en, description_th, cluster, category, stream_id, storage,
                      state, sort_key, search_text, price_satang, published_at, created_at, changed_at)
SELECT listing_id, 'stock-' || n, group_id, 'goods', 'ของดีชิ้นที่ ' || n, 'Good thing ' || n,
       repeat('ของดีจากชุมชน ทำด้วยมือ ปลูกเอง ไม่ใส่สี ', 12), cluster, category, stream_id,
       (ARRAY['ambient', 'ambient', 'chilled', 'frozen'])[1 + n % 4], CASE WHEN n % 25 = 0 THEN 'paused' ELSE 'on_sale' END,
       'ของดีชิ้นที่ ' || n, 'ของดีชิ้นที่ ' || n || E'\\n' || repeat('ของดีจากชุมชน ทำด้วยมือ ปลูกเอง ', 12), price,
       now() - n * interval '1 minute', now(), now()
FROM stock;
INSERT INTO variants (id, listing_id, position, unit_th, price_satang, pool_id, step_milli, least_milli)
SELECT gen_random_uuid(), listing_id, 0, 'ถุง', price, pool_id, 1000, 1000 FROM stock;
INSERT INTO listing_certificates (listing_id, certificate_id)
SELECT stock.listing_id, certificates.id FROM stock JOIN certificates USING (group_id) WHERE n % 3 = 0;
DROP TABLE stock
"""


async def stock(session: AsyncSession, listings: int) -> None:
    """Put so many listings of so many groups on the shelves of the whole country; a few of them sold out or paused."""
    codes = [province.code for province in places.provinces()]
    values: dict[str, Any] = {
        "listings": listings,
        "groups": max(1, listings // LISTINGS_OF_A_GROUP),
        "region": "north",
        "province": "54",
        "codes": codes,
        "regions": [places.region_of(code).id for code in codes],
        "categories": [each.code for each in CATEGORIES],
        "clusters": [each.cluster.value for each in CATEGORIES],
    }
    for statement in f"{PEOPLE_AND_PLACES};{GOODS}".split(";"):
        await session.execute(text(statement), values if ":" in statement else {})
