"""Indexes and totals that large markets need."""

revision = "0011_speed"
down_revision = "0010_trail"


def upgrade() -> None:
    pass
