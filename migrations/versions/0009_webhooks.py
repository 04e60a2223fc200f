"""Webhooks to other programs: who wants to hear what, and what was sent.

A listing that changes asks by itself to be told about (only where somebody listens), so that no verb can forget it.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0009_webhooks"
down_revision = "0008_api"

MOMENT = sa.DateTime(timezone=True)

LISTINGS_ASK_TO_BE_TOLD = """
CREATE FUNCTION ask_to_tell_of_listing(listing uuid, at timestamptz) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM webhooks WHERE deleted_at IS NULL AND events @> '["listing.changed"]' LIMIT 1;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    -- Locking the job that waits keeps a worker from beginning it before our change can be seen.
    PERFORM FROM jobs WHERE kind = 'listings.tell' AND key = listing::text
        AND done_at IS NULL AND failed_at IS NULL AND attempts = 0 LIMIT 1 FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        INSERT INTO jobs (id, kind, payload, key, run_after_at, attempts, created_at)
            VALUES (gen_random_uuid(), 'listings.tell', jsonb_build_object('listing_id', listing), listing::text,
                at + interval '5 seconds', 0, at);
    END IF;
END
$$;
CREATE FUNCTION listing_asks_to_be_told() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ask_to_tell_of_listing(NEW.id, NEW.changed_at);
    RETURN NULL;
END
$$;
CREATE FUNCTION photo_asks_to_be_told() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF coalesce(NEW.listing_id, OLD.listing_id) IS NOT NULL THEN
        PERFORM ask_to_tell_of_listing(coalesce(NEW.listing_id, OLD.listing_id), now());
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER new_listings_ask_to_be_told AFTER INSERT ON listings
    FOR EACH ROW EXECUTE FUNCTION listing_asks_to_be_told();
CREATE TRIGGER changed_listings_ask_to_be_told AFTER UPDATE OF changed_at, is_open ON listings
    FOR EACH ROW WHEN ((OLD.changed_at, OLD.is_open) IS DISTINCT FROM (NEW.changed_at, NEW.is_open))
    EXECUTE FUNCTION listing_asks_to_be_told();
CREATE TRIGGER photos_ask_to_be_told AFTER INSERT OR DELETE OR UPDATE OF listing_id, position, state, alt_th, alt_en
    ON photos FOR EACH ROW EXECUTE FUNCTION photo_asks_to_be_told();
"""


def upgrade() -> None:
    _hooks()
    _deliveries()
    _attempts()
    for statement in LISTINGS_ASK_TO_BE_TOLD.replace("CREATE ", "\x00CREATE ").split("\x00"):
        if statement.strip():
            op.execute(statement)


def _hooks() -> None:
    op.create_table(
        "webhooks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=True),
        sa.Column("center_id", sa.Uuid(), nullable=True),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("events", JSONB(), nullable=False),
        sa.Column("secret", sa.String(), nullable=False),
        sa.Column("secret_before", sa.String(), nullable=True),
        sa.Column("secret_before_until_at", MOMENT, nullable=True),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failing_since_at", MOMENT, nullable=True),
        sa.Column("rests_until_at", MOMENT, nullable=True),
        sa.Column("paused_at", MOMENT, nullable=True),
        sa.Column("paused_because", sa.String(), nullable=True),
        sa.Column("deleted_at", MOMENT, nullable=True),
        sa.Column("deleted_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint("group_id IS NULL OR center_id IS NULL", name=op.f("ck_webhooks_one_place")),
        sa.CheckConstraint(
            "(paused_at IS NULL) = (paused_because IS NULL)", name=op.f("ck_webhooks_pause_has_a_reason")
        ),
        sa.CheckConstraint("paused_because IN ('asked', 'failing')", name=op.f("ck_webhooks_paused_because_is_known")),
        sa.CheckConstraint("failures >= 0", name=op.f("ck_webhooks_failures_count")),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name=op.f("fk_webhooks_group_id")),
        sa.ForeignKeyConstraint(["center_id"], ["centers.id"], name=op.f("fk_webhooks_center_id")),
        sa.ForeignKeyConstraint(["made_by"], ["people.id"], name=op.f("fk_webhooks_made_by")),
        sa.ForeignKeyConstraint(["deleted_by"], ["people.id"], name=op.f("fk_webhooks_deleted_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhooks")),
    )
    for column in ("group_id", "center_id"):
        op.create_index(op.f(f"ix_webhooks_{column}"), "webhooks", [column], postgresql_where="deleted_at IS NULL")


def _deliveries() -> None:
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hook_id", sa.Uuid(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("about", sa.String(), nullable=False),
        sa.Column("body_text", sa.String(), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", MOMENT, nullable=True),
        sa.Column("delivered_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["hook_id"], ["webhooks.id"], name=op.f("fk_webhook_deliveries_hook_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_deliveries")),
    )
    op.create_index("ix_webhook_deliveries_hook_id", "webhook_deliveries", ["hook_id", "made_at"])
    op.create_index("ix_webhook_deliveries_made_at", "webhook_deliveries", ["made_at"])


def _attempts() -> None:
    op.create_table(
        "webhook_attempts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("trouble", sa.String(), nullable=True),
        sa.Column("answer", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["webhook_deliveries.id"],
            name=op.f("fk_webhook_attempts_delivery_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_attempts")),
    )
    op.create_index("ix_webhook_attempts_delivery_id", "webhook_attempts", ["delivery_id", "at"])
