"""Tables of `incubation_centers`.

Foreign keys of lower rooms that point up at these tables are added here, once both ends exist
(`uv run market makemigration --room incubation_centers` prints the operations).
"""

revision = "0005_incubation_centers"
down_revision = "0004_orders"


def upgrade() -> None:
    pass
