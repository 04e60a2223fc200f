"""A market stocked by the thousand, to see that browsing stays quick: written by the database itself.

`python -m tests.catalog.stock 10000` fills a database of the test server, asks the questions of browsing, and prints
how long they take and how they are answered.
"""

import asyncio
import os
import sys
import time
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from app import embedded, places
from catalog.browse import shelf
from catalog.categories import CATEGORIES
from catalog.choice import read_choice
from catalog.facets import facets
from tests.conftest import TEST_HOME
from tests.ground.databases import OPTIONS, copy_of_template

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
INSERT INTO pools (id, on_hand_milli, held_milli) SELECT pool_id, (n % 20) * 1000, 0 FROM stock;
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

QUESTIONS: Final[Mapping[str, Mapping[str, str]]] = {
    "everything": {},
    "everything, by price": {"sort": "price"},
    "everything, by name": {"sort": "name"},
    "a cluster in a region": {"cluster": "production", "region": "north"},
    "a province": {"province": "phrae"},
    "a certificate": {"certificate": "organic"},
    "two words": {"q": "ชิ้นที่ 77"},
    "words and price": {"q": "ของดี", "min": "100", "max": "200", "sort": "price-down"},
}


async def fill(session: AsyncSession, listings: int) -> None:
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


async def measure(listings: int) -> None:
    with embedded.running(TEST_HOME, OPTIONS) as server:
        async with copy_of_template(server, f"test_{os.getpid()}_stock") as url:
            engine = create_async_engine(url)
            async with AsyncSession(engine) as session, session.begin():
                await fill(session, listings)
            async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
                await connection.execute(text("VACUUM ANALYZE"))
            async with AsyncSession(engine) as session:
                for name, query in QUESTIONS.items():
                    shelf_ms, facets_ms = await _ask(session, query)
                    sys.stdout.write(f"{name:24}{shelf_ms:7.1f} ms{facets_ms:7.1f} ms\n")
                if "--explain" in sys.argv:
                    await _explain(session, engine)
            await engine.dispose()


async def _ask(session: AsyncSession, query: Mapping[str, str]) -> list[float]:
    """Milliseconds for the shelf and for the facets, the best of several."""
    choice = await read_choice(session, query)
    best = [float("inf"), float("inf")]
    for _ in range(5):
        for place, question in enumerate((shelf(session, choice), facets(session, choice))):
            begun = time.perf_counter()
            await question
            best[place] = min(best[place], (time.perf_counter() - begun) * 1000)
        session.expunge_all()
    return best


async def _explain(session: AsyncSession, engine: Any) -> None:
    def note(_connection: Any, cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        asked.append((statement, parameters))

    asked: list[tuple[str, Any]] = []
    event.listen(engine.sync_engine, "before_cursor_execute", note)
    for query in QUESTIONS.values():
        choice = await read_choice(session, query)
        await shelf(session, choice)
        await facets(session, choice)
    event.remove(engine.sync_engine, "before_cursor_execute", note)
    raw = await (await session.connection()).get_raw_connection()
    for statement, parameters in asked:
        if "photos" not in statement:
            assert raw.driver_connection is not None
            plan = await raw.driver_connection.fetch(f"EXPLAIN (ANALYZE, BUFFERS) {statement}", *parameters)
            sys.stdout.write("\n".join(row[0] for row in plan) + "\n\n")


if __name__ == "__main__":
    asyncio.run(measure(int(sys.argv[1])))
