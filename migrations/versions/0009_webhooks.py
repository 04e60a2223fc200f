"""Webhooks to other programs: who wants to hear what, and what was sent."""

revision = "0009_webhooks"
down_revision = "0008_api"


def upgrade() -> None:
    pass
