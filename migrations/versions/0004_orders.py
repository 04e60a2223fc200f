"""Tables of `orders`.

Foreign keys of lower rooms that point up at these tables are added here, once both ends exist
(`uv run market makemigration --room orders` prints the operations).
"""

revision = "0004_orders"
down_revision = "0003_catalog"


def upgrade() -> None:
    pass
