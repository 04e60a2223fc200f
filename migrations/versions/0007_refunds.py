"""Refunds by line, and refunds that the provider makes."""

revision = "0007_refunds"
down_revision = "0006_provider_payments"


def upgrade() -> None:
    pass
