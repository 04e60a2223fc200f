"""What must be true of orders, their goods and their money, whoever wrote them."""

from typing import Final

from app.findings import Check

#: What money says: an order's own two numbers against the rows behind them.
MONEY: Final = (
    Check(
        "orders received what their payments say",
        "order {number} says {received} baht came in; its payments say {told}",
        """
        SELECT orders.number, round(orders.received_satang / 100.0, 2) AS received,
            round(coalesce(sums.satang, 0) / 100.0, 2) AS told
        FROM orders LEFT JOIN (SELECT order_id, sum(satang) AS satang FROM payments GROUP BY order_id) AS sums
            ON sums.order_id = orders.id
        WHERE orders.received_satang <> coalesce(sums.satang, 0)
        """,
    ),
    Check(
        "orders promised back what their refunds say",
        "order {number} says {returned} baht are promised back; its refund tasks say {told}",
        """
        SELECT orders.number, round(orders.returned_satang / 100.0, 2) AS returned,
            round(coalesce(sums.satang, 0) / 100.0, 2) AS told
        FROM orders LEFT JOIN (SELECT order_id, sum(satang) AS satang FROM refund_tasks GROUP BY order_id) AS sums
            ON sums.order_id = orders.id
        WHERE orders.returned_satang <> coalesce(sums.satang, 0)
        """,
    ),
    Check(
        "paid orders are paid",
        "order {number} is {state}, but only {received} of {total} baht came in",
        """
        SELECT number, state, round(received_satang / 100.0, 2) AS received, round(total_satang / 100.0, 2) AS total
        FROM orders WHERE payment_method <> 'cash' AND state IN ('paid', 'done')
            AND received_satang < total_satang - off_satang
        """,
    ),
    Check(
        "no payment without an order",
        "order {number} is {state}, but {baht} baht came in that are not promised back",
        """
        SELECT number, state, round((received_satang - returned_satang) / 100.0, 2) AS baht FROM orders
        WHERE payment_method <> 'cash' AND state IN ('expired', 'cancelled') AND received_satang > returned_satang
        """,
    ),
    Check(
        "payments stand in the ledger",
        'payment {id} of order {number} ({baht} baht) has no fact "payment {id}"',
        """
        SELECT payments.id, orders.number, round(payments.satang / 100.0, 2) AS baht
        FROM payments JOIN orders ON orders.id = payments.order_id
        WHERE NOT EXISTS (SELECT FROM ledger_facts WHERE key = 'payment ' || payments.id)
        """,
    ),
    Check(
        "what was handed over stands in the ledger",
        'order {number}: what group {slug} handed over has no fact "handed over {id}"',
        """
        SELECT parts.id, orders.number, groups.slug
        FROM order_parts AS parts JOIN orders ON orders.id = parts.order_id JOIN groups ON groups.id = parts.group_id
        WHERE parts.state = 'handed_over' AND parts.goods_satang + parts.delivery_satang > 0
            AND NOT EXISTS (SELECT FROM ledger_facts WHERE key = 'handed over ' || parts.id)
        """,
    ),
)

#: What an order's lines say, against the stock that they hold or took.
GOODS: Final = (
    Check(
        "lines have their goods",
        "order {number} ({order_state}, part {part_state}): {name_th} should be {should} in the stock, and is {hold_state}",
        """
        SELECT number, order_state, part_state, name_th, should, coalesce(hold_state, 'not there') AS hold_state
        FROM (
            SELECT orders.number, orders.state AS order_state, parts.state AS part_state, lines.name_th,
                holds.state AS hold_state, lines.id AS line_id,
                CASE
                    WHEN parts.state = 'handed_over' THEN 'taken'
                    WHEN orders.payment_method <> 'cash' AND parts.state IN ('paid', 'packed') THEN 'taken'
                    WHEN parts.state = 'cancelled' OR orders.state = 'expired' THEN 'free'
                    ELSE 'held'
                END AS should
            FROM order_lines AS lines
                JOIN order_parts AS parts ON parts.id = lines.part_id
                JOIN orders ON orders.id = lines.order_id
                LEFT JOIN holds ON holds.owner_id = lines.id
        ) AS goods
        WHERE hold_state IS NULL
            OR (should = 'taken' AND hold_state <> 'taken' AND NOT EXISTS (
                SELECT FROM order_lines WHERE id = line_id AND off_milli = quantity_milli
            ))
            OR (should = 'held' AND hold_state NOT IN ('held', 'expired'))
            OR (should = 'free' AND hold_state = 'taken')
        """,
    ),
    Check(
        "goods that left the stock have a line",
        "hold {id} of pool {pool_id} ({amount}, {state}) belongs to no order's line",
        """
        SELECT holds.id, holds.pool_id, trim_scale(holds.amount_milli / 1000.0) AS amount, holds.state FROM holds
        WHERE holds.state IN ('held', 'taken')
            AND NOT EXISTS (SELECT FROM order_lines WHERE order_lines.id = holds.owner_id)
        """,
    ),
    Check(
        "lines hold what was ordered",
        "order {number}: {wanted} of {name_th} were ordered, {amount} are {state}",
        """
        SELECT orders.number, lines.name_th, trim_scale(lines.quantity_milli / 1000.0) AS wanted,
            trim_scale(holds.amount_milli / 1000.0) AS amount, holds.state
        FROM holds JOIN order_lines AS lines ON lines.id = holds.owner_id JOIN orders ON orders.id = lines.order_id
        WHERE holds.state IN ('held', 'taken')
            AND holds.amount_milli NOT BETWEEN lines.quantity_milli - lines.off_milli AND lines.quantity_milli
        """,
    ),
)

#: What is still undecided and should be decided by now.
DOUBTS: Final = (
    Check(
        "no order in doubt",
        "order {number} should have been paid until {until:%Y-%m-%d %H:%M} UTC; {baht} baht came in, and nobody decided",
        """
        SELECT number, hold_until_at AT TIME ZONE 'UTC' AS until,
            round((received_satang - returned_satang) / 100.0, 2) AS baht
        FROM orders
        WHERE state = 'placed' AND payment_method <> 'cash' AND received_satang > returned_satang
            AND hold_until_at < CAST(:now AS timestamptz) - interval '15 minutes'
        """,
    ),
    Check(
        "orders run out",
        "{orders} unpaid orders ran out since {since:%Y-%m-%d %H:%M} UTC and nobody was told: does a worker run?",
        """
        SELECT count(*) AS orders, min(hold_until_at) AT TIME ZONE 'UTC' AS since FROM orders
        WHERE state = 'placed' AND hold_until_at < CAST(:now AS timestamptz) - interval '15 minutes' HAVING count(*) > 0
        """,
        is_warning=True,
    ),
    Check(
        "slips are looked at",
        "the slip of order {number} waits since {since:%Y-%m-%d %H:%M} UTC",
        """
        SELECT orders.number, slips.sent_at AT TIME ZONE 'UTC' AS since
        FROM slips JOIN orders ON orders.id = slips.order_id
        WHERE slips.state = 'waiting' AND slips.sent_at < CAST(:now AS timestamptz) - interval '1 day'
        """,
        is_warning=True,
    ),
    Check(
        "the provider decided about payments",
        "order {number}: {baht} baht were asked for through {provider} at {asked_at:%Y-%m-%d %H:%M} UTC ({checkout_id})",
        """
        SELECT orders.number, round(asked.satang / 100.0, 2) AS baht, asked.provider,
            asked.asked_at AT TIME ZONE 'UTC' AS asked_at, coalesce(asked.checkout_id, 'no checkout') AS checkout_id
        FROM provider_payments AS asked JOIN orders ON orders.id = asked.order_id
        WHERE asked.state = 'asked'
            AND greatest(asked.expires_at, asked.asked_at) < CAST(:now AS timestamptz) - interval '1 hour'
        """,
    ),
    Check(
        "the provider's events are worked",
        "event {event_id} ({kind}) of {provider} came at {received_at:%Y-%m-%d %H:%M} UTC: {last_error}",
        """
        SELECT event_id, kind, provider, received_at AT TIME ZONE 'UTC' AS received_at,
            coalesce(left(last_error, 200), 'nobody worked it') AS last_error
        FROM provider_events
        WHERE worked_at IS NULL AND received_at < CAST(:now AS timestamptz) - interval '15 minutes'
        """,
    ),
)

CHECKS: Final = (*MONEY, *GOODS, *DOUBTS)
