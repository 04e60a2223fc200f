"""Statements as they were sent to PostgreSQL, and sending them again with nothing around them."""

from dataclasses import dataclass
from typing import Any

import asyncpg


@dataclass(frozen=True, slots=True)
class Statement:
    sql: str
    parameters: Any
    """A tuple; a list of tuples for a statement that is executed for each of them."""
    is_many: bool


Trace = list[Statement]


async def send(connection: asyncpg.Connection, trace: Trace) -> None:
    """Send a trace in one transaction."""
    async with connection.transaction():
        for statement in trace:
            if statement.is_many:
                await connection.executemany(statement.sql, statement.parameters)
            else:
                await connection.fetch(statement.sql, *statement.parameters)
