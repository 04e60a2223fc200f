"""Comparing markets: everything in a database, everything in a file store, in a form that shows any difference."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from app.settings import settings
from app.snapshot import columns_of

CHECKSUM = """
SELECT count(*) || ' rows, ' || coalesce(sum(('x' || left(md5(row::text), 15))::bit(60)::bigint), 0) FROM public."{}" AS row
"""


async def everything_in(url: str) -> dict[str, str]:
    """Return for each table with rows how many there are, and a checksum that does not depend on their order."""
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.connect() as connection:
        sums = {table: await connection.scalar(_checksum(table)) for table in await columns_of(connection)}
    return {table: str(found) for table, found in sums.items() if not str(found).startswith("0 rows")}


def _checksum(table: str) -> TextClause:
    return text(CHECKSUM.format(table).replace(":", r"\:"))


def files_in(home: Path) -> dict[str, str]:
    """Return the SHA-256 of each file, by key."""
    folder = home / "files"
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@contextmanager
def at_home(home: Path) -> Iterator[Path]:
    """Keep files in that folder for as long as the context lasts."""
    before = os.environ["MARKET_HOME"]
    os.environ["MARKET_HOME"] = str(home)
    settings.cache_clear()
    try:
        yield home
    finally:
        os.environ["MARKET_HOME"] = before
        settings.cache_clear()
