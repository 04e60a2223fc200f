"""Tables of `catalog`.

Foreign keys of lower rooms that point up at these tables are added here, once both ends exist
(`uv run market makemigration --room catalog` prints the operations).
"""

revision = "0003_catalog"
down_revision = "0002_producers"


def upgrade() -> None:
    pass
