"""Migrations of tables in use let the market go on: no statement reads or rewrites a table that it has locked.

Every migration since the first release is run over a database, and what it says is judged, statement by statement,
with the locks of its transaction.  `migrations/gently.py` has the ways that pass.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import pytest
from alembic import command
from sqlalchemy import Connection, event, text

from app import embedded
from migrations import history, revisions
from tests.ground.databases import empty_database

FIRST_RELEASE: Final = "0005_incubation_centers"
NAME: Final = r'(?:ONLY )?(?:public\.)?"?(\w+)"?'
ON_TABLES: Final = (
    rf"ALTER TABLE (?:IF EXISTS )?{NAME}",
    rf"CREATE (?:UNIQUE )?INDEX .*? ON {NAME}",
    rf"UPDATE {NAME}",
    rf"DELETE FROM {NAME}",
    rf"DROP TABLE (?:IF EXISTS )?{NAME}",
)
#: What a statement about a table in use must not say, and why.
NEVER: Final = {
    r"CREATE (UNIQUE )?INDEX (?!CONCURRENTLY)": "builds an index while nobody can write: CONCURRENTLY",
    r"ADD CONSTRAINT .*?(CHECK|FOREIGN KEY)(?!.*NOT VALID)": "looks through all rows while nobody can write: NOT VALID",
    r"ADD (CONSTRAINT \S+ )?(UNIQUE|PRIMARY KEY|EXCLUDE)(?!.*USING INDEX)": "builds an index while nobody can read: USING INDEX",
    r"SET NOT NULL": "looks through all rows while nobody can read: a check constraint instead",
    r"ALTER COLUMN .*? TYPE": "rewrites the table while nobody can read: a new column instead",
    r"RENAME|DROP COLUMN|DROP TABLE": "breaks the code that still runs: leave it until the next release",
}
STRICT: Final = re.compile(r"ALTER TABLE|DROP INDEX (?!CONCURRENTLY)|CREATE TRIGGER|DROP TRIGGER")
READING_ALL: Final = re.compile(r"^(UPDATE|DELETE|INSERT)|VALIDATE CONSTRAINT")


@dataclass
class Judge:
    """Looks at one migration's statements; `tables` were there before it."""

    tables: frozenset[str]
    found: list[str] = field(default_factory=list)
    locked: set[str] = field(default_factory=set)

    def look(self, statement: str, *, is_alone: bool) -> None:
        """`is_alone`: the statement is a transaction of its own."""
        said = " ".join(statement.split())
        if "alembic_version" in said:
            return
        if is_alone:
            self.locked.clear()
        about = {name for name in _tables_of(said) if name in self.tables}
        self.found += [f"{why}: {said}" for pattern, why in NEVER.items() if about and re.search(pattern, said)]
        if READING_ALL.search(said) and self.locked:
            self.found.append(f"takes its time while {', '.join(sorted(self.locked))} are locked: {said}")
        if STRICT.search(said) and not is_alone:
            self.locked |= about


@pytest.mark.parametrize(
    ("statements", "wrong"),
    [
        (["CREATE INDEX ix ON orders (state)"], "CONCURRENTLY"),
        (["CREATE INDEX ix ON new_table (state)"], None),
        (["ALTER TABLE orders ADD CONSTRAINT ck CHECK (total_satang > 0)"], "NOT VALID"),
        (["ALTER TABLE orders ADD CONSTRAINT ck CHECK (total_satang > 0) NOT VALID"], None),
        (["ALTER TABLE orders ADD CONSTRAINT ck CHECK (a) NOT VALID", "ALTER TABLE orders VALIDATE CONSTRAINT ck"], "its time"),
        (["ALTER TABLE orders ADD CONSTRAINT fk FOREIGN KEY(a) REFERENCES people (id)"], "NOT VALID"),
        (["ALTER TABLE orders ADD CONSTRAINT uq UNIQUE (number)"], "USING INDEX"),
        (["ALTER TABLE orders ALTER COLUMN state SET NOT NULL"], "check constraint"),
        (["ALTER TABLE orders ALTER COLUMN state TYPE text"], "rewrites"),
        (["ALTER TABLE orders DROP COLUMN note"], "next release"),
        (["ALTER TABLE orders ADD COLUMN a bigint", "UPDATE orders SET a = 1"], "its time"),
        (["ALTER TABLE orders ADD COLUMN a bigint DEFAULT 0 NOT NULL"], None),
    ],
)  # fmt: skip
def test_the_judge_knows_what_takes_its_time(statements: list[str], wrong: str | None) -> None:
    judge = Judge(frozenset({"orders", "people"}))
    for statement in statements:
        judge.look(statement, is_alone=False)
    assert [wrong in found for found in judge.found] == [True] if wrong else judge.found == []


async def test_migrations_let_the_market_go_on(test_server: embedded.Server) -> None:
    async with empty_database(test_server, f"test_{os.getpid()}_gently") as url:
        await history.upgrade(url, FIRST_RELEASE)
        found: list[str] = []
        for revision in _since_the_release():
            await history.on_connection(url, lambda connection, to=revision: found.extend(_judged(connection, to)))  # type: ignore[misc]
    assert found == []


def _judged(connection: Connection, revision: str) -> list[str]:
    """Run one migration, and return what is wrong with its statements."""
    judge = Judge(frozenset(_rows(connection, "SELECT relname FROM pg_class WHERE relkind = 'r'")))
    files = _files_of(connection)

    def look(asking: Connection, _cursor: Any, statement: str, *_rest: Any) -> None:
        judge.look(statement, is_alone=asking.get_execution_options().get("isolation_level") == "AUTOCOMMIT")

    event.listen(connection, "before_cursor_execute", look)
    event.listen(connection, "commit", lambda _connection: judge.locked.clear())
    connection.rollback()
    command.upgrade(history.configuration(connection), revision)
    event.remove(connection, "before_cursor_execute", look)
    rewritten = sorted(table for table, file in _files_of(connection).items() if files.get(table, file) != file)
    return [f"{revision}: {found}" for found in judge.found + [f"rewrites {table}" for table in rewritten]]


def _files_of(connection: Connection) -> dict[str, int]:
    """Where each table's rows lie: another place means that all of them were written anew."""
    question = "SELECT relname, relfilenode FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    return {row[0]: row[1] for row in connection.execute(text(question.replace(":", r"\:")))}


def _rows(connection: Connection, question: str) -> list[str]:
    return list(connection.scalars(text(question)))


def _since_the_release() -> Iterator[str]:
    oldest_first = revisions.known()[::-1]
    yield from oldest_first[oldest_first.index(FIRST_RELEASE) + 1 :]


def _tables_of(statement: str) -> Iterator[str]:
    for pattern in ON_TABLES:
        yield from re.findall(pattern, statement)
