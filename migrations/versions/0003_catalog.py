"""Tables of `catalog`: capacity, listings with their variants and certificates, photos.

What capacity promises is held here, by the database: what a pool holds follows from its holds, and is never more than
there is.  A listing's copy of its group's facts is made here too, so it never falls behind;
what the word search keeps of the group is written anew by a job.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003_catalog"
down_revision = "0002_producers"

MOMENT = sa.DateTime(timezone=True)
SHELF = "state = 'on_sale' AND is_open"

POOLS_FOLLOW_THEIR_HOLDS = """
CREATE FUNCTION pools_follow_new_holds() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM told WHERE state <> 'held') THEN
        RAISE EXCEPTION 'a hold begins by being held' USING ERRCODE = 'restrict_violation';
    END IF;
    UPDATE pools SET held_milli = held_milli + change.held
    FROM (SELECT pool_id, sum(amount_milli) AS held FROM told GROUP BY pool_id) AS change
    WHERE pools.id = change.pool_id;
    RETURN NULL;
END
$$;
CREATE FUNCTION pools_follow_changed_holds() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE pools SET held_milli = held_milli + change.held, on_hand_milli = on_hand_milli - change.taken
    FROM (
        SELECT told.pool_id,
            sum(told.amount_milli * ((told.state = 'held')::int - (before.state = 'held')::int)) AS held,
            sum(told.amount_milli * ((told.state = 'taken')::int - (before.state = 'taken')::int)) AS taken
        FROM told JOIN before USING (id)
        WHERE told.state <> before.state
        GROUP BY told.pool_id
    ) AS change
    WHERE pools.id = change.pool_id;
    RETURN NULL;
END
$$;
CREATE FUNCTION refuse_moved_hold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a hold keeps its pool, owner and amount, and is never deleted' USING ERRCODE = 'restrict_violation';
END
$$;
CREATE FUNCTION refuse_held_by_hand() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_trigger_depth() = 1 THEN
        RAISE EXCEPTION 'what a pool holds follows from its holds' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER pools_follow_new_holds AFTER INSERT ON holds
    REFERENCING NEW TABLE AS told FOR EACH STATEMENT EXECUTE FUNCTION pools_follow_new_holds();
CREATE TRIGGER pools_follow_changed_holds AFTER UPDATE ON holds
    REFERENCING NEW TABLE AS told OLD TABLE AS before FOR EACH STATEMENT EXECUTE FUNCTION pools_follow_changed_holds();
CREATE TRIGGER holds_keep_their_amount BEFORE DELETE OR UPDATE OF id, pool_id, owner_id, amount_milli ON holds
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_moved_hold();
CREATE TRIGGER pools_begin_with_nothing_held BEFORE INSERT ON pools
    FOR EACH ROW WHEN (NEW.held_milli <> 0) EXECUTE FUNCTION refuse_held_by_hand();
CREATE TRIGGER pools_hold_nothing_by_hand BEFORE UPDATE OF held_milli ON pools
    FOR EACH ROW WHEN (NEW.held_milli <> OLD.held_milli) EXECUTE FUNCTION refuse_held_by_hand();
"""

LISTINGS_KNOW_THEIR_GROUP = """
CREATE FUNCTION copy_from_group() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- FOR SHARE: an approval that commits at the same moment is either seen here or finds this row.
    SELECT center_id, region, province_code, state = 'approved'
        INTO NEW.center_id, NEW.region, NEW.province_code, NEW.is_open
        FROM groups WHERE id = NEW.group_id FOR SHARE;
    RETURN NEW;
END
$$;
CREATE FUNCTION copy_to_listings() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE listings SET center_id = NEW.center_id, region = NEW.region, province_code = NEW.province_code,
        is_open = NEW.state = 'approved'
        WHERE group_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE FUNCTION ask_to_retell_listings() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO jobs (id, kind, payload, key, run_after_at, attempts, created_at)
        VALUES (gen_random_uuid(), 'listings.retell', jsonb_build_object('group_id', NEW.id), NEW.id::text,
            NEW.changed_at, 0, NEW.changed_at);
    RETURN NULL;
END
$$;
CREATE TRIGGER listings_know_their_group BEFORE INSERT OR UPDATE OF group_id ON listings
    FOR EACH ROW EXECUTE FUNCTION copy_from_group();
CREATE TRIGGER groups_tell_their_listings AFTER UPDATE OF center_id, region, province_code, state ON groups
    FOR EACH ROW
    WHEN ((OLD.center_id, OLD.region, OLD.province_code, OLD.state)
        IS DISTINCT FROM (NEW.center_id, NEW.region, NEW.province_code, NEW.state))
    EXECUTE FUNCTION copy_to_listings();
CREATE TRIGGER groups_ask_to_retell_their_listings
    AFTER UPDATE OF name_th, name_en, province_code, subdistrict_code ON groups
    FOR EACH ROW
    WHEN ((OLD.name_th, OLD.name_en, OLD.province_code, OLD.subdistrict_code)
        IS DISTINCT FROM (NEW.name_th, NEW.name_en, NEW.province_code, NEW.subdistrict_code))
    EXECUTE FUNCTION ask_to_retell_listings();
"""


def upgrade() -> None:
    _pools()
    _holds()
    _listings()
    _variants()
    _listing_certificates()
    _photos()
    for statements in (POOLS_FOLLOW_THEIR_HOLDS, LISTINGS_KNOW_THEIR_GROUP):
        _execute(statements)


def _pools() -> None:
    op.create_table(
        "pools",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("on_hand_milli", sa.BigInteger(), nullable=False),
        sa.Column("held_milli", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("on_hand_milli >= 0", name="ck_pools_on_hand_not_negative"),
        sa.CheckConstraint("held_milli BETWEEN 0 AND on_hand_milli", name="ck_pools_held_within_on_hand"),
        sa.PrimaryKeyConstraint("id", name="pk_pools"),
    )


def _holds() -> None:
    op.create_table(
        "holds",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("pool_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("amount_milli", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("decided_at", MOMENT),
        sa.CheckConstraint("amount_milli > 0", name="ck_holds_amount_counts"),
        sa.CheckConstraint("state IN ('held', 'taken', 'released', 'expired')", name="ck_holds_state_is_known"),
        sa.CheckConstraint("(state = 'held') = (decided_at IS NULL)", name="ck_holds_decided_when_not_held"),
        sa.ForeignKeyConstraint(["pool_id"], ["pools.id"], name="fk_holds_pool_id"),
        sa.PrimaryKeyConstraint("id", name="pk_holds"),
        sa.UniqueConstraint("owner_id", "pool_id", name="uq_holds_owner_id_pool_id"),
    )
    op.create_index(
        "ix_holds_held",
        "holds",
        ["pool_id", "expires_at"],
        postgresql_include=["amount_milli"],
        postgresql_where="state = 'held'",
    )


def _listings() -> None:
    op.create_table(
        "listings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("ref", sa.String()),
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name_th", sa.String(), nullable=False),
        sa.Column("name_en", sa.String()),
        sa.Column("description_th", sa.String()),
        sa.Column("description_en", sa.String()),
        sa.Column("cluster", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("stream_id", sa.Uuid(), nullable=False),
        sa.Column("storage", sa.String(), nullable=False),
        sa.Column("season_from_month", sa.Integer()),
        sa.Column("season_to_month", sa.Integer()),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("sort_key", sa.String(collation="C"), nullable=False),
        sa.Column("search_text", sa.String(), nullable=False),
        sa.Column("price_satang", sa.BigInteger()),
        sa.Column("published_at", MOMENT),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.Column("changed_by", sa.Uuid()),
        sa.Column("center_id", sa.Uuid(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("province_code", sa.String(), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.CheckConstraint("kind IN ('goods', 'experience')", name="ck_listings_kind_is_known"),
        sa.CheckConstraint("state IN ('draft', 'on_sale', 'paused')", name="ck_listings_state_is_known"),
        sa.CheckConstraint("storage IN ('ambient', 'chilled', 'frozen')", name="ck_listings_storage_is_known"),
        sa.CheckConstraint(
            "(season_from_month IS NULL) = (season_to_month IS NULL)"
            " AND season_from_month BETWEEN 1 AND 12 AND season_to_month BETWEEN 1 AND 12",
            name="ck_listings_season_is_whole",
        ),
        sa.CheckConstraint("state <> 'on_sale' OR published_at IS NOT NULL", name="ck_listings_on_sale_since_a_moment"),
        sa.CheckConstraint("price_satang > 0", name="ck_listings_price_counts"),
        sa.ForeignKeyConstraint(["center_id"], ["centers.id"], name="fk_listings_center_id"),
        sa.ForeignKeyConstraint(["changed_by"], ["people.id"], name="fk_listings_changed_by"),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name="fk_listings_group_id"),
        sa.ForeignKeyConstraint(["stream_id"], ["streams.id"], name="fk_listings_stream_id"),
        sa.PrimaryKeyConstraint("id", name="pk_listings"),
        sa.UniqueConstraint("slug", name="uq_listings_slug"),
    )
    op.create_index("ix_listings_group_id", "listings", ["group_id", "sort_key"])
    shelf: dict[str, list[str | sa.TextClause]] = {
        "newest": ["published_at", "id"],
        "price": [sa.text("coalesce(price_satang, '9223372036854775807'::bigint)"), "id"],
        "price_down": [sa.text("coalesce(price_satang, 0)"), "id"],
        "name": ["sort_key", "id"],
        "category": ["category", "published_at", "id"],
        "province": ["province_code", "published_at", "id"],
        "center": ["center_id", "published_at", "id"],
        "facets": [
            *("cluster", "category", "region", "province_code", "center_id", "group_id", "storage"),
            *("price_satang", "id"),
        ],
    }
    for name, columns in shelf.items():
        op.create_index(f"ix_listings_shelf_{name}", "listings", columns, postgresql_where=SHELF)


def _variants() -> None:
    op.create_table(
        "variants",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("listing_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("label_th", sa.String()),
        sa.Column("label_en", sa.String()),
        sa.Column("unit_th", sa.String(), nullable=False),
        sa.Column("unit_en", sa.String()),
        sa.Column("net_weight_g", sa.Integer()),
        sa.Column("price_satang", sa.BigInteger()),
        sa.Column("pool_id", sa.Uuid(), nullable=False),
        sa.Column("step_milli", sa.BigInteger(), nullable=False),
        sa.Column("least_milli", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", MOMENT),
        sa.CheckConstraint("price_satang > 0", name="ck_variants_price_counts"),
        sa.CheckConstraint(
            "step_milli > 0 AND least_milli > 0 AND least_milli % step_milli = 0", name="ck_variants_amounts_in_steps"
        ),
        sa.CheckConstraint("price_satang * step_milli % 1000 = 0", name="ck_variants_a_step_costs_whole_satang"),
        sa.CheckConstraint("net_weight_g > 0", name="ck_variants_weight_counts"),
        sa.ForeignKeyConstraint(["listing_id"], ["listings.id"], name="fk_variants_listing_id"),
        sa.ForeignKeyConstraint(["pool_id"], ["pools.id"], name="fk_variants_pool_id"),
        sa.PrimaryKeyConstraint("id", name="pk_variants"),
    )
    op.create_index("ix_variants_listing_id", "variants", ["listing_id", "position"])
    op.create_index("ix_variants_pool_id", "variants", ["pool_id"])


def _listing_certificates() -> None:
    op.create_table(
        "listing_certificates",
        sa.Column("listing_id", sa.Uuid(), nullable=False),
        sa.Column("certificate_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["certificate_id"], ["certificates.id"], name="fk_listing_certificates_certificate_id"),
        sa.ForeignKeyConstraint(["listing_id"], ["listings.id"], name="fk_listing_certificates_listing_id"),
        sa.PrimaryKeyConstraint("listing_id", "certificate_id", name="pk_listing_certificates"),
    )
    op.create_index("ix_listing_certificates_certificate_id", "listing_certificates", ["certificate_id"])


def _photos() -> None:
    op.create_table(
        "photos",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("listing_id", sa.Uuid()),
        sa.Column("position", sa.Integer()),
        sa.Column("original_key", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("refused", sa.String()),
        sa.Column("width", sa.Integer()),
        sa.Column("height", sa.Integer()),
        sa.Column("widths", postgresql.JSONB(), nullable=False),
        sa.Column("preview", sa.String()),
        sa.Column("colour", sa.String()),
        sa.Column("alt_th", sa.String()),
        sa.Column("alt_en", sa.String()),
        sa.Column("uploaded_at", MOMENT, nullable=False),
        sa.Column("uploaded_by", sa.Uuid()),
        sa.Column("made_at", MOMENT),
        sa.CheckConstraint("state IN ('waiting', 'ready', 'failed')", name="ck_photos_state_is_known"),
        sa.CheckConstraint(
            "state <> 'ready' OR (width > 0 AND height > 0 AND widths <> '[]')", name="ck_photos_ready_can_be_shown"
        ),
        sa.CheckConstraint(
            "listing_id IS NULL OR position IS NOT NULL", name="ck_photos_photos_of_listings_have_a_place"
        ),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name="fk_photos_group_id"),
        sa.ForeignKeyConstraint(["listing_id"], ["listings.id"], name="fk_photos_listing_id"),
        sa.ForeignKeyConstraint(["uploaded_by"], ["people.id"], name="fk_photos_uploaded_by"),
        sa.PrimaryKeyConstraint("id", name="pk_photos"),
    )
    op.create_index("ix_photos_group_id", "photos", ["group_id", "position"])
    op.create_index("ix_photos_listing_id", "photos", ["listing_id", "position"])


def _execute(statements: str) -> None:
    """Run statements one by one (the driver prepares each): every one of them ends with a semicolon and a new line."""
    for statement in statements.strip().split(";\nCREATE"):
        op.execute(statement if statement.startswith("CREATE") else f"CREATE{statement}")
