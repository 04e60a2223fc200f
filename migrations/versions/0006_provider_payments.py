"""Payments through a provider: what was asked of it, and its events."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0006_provider_payments"
down_revision = "0005_incubation_centers"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _card_is_a_way_to_pay()
    _payments()
    _events()


def _card_is_a_way_to_pay() -> None:
    # Rows are looked through once the table is free again: nobody who orders waits for that.
    with op.get_context().autocommit_block():
        op.execute(
            "ALTER TABLE orders DROP CONSTRAINT IF EXISTS ck_orders_payment_method_is_known, "
            "ADD CONSTRAINT ck_orders_payment_method_is_known "
            "CHECK (payment_method IN ('promptpay', 'cash', 'card')) NOT VALID"
        )
        op.execute("ALTER TABLE orders VALIDATE CONSTRAINT ck_orders_payment_method_is_known")


def _payments() -> None:
    op.create_table(
        "provider_payments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("checkout_id", sa.String(), nullable=True),
        sa.Column("intent_id", sa.String(), nullable=True),
        sa.Column("satang", sa.BigInteger(), nullable=False),
        sa.Column("url", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("looked_at", MOMENT, nullable=True),
        sa.Column("paid_at", MOMENT, nullable=True),
        sa.Column("payment_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("satang > 0", name=op.f("ck_provider_payments_something_to_pay")),
        sa.CheckConstraint("state IN ('asked', 'paid', 'expired')", name=op.f("ck_provider_payments_state_is_known")),
        sa.CheckConstraint(
            "(state = 'paid') = (paid_at IS NOT NULL)", name=op.f("ck_provider_payments_paid_has_a_date")
        ),
        sa.CheckConstraint(
            "(state = 'paid') = (payment_id IS NOT NULL)", name=op.f("ck_provider_payments_paid_has_a_payment")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_provider_payments_order_id")),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name=op.f("fk_provider_payments_payment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_payments")),
        sa.UniqueConstraint("checkout_id", name=op.f("uq_provider_payments_checkout_id")),
    )
    op.create_index(op.f("ix_provider_payments_order_id"), "provider_payments", ["order_id"])
    op.create_index("ix_provider_payments_intent_id", "provider_payments", ["intent_id"])
    op.create_index("ix_provider_payments_asked", "provider_payments", ["asked_at"], postgresql_where="state = 'asked'")


def _events() -> None:
    op.create_table(
        "provider_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("payload", JSONB(), nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("worked_at", MOMENT, nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_events")),
        sa.UniqueConstraint("provider", "event_id", name=op.f("uq_provider_events_provider_event_id")),
    )
    op.create_index(
        "ix_provider_events_unworked", "provider_events", ["received_at"], postgresql_where="worked_at IS NULL"
    )
    op.create_index("ix_provider_events_received_at", "provider_events", ["received_at"])
