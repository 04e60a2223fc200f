"""Who looked at or changed what on the desks; personal data that was erased."""

revision = "0010_trail"
down_revision = "0009_webhooks"


def upgrade() -> None:
    pass
