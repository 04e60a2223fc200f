"""Tables of `producers`: centres, groups and their people, fee rules, the ledger, the canvas.

What the ledger promises is held here, by the database: the entries of a fact sum to zero when a transaction commits,
nothing in it is changed or deleted, and a fee rule never changes but for the moment it ends.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002_producers"
down_revision = "0001_foundation"

MOMENT = sa.DateTime(timezone=True)

BALANCE = """
CREATE FUNCTION refuse_unbalanced_fact() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    fact uuid;
    entries bigint;
    total numeric;
BEGIN
    IF TG_TABLE_NAME = 'ledger_facts' THEN fact := NEW.id; ELSE fact := NEW.fact_id; END IF;
    SELECT count(*), coalesce(sum(satang), 0) INTO entries, total FROM ledger_entries WHERE fact_id = fact;
    IF entries < 2 OR total <> 0 THEN
        RAISE EXCEPTION 'ledger fact % has % entries that sum to % satang', fact, entries, total
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_facts_sum_to_zero';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER ledger_facts_sum_to_zero AFTER INSERT ON ledger_facts
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse_unbalanced_fact();
CREATE CONSTRAINT TRIGGER ledger_entries_sum_to_zero AFTER INSERT ON ledger_entries
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse_unbalanced_fact();
"""

APPEND_ONLY = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER ledger_facts_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_facts
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER fee_rules_never_deleted BEFORE DELETE OR TRUNCATE ON fee_rules
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""

RULES_NEVER_CHANGE = """
CREATE FUNCTION refuse_changed_rule() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.valid_until IS NOT NULL OR to_jsonb(OLD) - 'valid_until' <> to_jsonb(NEW) - 'valid_until' THEN
        RAISE EXCEPTION 'fee rule % version % never changes, it can only end once', OLD.code, OLD.version
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER fee_rules_never_change BEFORE UPDATE ON fee_rules
    FOR EACH ROW EXECUTE FUNCTION refuse_changed_rule();
"""


def upgrade() -> None:
    _centers()
    _groups()
    _parcel_tiers()
    _certificates()
    _invitations()
    _streams()
    _fee_rules()
    _ledger_facts()
    _ledger_entries()
    _canvas_notes()
    _plan_amounts()
    _plan_steps()
    _keys_of_memberships()
    for statements in (BALANCE, APPEND_ONLY, RULES_NEVER_CHANGE):
        _execute(statements)


def _centers() -> None:
    op.create_table(
        "centers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("name_th", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("story_th", sa.String()),
        sa.Column("story_en", sa.String()),
        sa.Column("cluster", sa.String(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("province_code", sa.String(), nullable=False),
        sa.Column("district_code", sa.String()),
        sa.Column("subdistrict_code", sa.String()),
        sa.Column("postcode", sa.String()),
        sa.Column("latitude", sa.Double(), nullable=False),
        sa.Column("longitude", sa.Double(), nullable=False),
        sa.Column("place_text_th", sa.String(), nullable=False),
        sa.Column("place_verified", sa.Boolean(), nullable=False),
        sa.Column("promptpay_id", sa.String()),
        sa.Column("promptpay_name", sa.String()),
        sa.Column("sort_key", sa.String(collation="C"), nullable=False),
        sa.Column("changed_at", MOMENT),
        sa.Column("changed_by", sa.Uuid()),
        sa.CheckConstraint("number > 0", name="ck_centers_number_counts"),
        sa.ForeignKeyConstraint(["changed_by"], ["people.id"], name="fk_centers_changed_by"),
        sa.PrimaryKeyConstraint("id", name="pk_centers"),
        sa.UniqueConstraint("number", name="uq_centers_number"),
        sa.UniqueConstraint("slug", name="uq_centers_slug"),
    )
    op.create_index("ix_centers_sort_key", "centers", ["sort_key"])


def _groups() -> None:
    op.create_table(
        "groups",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("name_th", sa.String(), nullable=False),
        sa.Column("name_en", sa.String()),
        sa.Column("story_th", sa.String()),
        sa.Column("story_en", sa.String()),
        sa.Column("center_id", sa.Uuid(), nullable=False),
        sa.Column("cluster", sa.String(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("province_code", sa.String(), nullable=False),
        sa.Column("subdistrict_code", sa.String()),
        sa.Column("address_line", sa.String()),
        sa.Column("phone", sa.String()),
        sa.Column("promptpay_id", sa.String()),
        sa.Column("promptpay_name", sa.String()),
        sa.Column("registration_no", sa.String()),
        sa.Column("is_example", sa.Boolean(), nullable=False),
        sa.Column("sort_key", sa.String(collation="C"), nullable=False),
        sa.Column("parcel_enabled", sa.Boolean(), nullable=False),
        sa.Column("pickup_enabled", sa.Boolean(), nullable=False),
        sa.Column("cash_enabled", sa.Boolean(), nullable=False),
        sa.Column("pickup_text_th", sa.String()),
        sa.Column("pickup_text_en", sa.String()),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("applied_at", MOMENT, nullable=False),
        sa.Column("applied_by", sa.Uuid()),
        sa.Column("approved_at", MOMENT),
        sa.Column("approved_by", sa.Uuid()),
        sa.Column("closed_at", MOMENT),
        sa.Column("closed_by", sa.Uuid()),
        sa.Column("closed_because", sa.String()),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.Column("changed_by", sa.Uuid()),
        sa.CheckConstraint("state <> 'approved' OR approved_at IS NOT NULL", name="ck_groups_approval_has_a_date"),
        sa.CheckConstraint("state IN ('applied', 'approved', 'closed')", name="ck_groups_state_is_known"),
        sa.ForeignKeyConstraint(["applied_by"], ["people.id"], name="fk_groups_applied_by"),
        sa.ForeignKeyConstraint(["approved_by"], ["people.id"], name="fk_groups_approved_by"),
        sa.ForeignKeyConstraint(["center_id"], ["centers.id"], name="fk_groups_center_id"),
        sa.ForeignKeyConstraint(["changed_by"], ["people.id"], name="fk_groups_changed_by"),
        sa.ForeignKeyConstraint(["closed_by"], ["people.id"], name="fk_groups_closed_by"),
        sa.PrimaryKeyConstraint("id", name="pk_groups"),
        sa.UniqueConstraint("slug", name="uq_groups_slug"),
    )
    op.create_index("ix_groups_center_id", "groups", ["center_id"])
    op.create_index("ix_groups_state_sort_key", "groups", ["state", "sort_key"])


def _parcel_tiers() -> None:
    op.create_table(
        "parcel_tiers",
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("storage", sa.String(), nullable=False),
        sa.Column("up_to_g", sa.Integer(), nullable=False),
        sa.Column("fee_satang", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("storage IN ('ambient', 'chilled', 'frozen')", name="ck_parcel_tiers_storage_is_known"),
        sa.CheckConstraint("up_to_g > 0 AND fee_satang >= 0", name="ck_parcel_tiers_amounts_make_sense"),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name="fk_parcel_tiers_group_id"),
        sa.PrimaryKeyConstraint("group_id", "storage", "up_to_g", name="pk_parcel_tiers"),
    )


def _certificates() -> None:
    op.create_table(
        "certificates",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("number", sa.String()),
        sa.Column("detail", sa.String()),
        sa.Column("issuer", sa.String()),
        sa.Column("issued_on", sa.Date()),
        sa.Column("expires_on", sa.Date()),
        sa.Column("added_at", MOMENT, nullable=False),
        sa.Column("added_by", sa.Uuid()),
        sa.Column("verified_at", MOMENT),
        sa.Column("verified_by", sa.Uuid()),
        sa.Column("removed_at", MOMENT),
        sa.Column("removed_by", sa.Uuid()),
        sa.CheckConstraint("expires_on >= issued_on", name="ck_certificates_ends_after_it_starts"),
        sa.ForeignKeyConstraint(["added_by"], ["people.id"], name="fk_certificates_added_by"),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name="fk_certificates_group_id"),
        sa.ForeignKeyConstraint(["removed_by"], ["people.id"], name="fk_certificates_removed_by"),
        sa.ForeignKeyConstraint(["verified_by"], ["people.id"], name="fk_certificates_verified_by"),
        sa.PrimaryKeyConstraint("id", name="pk_certificates"),
    )
    op.create_index("ix_certificates_group_id_kind", "certificates", ["group_id", "kind"])


def _invitations() -> None:
    op.create_table(
        "invitations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("group_id", sa.Uuid()),
        sa.Column("center_id", sa.Uuid()),
        sa.Column("hint", sa.String()),
        sa.Column("invited_at", MOMENT, nullable=False),
        sa.Column("invited_by", sa.Uuid(), nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("used_at", MOMENT),
        sa.Column("used_by", sa.Uuid()),
        sa.Column("revoked_at", MOMENT),
        sa.Column("revoked_by", sa.Uuid()),
        sa.CheckConstraint(
            "CASE WHEN role = 'staff' THEN group_id IS NULL AND center_id IS NULL WHEN role = 'coordinator' THEN group_id IS NULL AND center_id IS NOT NULL ELSE group_id IS NOT NULL AND center_id IS NULL END",
            name="ck_invitations_role_has_its_place",
        ),
        sa.ForeignKeyConstraint(["center_id"], ["centers.id"], name="fk_invitations_center_id"),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name="fk_invitations_group_id"),
        sa.ForeignKeyConstraint(["invited_by"], ["people.id"], name="fk_invitations_invited_by"),
        sa.ForeignKeyConstraint(["revoked_by"], ["people.id"], name="fk_invitations_revoked_by"),
        sa.ForeignKeyConstraint(["used_by"], ["people.id"], name="fk_invitations_used_by"),
        sa.PrimaryKeyConstraint("id", name="pk_invitations"),
        sa.UniqueConstraint("token_hash", name="uq_invitations_token_hash"),
    )
    op.create_index("ix_invitations_center_id", "invitations", ["center_id"])
    op.create_index("ix_invitations_group_id", "invitations", ["group_id"])


def _streams() -> None:
    op.create_table(
        "streams",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("name_th", sa.String(), nullable=False),
        sa.Column("name_en", sa.String()),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("closed_at", MOMENT),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name="fk_streams_group_id"),
        sa.PrimaryKeyConstraint("id", name="pk_streams"),
    )
    op.create_index("ix_streams_group_id", "streams", ["group_id"])
    op.create_index(
        "uq_streams_default_of_a_kind", "streams", ["group_id", "kind"], unique=True, postgresql_where="is_default"
    )


def _fee_rules() -> None:
    op.create_table(
        "fee_rules",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name_th", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("center_id", sa.Uuid()),
        sa.Column("payment_method", sa.String()),
        sa.Column("basis_points", sa.Integer(), nullable=False),
        sa.Column("fixed_satang", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", MOMENT, nullable=False),
        sa.Column("valid_until", MOMENT),
        sa.Column("made_by", sa.Uuid()),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.CheckConstraint("kind IN ('center', 'provider', 'fund')", name="ck_fee_rules_kind_is_known"),
        sa.CheckConstraint("basis_points BETWEEN 0 AND 10000", name="ck_fee_rules_share_of_a_whole"),
        sa.CheckConstraint("fixed_satang >= 0", name="ck_fee_rules_fixed_not_negative"),
        sa.CheckConstraint("valid_until > valid_from", name="ck_fee_rules_ends_after_it_starts"),
        sa.ForeignKeyConstraint(["center_id"], ["centers.id"], name="fk_fee_rules_center_id"),
        sa.ForeignKeyConstraint(["made_by"], ["people.id"], name="fk_fee_rules_made_by"),
        sa.PrimaryKeyConstraint("id", name="pk_fee_rules"),
        sa.UniqueConstraint("code", "version", name="uq_fee_rules_code_version"),
    )
    op.create_index("ix_fee_rules_center_id", "fee_rules", ["center_id"])


def _ledger_facts() -> None:
    op.create_table(
        "ledger_facts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("business_day", sa.Date(), nullable=False),
        sa.Column("happened_at", MOMENT, nullable=False),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.Column("recorded_by", sa.Uuid()),
        sa.Column("note", sa.String()),
        sa.Column("reverses_id", sa.Uuid()),
        sa.Column("typed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["recorded_by"], ["people.id"], name="fk_ledger_facts_recorded_by"),
        sa.ForeignKeyConstraint(["reverses_id"], ["ledger_facts.id"], name="fk_ledger_facts_reverses_id"),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_facts"),
        sa.UniqueConstraint("key", name="uq_ledger_facts_key"),
        sa.UniqueConstraint("reverses_id", name="uq_ledger_facts_reverses_id"),
    )


def _ledger_entries() -> None:
    op.create_table(
        "ledger_entries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("fact_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("satang", sa.BigInteger(), nullable=False),
        sa.Column("group_id", sa.Uuid()),
        sa.Column("center_id", sa.Uuid()),
        sa.Column("stream_id", sa.Uuid()),
        sa.Column("channel", sa.String()),
        sa.Column("order_number", sa.String()),
        sa.Column("order_id", sa.Uuid()),
        sa.Column("line_id", sa.Uuid()),
        sa.Column("rule_id", sa.Uuid()),
        sa.Column("rule_version", sa.Integer()),
        sa.Column("business_day", sa.Date(), nullable=False),
        sa.CheckConstraint("account <> 'group' OR group_id IS NOT NULL", name="ck_ledger_entries_group_is_named"),
        sa.CheckConstraint(
            "account <> 'group' OR purpose IN ('sale', 'delivery', 'fee_center', 'fee_fund', 'fee_provider', 'refund', 'collected', 'payout', 'off_market', 'own_cost')",
            name="ck_ledger_entries_purpose_is_known",
        ),
        sa.CheckConstraint(
            "account IN ('money', 'cash', 'deposit', 'refund', 'group', 'center', 'fund', 'provider')",
            name="ck_ledger_entries_account_is_known",
        ),
        sa.CheckConstraint("(rule_id IS NULL) = (rule_version IS NULL)", name="ck_ledger_entries_rule_with_version"),
        sa.ForeignKeyConstraint(["center_id"], ["centers.id"], name="fk_ledger_entries_center_id"),
        sa.ForeignKeyConstraint(["fact_id"], ["ledger_facts.id"], name="fk_ledger_entries_fact_id"),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name="fk_ledger_entries_group_id"),
        sa.ForeignKeyConstraint(["rule_id"], ["fee_rules.id"], name="fk_ledger_entries_rule_id"),
        sa.ForeignKeyConstraint(["stream_id"], ["streams.id"], name="fk_ledger_entries_stream_id"),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_entries"),
        sa.UniqueConstraint("fact_id", "position", name="uq_ledger_entries_fact_id_position"),
    )
    op.create_index(
        "ix_ledger_entries_of_center",
        "ledger_entries",
        ["center_id", "business_day"],
        postgresql_include=["group_id", "purpose", "satang"],
        postgresql_where="account = 'group'",
    )
    op.create_index(
        "ix_ledger_entries_of_group",
        "ledger_entries",
        ["group_id", "business_day", "id"],
        postgresql_include=["purpose", "stream_id", "satang"],
        postgresql_where="account = 'group'",
    )
    op.create_index(
        "ix_ledger_entries_order_id", "ledger_entries", ["order_id"], postgresql_where="order_id IS NOT NULL"
    )
    op.create_index(
        "ix_ledger_entries_waiting",
        "ledger_entries",
        ["group_id"],
        postgresql_include=["satang"],
        postgresql_where="account = 'deposit'",
    )


def _canvas_notes() -> None:
    op.create_table(
        "canvas_notes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("block", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("text_th", sa.String()),
        sa.Column("text_en", sa.String()),
        sa.Column("written_at", MOMENT, nullable=False),
        sa.Column("written_by", sa.Uuid()),
        sa.CheckConstraint("block BETWEEN 1 AND 9", name="ck_canvas_notes_block_is_known"),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name="fk_canvas_notes_group_id"),
        sa.ForeignKeyConstraint(["written_by"], ["people.id"], name="fk_canvas_notes_written_by"),
        sa.PrimaryKeyConstraint("id", name="pk_canvas_notes"),
        sa.UniqueConstraint("group_id", "block", "version", name="uq_canvas_notes_group_id_block_version"),
    )


def _plan_amounts() -> None:
    op.create_table(
        "plan_amounts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("stream_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("satang", sa.BigInteger(), nullable=False),
        sa.Column("written_at", MOMENT, nullable=False),
        sa.Column("written_by", sa.Uuid()),
        sa.CheckConstraint("extract(day FROM month) = 1", name="ck_plan_amounts_month_is_a_first_day"),
        sa.CheckConstraint("satang >= 0", name="ck_plan_amounts_satang_not_negative"),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name="fk_plan_amounts_group_id"),
        sa.ForeignKeyConstraint(["stream_id"], ["streams.id"], name="fk_plan_amounts_stream_id"),
        sa.ForeignKeyConstraint(["written_by"], ["people.id"], name="fk_plan_amounts_written_by"),
        sa.PrimaryKeyConstraint("id", name="pk_plan_amounts"),
        sa.UniqueConstraint(
            "group_id", "stream_id", "month", "version", name="uq_plan_amounts_group_id_stream_id_month_version"
        ),
    )


def _plan_steps() -> None:
    op.create_table(
        "plan_steps",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("reached_at", MOMENT, nullable=False),
        sa.Column("reached_by", sa.Uuid()),
        sa.CheckConstraint("step BETWEEN 1 AND 4", name="ck_plan_steps_step_is_known"),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name="fk_plan_steps_group_id"),
        sa.ForeignKeyConstraint(["reached_by"], ["people.id"], name="fk_plan_steps_reached_by"),
        sa.PrimaryKeyConstraint("id", name="pk_plan_steps"),
    )
    op.create_index("ix_plan_steps_group_id", "plan_steps", ["group_id"])


def _keys_of_memberships() -> None:
    op.create_foreign_key("fk_memberships_center_id", "memberships", "centers", ["center_id"], ["id"])
    op.create_foreign_key("fk_memberships_group_id", "memberships", "groups", ["group_id"], ["id"])


def _execute(statements: str) -> None:
    """Run statements one by one (the driver prepares each): every one of them ends with a semicolon and a new line."""
    for statement in statements.strip().split(";\nCREATE"):
        op.execute(statement if statement.startswith("CREATE") else f"CREATE{statement}")
