"""Changes of tables in use, in ways that let the market go on (docs/decisions/0018-migrations-let-the-market-go-on.md).

Each function works outside of the migration's transaction, in steps that hold a strict lock only for an instant, and may
be called again after it was broken off: so call them first in `upgrade`, before anything that a second try would find
done.  Tables that the same migration makes need none of this.
"""

from alembic import op


def add_columns(table: str, **columns: str) -> None:
    """Add columns by name and type; "NOT NULL" needs a constant default, which PostgreSQL does not write into rows."""
    added = ", ".join(f"ADD COLUMN IF NOT EXISTS {name} {kind}" for name, kind in columns.items())
    _do(f"ALTER TABLE {table} {added}")


def set_check(table: str, name: str, condition: str) -> None:
    """Have a check constraint of this name say `condition`, whatever it said before; rows are looked through unlocked."""
    _do(
        f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}, ADD CONSTRAINT {name} CHECK ({condition}) NOT VALID",
        f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}",
    )


def drop_constraint(table: str, name: str) -> None:
    _do(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}")


def add_foreign_key(table: str, name: str, column: str, target: str) -> None:
    """Let `column` point at the ids of `target`."""
    _do(
        f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}, "
        f"ADD CONSTRAINT {name} FOREIGN KEY({column}) REFERENCES {target} (id) NOT VALID",
        f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}",
    )


def set_index(table: str, name: str, columns: str, *, unique: bool = False, where: str = "", using: str = "") -> None:
    """Have an index of this name as it is told here, whatever it was before."""
    _do(
        f"DROP INDEX CONCURRENTLY IF EXISTS {name}",
        f"CREATE {'UNIQUE ' if unique else ''}INDEX CONCURRENTLY {name} ON {table}"
        f"{f' USING {using}' if using else ''} ({columns}){f' WHERE {where}' if where else ''}",
    )


def add_unique(table: str, name: str, columns: str) -> None:
    """Have a unique constraint of this name, built as an index first."""
    drop_constraint(table, name)
    set_index(table, name, columns, unique=True)
    _do(f"ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE USING INDEX {name}")


def change_rows(statement: str) -> None:
    """Change rows in a transaction of its own, after which nobody waits for us; it must bear being run twice."""
    _do(statement)


def _do(*statements: str) -> None:
    with op.get_context().autocommit_block():
        for statement in statements:
            op.execute(statement)
