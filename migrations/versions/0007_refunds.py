"""Refunds by line, and refunds that the provider makes.

What was told when an order was placed stays; what was taken off since stands beside it, and every single taking off is
a row that is only added.  A hold may shrink now, never grow: its pool follows.
"""

import sqlalchemy as sa
from alembic import op

from migrations import gently

revision = "0007_refunds"
down_revision = "0006_provider_payments"

MOMENT = sa.DateTime(timezone=True)
TOLD = """
    id, order_id, part_id, position, listing_id, variant_id, stream_id, name_th, name_en, label_th, label_en, unit_th,
    unit_en, storage, price_satang, quantity_milli, satang
"""

TRIGGERS = f"""
DROP TRIGGER order_lines_written_once ON order_lines;
CREATE TRIGGER order_lines_written_once BEFORE UPDATE OF {TOLD} OR DELETE OR TRUNCATE ON order_lines
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refund_items_written_once BEFORE UPDATE OR DELETE OR TRUNCATE ON refund_items
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
DROP TRIGGER holds_keep_their_amount ON holds;
CREATE TRIGGER holds_keep_their_place BEFORE DELETE OR UPDATE OF id, pool_id, owner_id ON holds
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_moved_hold();
CREATE TRIGGER holds_never_grow BEFORE UPDATE OF amount_milli ON holds
    FOR EACH ROW WHEN (NEW.amount_milli > OLD.amount_milli) EXECUTE FUNCTION refuse_moved_hold()
"""

POOLS_FOLLOW = """
CREATE OR REPLACE FUNCTION pools_follow_changed_holds() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE pools SET held_milli = held_milli + change.held, on_hand_milli = on_hand_milli - change.taken
    FROM (
        SELECT told.pool_id,
            sum(told.amount_milli * (told.state = 'held')::int - before.amount_milli * (before.state = 'held')::int)
                AS held,
            sum(told.amount_milli * (told.state = 'taken')::int - before.amount_milli * (before.state = 'taken')::int)
                AS taken
        FROM told JOIN before USING (id)
        WHERE told.state <> before.state OR told.amount_milli <> before.amount_milli
        GROUP BY told.pool_id
    ) AS change
    WHERE pools.id = change.pool_id;
    RETURN NULL;
END
$$
"""
REFUSE_MOVED = """
CREATE OR REPLACE FUNCTION refuse_moved_hold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a hold keeps its pool and owner, never grows, and is never deleted'
        USING ERRCODE = 'restrict_violation';
END
$$
"""

#: What was cancelled before counts as taken off.
CANCELLED_BEFORE = """
UPDATE order_parts SET goods_off_satang = goods_satang, delivery_off_satang = delivery_satang WHERE state = 'cancelled';
UPDATE orders SET off_satang = cancelled.satang
    FROM (
        SELECT order_id, sum(goods_satang + delivery_satang) AS satang FROM order_parts
        WHERE state = 'cancelled' GROUP BY order_id
    ) AS cancelled
    WHERE orders.id = cancelled.order_id
"""


def upgrade() -> None:
    _taken_off()
    _tasks()
    _items()
    for statement in (POOLS_FOLLOW, REFUSE_MOVED, *TRIGGERS.split(";\n")):
        op.execute(statement)


def _taken_off() -> None:
    amount = "bigint NOT NULL DEFAULT 0"
    gently.add_columns("orders", off_satang=amount)
    gently.add_columns("order_parts", goods_off_satang=amount, delivery_off_satang=amount)
    gently.add_columns("order_lines", off_milli=amount, off_satang=amount)
    gently.set_check("orders", "ck_orders_takes_off_what_it_costs", "off_satang BETWEEN 0 AND total_satang")
    gently.set_check(
        "order_parts",
        "ck_order_parts_takes_off_what_it_costs",
        "goods_off_satang BETWEEN 0 AND goods_satang AND delivery_off_satang BETWEEN 0 AND delivery_satang",
    )
    gently.set_check(
        "order_lines",
        "ck_order_lines_takes_off_what_is_there",
        "off_milli BETWEEN 0 AND quantity_milli AND off_satang BETWEEN 0 AND satang",
    )
    for statement in CANCELLED_BEFORE.split(";\n"):
        gently.change_rows(statement)


def _tasks() -> None:
    words = dict.fromkeys(("provider", "provider_refund_id", "email", "failed_because", "explanation"), "varchar")
    gently.add_columns("refund_tasks", **words, payment_id="uuid", asked_at="timestamptz")
    gently.add_foreign_key("refund_tasks", "fk_refund_tasks_payment_id", "payment_id", "payments")
    gently.set_index("refund_tasks", "ix_refund_tasks_payment_id", "payment_id")
    gently.add_unique("refund_tasks", "uq_refund_tasks_provider_refund_id", "provider_refund_id")
    gently.set_check("refund_tasks", "ck_refund_tasks_state_is_known", "state IN ('open', 'pending', 'done', 'failed')")
    gently.set_check("refund_tasks", "ck_refund_tasks_provider_is_known", "provider IS NULL OR provider = 'stripe'")
    gently.set_check(
        "refund_tasks",
        "ck_refund_tasks_provider_gives_back_a_payment",
        "(provider IS NULL) = (payment_id IS NULL) AND (provider IS NULL) <= (state IN ('open', 'done'))",
    )
    gently.set_index("refund_tasks", "ix_refund_tasks_open", "made_at", where="state <> 'done'")


def _items() -> None:
    op.create_table(
        "refund_items",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("part_id", sa.Uuid(), nullable=False),
        sa.Column("line_id", sa.Uuid(), nullable=True),
        sa.Column("task_id", sa.Uuid(), nullable=True),
        sa.Column("quantity_milli", sa.BigInteger(), nullable=False),
        sa.Column("satang", sa.BigInteger(), nullable=False),
        sa.Column("back_on_sale", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("by_kind", sa.String(), nullable=False),
        sa.Column("by_person", sa.Uuid(), nullable=True),
        sa.CheckConstraint("quantity_milli >= 0 AND satang >= 0", name=op.f("ck_refund_items_amounts_make_sense")),
        sa.CheckConstraint("line_id IS NOT NULL OR quantity_milli = 0", name=op.f("ck_refund_items_goods_have_a_line")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_refund_items_order_id")),
        sa.ForeignKeyConstraint(["part_id"], ["order_parts.id"], name=op.f("fk_refund_items_part_id")),
        sa.ForeignKeyConstraint(["line_id"], ["order_lines.id"], name=op.f("fk_refund_items_line_id")),
        sa.ForeignKeyConstraint(["task_id"], ["refund_tasks.id"], name=op.f("fk_refund_items_task_id")),
        sa.ForeignKeyConstraint(["by_person"], ["people.id"], name=op.f("fk_refund_items_by_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund_items")),
    )
    op.create_index(op.f("ix_refund_items_part_id"), "refund_items", ["part_id"])
    op.create_index(op.f("ix_refund_items_line_id"), "refund_items", ["line_id"])
