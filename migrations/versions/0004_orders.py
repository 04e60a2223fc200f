"""Tables of `orders`: baskets, orders with their parts and lines, payments, slips, refund tasks.

What was agreed when an order was placed never changes, and its story is only added to: the database holds that.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0004_orders"
down_revision = "0003_catalog"

MOMENT = sa.DateTime(timezone=True)

WRITTEN_ONCE = """
CREATE TRIGGER order_lines_written_once BEFORE UPDATE OR DELETE OR TRUNCATE ON order_lines
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER order_events_written_once BEFORE UPDATE OR DELETE OR TRUNCATE ON order_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


def upgrade() -> None:
    _baskets()
    _orders()
    _parts_and_lines()
    _money()
    for statement in WRITTEN_ONCE.strip().split(";\n"):
        op.execute(statement)


def _baskets() -> None:
    op.create_table(
        "baskets",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("once_token", sa.String(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("touched_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_baskets_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_baskets")),
        sa.UniqueConstraint("person_id", name=op.f("uq_baskets_person_id")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_baskets_token_hash")),
    )
    op.create_index("ix_baskets_touched_at", "baskets", ["touched_at"])
    op.create_table(
        "basket_deliveries",
        sa.Column("basket_id", sa.Uuid(), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("delivery", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["basket_id"], ["baskets.id"], name=op.f("fk_basket_deliveries_basket_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["group_id"], ["groups.id"], name=op.f("fk_basket_deliveries_group_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("basket_id", "group_id", name=op.f("pk_basket_deliveries")),
    )
    op.create_table(
        "basket_lines",
        sa.Column("basket_id", sa.Uuid(), nullable=False),
        sa.Column("variant_id", sa.Uuid(), nullable=False),
        sa.Column("quantity_milli", sa.BigInteger(), nullable=False),
        sa.Column("seen_price_satang", sa.BigInteger(), nullable=False),
        sa.Column("added_at", MOMENT, nullable=False),
        sa.CheckConstraint("quantity_milli > 0", name=op.f("ck_basket_lines_quantity_counts")),
        sa.ForeignKeyConstraint(
            ["basket_id"], ["baskets.id"], name=op.f("fk_basket_lines_basket_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["variant_id"], ["variants.id"], name=op.f("fk_basket_lines_variant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("basket_id", "variant_id", name=op.f("pk_basket_lines")),
    )


def _orders() -> None:
    op.create_table(
        "orders",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("link_token", sa.String(), nullable=False),
        sa.Column("once_token", sa.String(), nullable=False),
        sa.Column("lang", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("buyer_name", sa.String(), nullable=False),
        sa.Column("buyer_phone", sa.String(), nullable=False),
        sa.Column("buyer_email", sa.String(), nullable=True),
        sa.Column("address_line", sa.String(), nullable=True),
        sa.Column("subdistrict_code", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("payment_method", sa.String(), nullable=False),
        sa.Column("receiver_kind", sa.String(), nullable=True),
        sa.Column("receiver_id", sa.Uuid(), nullable=True),
        sa.Column("receiver_promptpay_id", sa.String(), nullable=True),
        sa.Column("receiver_name", sa.String(), nullable=True),
        sa.Column("goods_satang", sa.BigInteger(), nullable=False),
        sa.Column("delivery_satang", sa.BigInteger(), nullable=False),
        sa.Column("total_satang", sa.BigInteger(), nullable=False),
        sa.Column("received_satang", sa.BigInteger(), nullable=False),
        sa.Column("returned_satang", sa.BigInteger(), nullable=False),
        sa.Column("placed_at", MOMENT, nullable=False),
        sa.Column("hold_until_at", MOMENT, nullable=False),
        sa.Column("paid_at", MOMENT, nullable=True),
        sa.Column("done_at", MOMENT, nullable=True),
        sa.Column("cancelled_at", MOMENT, nullable=True),
        sa.Column("cancelled_because", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.CheckConstraint(
            "(receiver_id IS NULL) = (receiver_kind IS NULL OR receiver_kind = 'market')",
            name=op.f("ck_orders_receiver_is_named"),
        ),
        sa.CheckConstraint(
            "payment_method = 'cash' OR receiver_kind IS NOT NULL", name=op.f("ck_orders_receiver_is_known")
        ),
        sa.CheckConstraint("payment_method IN ('promptpay', 'cash')", name=op.f("ck_orders_payment_method_is_known")),
        sa.CheckConstraint(
            "receiver_kind IN ('market', 'center', 'group')", name=op.f("ck_orders_receiver_kind_is_known")
        ),
        sa.CheckConstraint(
            "state IN ('placed', 'slip_sent', 'paid', 'done', 'cancelled', 'expired')",
            name=op.f("ck_orders_state_is_known"),
        ),
        sa.CheckConstraint("goods_satang >= 0 AND delivery_satang >= 0", name=op.f("ck_orders_no_less_than_zero")),
        sa.CheckConstraint(
            "returned_satang BETWEEN 0 AND received_satang", name=op.f("ck_orders_returns_what_came_in")
        ),
        sa.CheckConstraint("total_satang = goods_satang + delivery_satang", name=op.f("ck_orders_total_is_the_sum")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_orders_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
        sa.UniqueConstraint("link_token", name=op.f("uq_orders_link_token")),
        sa.UniqueConstraint("number", name=op.f("uq_orders_number")),
        sa.UniqueConstraint("once_token", name=op.f("uq_orders_once_token")),
    )
    op.create_index(
        "ix_orders_person_id_placed_at", "orders", ["person_id", "placed_at"], postgresql_where="person_id IS NOT NULL"
    )
    op.create_index("ix_orders_placed_at", "orders", ["placed_at"])
    op.create_index("ix_orders_unpaid", "orders", ["hold_until_at"], postgresql_where="state = 'placed'")


def _parts_and_lines() -> None:
    op.create_table(
        "order_parts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("center_id", sa.Uuid(), nullable=False),
        sa.Column("group_name_th", sa.String(), nullable=False),
        sa.Column("group_name_en", sa.String(), nullable=True),
        sa.Column("delivery", sa.String(), nullable=False),
        sa.Column("pickup_text_th", sa.String(), nullable=True),
        sa.Column("pickup_text_en", sa.String(), nullable=True),
        sa.Column("goods_satang", sa.BigInteger(), nullable=False),
        sa.Column("delivery_satang", sa.BigInteger(), nullable=False),
        sa.Column("weight_g", sa.BigInteger(), nullable=False),
        sa.Column("fee_rules", JSONB(), nullable=False),
        sa.Column("policy", JSONB(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("placed_at", MOMENT, nullable=False),
        sa.Column("ready_at", MOMENT, nullable=True),
        sa.Column("packed_at", MOMENT, nullable=True),
        sa.Column("packed_by", sa.Uuid(), nullable=True),
        sa.Column("handed_over_at", MOMENT, nullable=True),
        sa.Column("handed_over_by", sa.Uuid(), nullable=True),
        sa.Column("cancelled_at", MOMENT, nullable=True),
        sa.Column("carrier", sa.String(), nullable=True),
        sa.Column("tracking", sa.String(), nullable=True),
        sa.CheckConstraint(
            "(state = 'cancelled') = (cancelled_at IS NOT NULL)", name=op.f("ck_order_parts_cancelled_has_a_date")
        ),
        sa.CheckConstraint(
            "(state = 'handed_over') = (handed_over_at IS NOT NULL)", name=op.f("ck_order_parts_handed_over_has_a_date")
        ),
        sa.CheckConstraint(
            "delivery IN ('parcel', 'pickup_group', 'pickup_center')", name=op.f("ck_order_parts_delivery_is_known")
        ),
        sa.CheckConstraint(
            "state IN ('placed', 'paid', 'packed', 'handed_over', 'cancelled')",
            name=op.f("ck_order_parts_state_is_known"),
        ),
        sa.CheckConstraint("goods_satang >= 0 AND delivery_satang >= 0", name=op.f("ck_order_parts_no_less_than_zero")),
        sa.ForeignKeyConstraint(["center_id"], ["centers.id"], name=op.f("fk_order_parts_center_id")),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name=op.f("fk_order_parts_group_id")),
        sa.ForeignKeyConstraint(["handed_over_by"], ["people.id"], name=op.f("fk_order_parts_handed_over_by")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_parts_order_id")),
        sa.ForeignKeyConstraint(["packed_by"], ["people.id"], name=op.f("fk_order_parts_packed_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_parts")),
        sa.UniqueConstraint("order_id", "group_id", name=op.f("uq_order_parts_order_id_group_id")),
    )
    op.create_index(op.f("ix_order_parts_center_id"), "order_parts", ["center_id"])
    op.create_index("ix_order_parts_group_id_placed_at", "order_parts", ["group_id", "placed_at"])
    op.create_index(
        "ix_order_parts_to_do",
        "order_parts",
        ["group_id", "ready_at"],
        postgresql_where="ready_at IS NOT NULL AND state IN ('placed', 'paid', 'packed')",
    )
    op.create_table(
        "order_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("part_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("by_kind", sa.String(), nullable=False),
        sa.Column("by_person", sa.Uuid(), nullable=True),
        sa.Column("detail", JSONB(), nullable=False),
        sa.CheckConstraint(
            "by_kind IN ('buyer', 'group', 'center', 'staff', 'market')", name=op.f("ck_order_events_by_kind_is_known")
        ),
        sa.ForeignKeyConstraint(["by_person"], ["people.id"], name=op.f("fk_order_events_by_person")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_events_order_id")),
        sa.ForeignKeyConstraint(["part_id"], ["order_parts.id"], name=op.f("fk_order_events_part_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_events")),
    )
    op.create_index(op.f("ix_order_events_order_id"), "order_events", ["order_id"])
    op.create_table(
        "order_lines",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("part_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("listing_id", sa.Uuid(), nullable=False),
        sa.Column("variant_id", sa.Uuid(), nullable=False),
        sa.Column("stream_id", sa.Uuid(), nullable=False),
        sa.Column("name_th", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=True),
        sa.Column("label_th", sa.String(), nullable=True),
        sa.Column("label_en", sa.String(), nullable=True),
        sa.Column("unit_th", sa.String(), nullable=False),
        sa.Column("unit_en", sa.String(), nullable=True),
        sa.Column("storage", sa.String(), nullable=False),
        sa.Column("price_satang", sa.BigInteger(), nullable=False),
        sa.Column("quantity_milli", sa.BigInteger(), nullable=False),
        sa.Column("satang", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "quantity_milli > 0 AND price_satang >= 0 AND satang >= 0", name=op.f("ck_order_lines_amounts_make_sense")
        ),
        sa.ForeignKeyConstraint(["listing_id"], ["listings.id"], name=op.f("fk_order_lines_listing_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_lines_order_id")),
        sa.ForeignKeyConstraint(["part_id"], ["order_parts.id"], name=op.f("fk_order_lines_part_id")),
        sa.ForeignKeyConstraint(["stream_id"], ["streams.id"], name=op.f("fk_order_lines_stream_id")),
        sa.ForeignKeyConstraint(["variant_id"], ["variants.id"], name=op.f("fk_order_lines_variant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_lines")),
    )
    op.create_index(op.f("ix_order_lines_listing_id"), "order_lines", ["listing_id"])
    op.create_index(op.f("ix_order_lines_order_id"), "order_lines", ["order_id"])
    op.create_index(op.f("ix_order_lines_part_id"), "order_lines", ["part_id"])


def _money() -> None:
    op.create_table(
        "slips",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("file_key", sa.String(), nullable=False),
        sa.Column("content_type", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("bank_code", sa.String(), nullable=True),
        sa.Column("trans_ref", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("sent_at", MOMENT, nullable=False),
        sa.Column("was_late", sa.Boolean(), nullable=False),
        sa.Column("judged_at", MOMENT, nullable=True),
        sa.Column("judged_by", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.CheckConstraint("state IN ('waiting', 'accepted', 'refused')", name=op.f("ck_slips_state_is_known")),
        sa.CheckConstraint("(bank_code IS NULL) = (trans_ref IS NULL)", name=op.f("ck_slips_reference_is_whole")),
        sa.ForeignKeyConstraint(["judged_by"], ["people.id"], name=op.f("fk_slips_judged_by")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_slips_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slips")),
    )
    op.create_index(op.f("ix_slips_order_id"), "slips", ["order_id"])
    op.create_index("ix_slips_waiting", "slips", ["sent_at"], postgresql_where="state = 'waiting'")
    op.create_index("uq_slips_picture", "slips", ["sha256"], unique=True, postgresql_where="state <> 'refused'")
    op.create_index(
        "uq_slips_transfer", "slips", ["bank_code", "trans_ref"], unique=True, postgresql_where="state <> 'refused'"
    )
    op.create_table(
        "payments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("part_id", sa.Uuid(), nullable=True),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("satang", sa.BigInteger(), nullable=False),
        sa.Column("confirmed_at", MOMENT, nullable=False),
        sa.Column("confirmed_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint("satang > 0", name=op.f("ck_payments_something_came_in")),
        sa.ForeignKeyConstraint(["confirmed_by"], ["people.id"], name=op.f("fk_payments_confirmed_by")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_payments_order_id")),
        sa.ForeignKeyConstraint(["part_id"], ["order_parts.id"], name=op.f("fk_payments_part_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payments")),
        sa.UniqueConstraint("key", name=op.f("uq_payments_key")),
    )
    op.create_index(op.f("ix_payments_order_id"), "payments", ["order_id"])
    op.create_table(
        "refund_tasks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("part_id", sa.Uuid(), nullable=True),
        sa.Column("satang", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("pay_to", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("done_at", MOMENT, nullable=True),
        sa.Column("done_by", sa.Uuid(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.CheckConstraint("(state = 'done') = (done_at IS NOT NULL)", name=op.f("ck_refund_tasks_done_has_a_date")),
        sa.CheckConstraint("state IN ('open', 'done')", name=op.f("ck_refund_tasks_state_is_known")),
        sa.CheckConstraint("satang > 0", name=op.f("ck_refund_tasks_something_to_pay")),
        sa.ForeignKeyConstraint(["done_by"], ["people.id"], name=op.f("fk_refund_tasks_done_by")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_refund_tasks_order_id")),
        sa.ForeignKeyConstraint(["part_id"], ["order_parts.id"], name=op.f("fk_refund_tasks_part_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund_tasks")),
    )
    op.create_index("ix_refund_tasks_open", "refund_tasks", ["made_at"], postgresql_where="state = 'open'")
    op.create_index(op.f("ix_refund_tasks_order_id"), "refund_tasks", ["order_id"])
