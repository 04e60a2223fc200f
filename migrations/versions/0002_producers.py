"""Tables of `producers`.

Foreign keys of lower rooms that point up at these tables are added here, once both ends exist
(`uv run market makemigration --room producers` prints the operations).
"""

revision = "0002_producers"
down_revision = "0001_foundation"


def upgrade() -> None:
    pass
