"""Payments through a provider: what was asked of it, and its events."""

revision = "0006_provider_payments"
down_revision = "0005_incubation_centers"


def upgrade() -> None:
    pass
