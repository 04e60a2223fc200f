"""Who looked at or changed what on the desks; personal data that was erased."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from migrations import gently

revision = "0010_trail"
down_revision = "0009_webhooks"

MOMENT = sa.DateTime(timezone=True)

#: A row may leave only by `forget_trail`, which is what the retention job calls.
ONLY_FORGOTTEN = (
    """
CREATE FUNCTION refuse_changed_trail() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('market.forgets', true) = 'trail' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'trail is append-only: % refused', TG_OP USING ERRCODE = 'restrict_violation';
END
$$
""",
    """
CREATE TRIGGER trail_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON trail
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_changed_trail()
""",
    """
CREATE FUNCTION forget_trail(before timestamptz) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    forgotten bigint;
BEGIN
    PERFORM set_config('market.forgets', 'trail', true);
    DELETE FROM trail WHERE at < before;
    GET DIAGNOSTICS forgotten = ROW_COUNT;
    PERFORM set_config('market.forgets', '', true);
    RETURN forgotten;
END
$$
""",
    """
CREATE TRIGGER erasures_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON erasures
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
""",
)

#: What people wrote why an order was cancelled may name them, so it can be taken out of an order's story; nothing else.
REASONS_FORGOTTEN = (
    """
CREATE FUNCTION refuse_changed_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND current_setting('market.forgets', true) = 'reasons' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END
$$
""",
    "DROP TRIGGER order_events_written_once ON order_events",
    """
CREATE TRIGGER order_events_written_once BEFORE UPDATE OR DELETE OR TRUNCATE ON order_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_changed_event()
""",
    """
CREATE FUNCTION forget_reasons(orders uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('market.forgets', 'reasons', true);
    UPDATE order_events SET detail = detail - 'reason'
    WHERE order_id = ANY (orders) AND kind IN ('cancelled', 'part_cancelled', 'slip_refused', 'given_back');
    PERFORM set_config('market.forgets', '', true);
END
$$
""",
)

#: The reference of a transfer is forgotten with its picture; its fingerprint stays, so that it never pays twice.
FINGERPRINT = """
UPDATE slips SET transfer_hash = encode(sha256(convert_to(bank_code || ' ' || trans_ref, 'UTF8')), 'hex')
WHERE trans_ref IS NOT NULL
"""


def upgrade() -> None:
    _trail()
    _erasures()
    for statement in (*ONLY_FORGOTTEN, *REASONS_FORGOTTEN):
        op.execute(statement)
    op.add_column("people", sa.Column("erased_at", MOMENT, nullable=True))
    op.add_column("orders", sa.Column("erased_at", MOMENT, nullable=True))
    _slips()


def _trail() -> None:
    op.create_table(
        "trail",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=True),
        sa.Column("center_id", sa.Uuid(), nullable=True),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("sights", ARRAY(sa.String()), nullable=False),
        sa.Column("about", ARRAY(sa.String()), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.String(), nullable=True),
        sa.Column("detail", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trail")),
    )
    op.create_index("ix_trail_at", "trail", ["at", "id"])
    op.create_index("ix_trail_of_person", "trail", ["person_id", "at", "id"])
    op.create_index("ix_trail_of_group", "trail", ["group_id", "at", "id"], postgresql_where="group_id IS NOT NULL")
    op.create_index("ix_trail_about", "trail", ["about"], postgresql_using="gin")


def _erasures() -> None:
    op.create_table(
        "erasures",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("counts", JSONB(), nullable=False),
        sa.CheckConstraint("subject IN ('person', 'order')", name=op.f("ck_erasures_subject_is_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasures")),
    )
    op.create_index("ix_erasures_subject_id", "erasures", ["subject_id"])


def _slips() -> None:
    gently.add_columns("slips", transfer_hash="varchar", picture_gone_at="timestamptz")
    gently.change_rows(FINGERPRINT)
    gently.drop_constraint("slips", "ck_slips_reference_is_whole")
    gently.set_check("slips", "ck_slips_reference_has_its_bank", "trans_ref IS NULL OR bank_code IS NOT NULL")
    refused = "state <> 'refused'"
    gently.set_index("slips", "uq_slips_transfer_hash", "transfer_hash", unique=True, where=refused)
    gently.set_index("slips", "ix_slips_with_picture", "sent_at", where="picture_gone_at IS NULL")
