"""The API: tokens, and answers kept for the same key."""

revision = "0008_api"
down_revision = "0007_refunds"


def upgrade() -> None:
    pass
