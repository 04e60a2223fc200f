"""The API: tokens, answers kept for the same key, and counts of calls."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008_api"
down_revision = "0007_refunds"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _tokens()
    _answers()
    _calls()


def _tokens() -> None:
    op.create_table(
        "api_tokens",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("secret_hash", sa.String(), nullable=False),
        sa.Column("hint", sa.String(), nullable=False),
        sa.Column("scopes", postgresql.JSONB(), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=True),
        sa.Column("center_id", sa.Uuid(), nullable=True),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("last_used_at", MOMENT, nullable=True),
        sa.Column("revoked_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_api_tokens_person_id"),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name="fk_api_tokens_group_id"),
        sa.ForeignKeyConstraint(["center_id"], ["centers.id"], name="fk_api_tokens_center_id"),
        sa.PrimaryKeyConstraint("id", name="pk_api_tokens"),
        sa.UniqueConstraint("secret_hash", name="uq_api_tokens_secret_hash"),
    )
    op.create_index("ix_api_tokens_person_id", "api_tokens", ["person_id"])


def _answers() -> None:
    op.create_table(
        "api_answers",
        sa.Column("caller", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("headers", postgresql.JSONB(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("kept_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("caller", "key", name="pk_api_answers"),
    )
    op.create_index("ix_api_answers_kept_at", "api_answers", ["kept_at"])


def _calls() -> None:
    op.create_table(
        "api_calls",
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("since_at", MOMENT, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("who", "since_at", name="pk_api_calls"),
        prefixes=["UNLOGGED"],
    )
    op.create_index("ix_api_calls_since_at", "api_calls", ["since_at"])
