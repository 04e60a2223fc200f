"""A past of so many order lines: paid, packed, handed over and in the books, spread over a year and all groups.

Written by the database itself, with triggers and foreign keys asleep: a million lines through the market's own verbs
would take hours.  What it writes obeys the same rules; `market check` says so.
"""

from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

LINES_OF_AN_ORDER: Final = 4
"""Two of each of two groups."""

PAST: Final = """
SET LOCAL session_replication_role = replica;
CREATE TEMPORARY TABLE goods AS
SELECT substring(l.slug FROM 7)::int AS n, l.id AS listing_id, v.id AS variant_id, v.pool_id, l.group_id, l.stream_id, l.name_th,
       v.price_satang, g.center_id, g.name_th AS group_name
FROM listings l JOIN variants v ON v.listing_id = l.id JOIN groups g ON g.id = l.group_id
WHERE l.slug LIKE 'stock-%' AND l.group_id IS NOT NULL;
CREATE UNIQUE INDEX ON goods (n);
CREATE TEMPORARY TABLE bought AS
SELECT o AS n, gen_random_uuid() AS id, now() - (o % 365) * interval '1 day' - interval '3 days' AS at
FROM generate_series(1, :orders) AS o;
CREATE TEMPORARY TABLE taken AS
SELECT bought.n, bought.id AS order_id, bought.at, p, gen_random_uuid() AS part_id,
       1 + (bought.n * 7919 + p * (1 + :groups / 2)) % :groups AS place
FROM bought CROSS JOIN generate_series(0, 1) AS p;
CREATE TEMPORARY TABLE sold AS
SELECT taken.n, taken.order_id, taken.part_id, taken.at, taken.p, i, gen_random_uuid() AS line_id, goods.listing_id, goods.variant_id,
       goods.pool_id, goods.group_id, goods.center_id, goods.stream_id, goods.name_th, goods.group_name, goods.price_satang
FROM taken CROSS JOIN generate_series(0, 1) AS i
JOIN goods ON goods.n = place - 1 + :groups * (1 + (taken.n + i * 19) % 38);
CREATE TEMPORARY TABLE parts AS
SELECT n, order_id, part_id, at, p, group_id, center_id, group_name, sum(price_satang)::bigint AS satang FROM sold
GROUP BY n, order_id, part_id, at, p, group_id, center_id, group_name;
ANALYZE parts;
ANALYZE sold;
INSERT INTO orders (id, number, link_token, once_token, lang, channel, buyer_name, buyer_phone, payment_method, receiver_kind,
                    receiver_promptpay_id, goods_satang, delivery_satang, total_satang, received_satang, returned_satang,
                    placed_at, hold_until_at, paid_at, done_at, state)
SELECT order_id, (100000000 + n)::text, 'past-' || order_id, 'past-' || order_id, 'th', 'web', 'มะลิ', '+66891112222', 'promptpay',
       'market', '0899999999', sum(satang), 0, sum(satang), sum(satang), 0, at, at, at, at + interval '2 days', 'done'
FROM parts GROUP BY n, order_id, at;
INSERT INTO order_parts (id, order_id, position, group_id, center_id, group_name_th, delivery, goods_satang, delivery_satang,
                         weight_g, fee_rules, policy, state, placed_at, ready_at, packed_at, handed_over_at)
SELECT part_id, order_id, p, group_id, center_id, group_name, 'pickup_group', satang, 0, 0, '[]', '{}', 'handed_over', at, at,
       at + interval '1 day', at + interval '2 days'
FROM parts;
INSERT INTO order_lines (id, order_id, part_id, position, listing_id, variant_id, stream_id, name_th, unit_th, storage,
                         price_satang, quantity_milli, satang)
SELECT line_id, order_id, part_id, p * 2 + i, listing_id, variant_id, stream_id, name_th, 'ถุง', 'ambient', price_satang, 1000, price_satang
FROM sold;
INSERT INTO holds (id, pool_id, owner_id, amount_milli, expires_at, state, created_at, decided_at)
SELECT gen_random_uuid(), pool_id, line_id, 1000, at, 'taken', at, at FROM sold;
INSERT INTO order_events (id, order_id, kind, at, by_kind, detail)
SELECT gen_random_uuid(), id, kind, at, 'buyer', '{}' FROM bought CROSS JOIN unnest(ARRAY['placed', 'paid']) AS kind;
INSERT INTO payments (id, order_id, key, method, satang, confirmed_at)
SELECT order_id, order_id, 'past ' || order_id, 'promptpay', sum(satang), at FROM parts GROUP BY order_id, at;
INSERT INTO ledger_facts (id, key, kind, business_day, happened_at, recorded_at, typed)
SELECT order_id, 'payment ' || order_id, 'paid', at::date, at, at, false FROM (SELECT DISTINCT order_id, at FROM parts) AS paid
UNION ALL SELECT part_id, 'handed over ' || part_id, 'handed_over', (at + interval '2 days')::date, at + interval '2 days', at, false
FROM parts;
INSERT INTO ledger_entries (id, fact_id, position, account, purpose, satang, group_id, center_id, stream_id, channel, order_number,
                            order_id, line_id, business_day)
SELECT gen_random_uuid(), order_id, 0, 'money', 'received', sum(satang), NULL::uuid, NULL::uuid, NULL::uuid, 'web',
       (100000000 + n)::text, order_id, NULL::uuid, at::date FROM parts GROUP BY n, order_id, at
UNION ALL SELECT gen_random_uuid(), order_id, 1 + p, 'deposit', 'deposit', -satang, group_id, center_id, NULL, 'web',
       (100000000 + n)::text, order_id, NULL, at::date FROM parts
UNION ALL SELECT gen_random_uuid(), part_id, 0, 'deposit', 'deposit', satang, group_id, center_id, NULL, 'web',
       (100000000 + n)::text, order_id, NULL, (at + interval '2 days')::date FROM parts
UNION ALL SELECT gen_random_uuid(), part_id, 1 + i, 'group', 'sale', -price_satang, group_id, center_id, stream_id, 'web',
       (100000000 + n)::text, order_id, line_id, (at + interval '2 days')::date FROM sold
UNION ALL SELECT gen_random_uuid(), part_id, 3, 'group', 'fee_center', satang / 20, group_id, center_id, NULL, 'web',
       (100000000 + n)::text, order_id, NULL, (at + interval '2 days')::date FROM parts
UNION ALL SELECT gen_random_uuid(), part_id, 4, 'center', 'fee_center', -(satang / 20), NULL, center_id, NULL, 'web',
       (100000000 + n)::text, order_id, NULL, (at + interval '2 days')::date FROM parts
"""


async def remember(session: AsyncSession, lines: int, groups: int) -> None:
    """Write about `lines` past order lines of the stocked groups; the session commits."""
    for statement in PAST.split(";"):
        wanted = {"orders": lines // LINES_OF_AN_ORDER, "groups": groups}
        given = {name: value for name, value in wanted.items() if f":{name}" in statement}
        await session.execute(text(statement.replace("::", r"\:\:")), given)
