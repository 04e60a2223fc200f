"""`market check`: whether what must always be true is true, on a market that is open (the rooms' modules `checks`).

All questions are asked in one read-only snapshot, so that what changes meanwhile is no finding.  Files are looked for
afterwards, without a transaction; one that is missing counts only when rows still name it then.
"""

import asyncio
import random
from collections.abc import Collection
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.pool import NullPool

from app import checks as foundation
from app import files, findings
from app.findings import Finding
from catalog import checks as shelves
from catalog import kept_files as photos
from migrations import history
from orders import checks as orders
from orders import kept_files as slips
from producers import checks as books

SAMPLE: Final = 200
"""Files that are looked for unless all are asked for."""
AT_ONCE: Final = 16

CHECKS: Final = (*books.CHECKS, *shelves.CHECKS, *orders.CHECKS, *foundation.CHECKS)
SEARCH: Final = Finding("search", "no search engine is set; the database itself answers searches", is_warning=True)


async def check(url: str, *, all_files: bool = False) -> list[Finding]:
    """Return everything that is wrong with the market at `url`; `all_files` looks for every file, not for some."""
    engine = create_async_engine(url, poolclass=NullPool, isolation_level="REPEATABLE READ")
    reading = engine.execution_options(postgresql_readonly=True)
    try:
        async with AsyncSession(reading) as session:
            if outdated := await _outdated(session):
                return [outdated]
            found = await findings.of_checks(session, CHECKS)
            keys = await _keys(session)
        missing = await _missing(keys if all_files else random.sample(sorted(keys), min(SAMPLE, len(keys))))
        if missing:
            async with AsyncSession(reading) as session:
                missing &= await _keys(session)
    finally:
        await engine.dispose()
    return [*found, *_told(missing), SEARCH]


async def _outdated(session: AsyncSession) -> Finding | None:
    is_market = await session.scalar(text("SELECT to_regclass('public.alembic_version') IS NOT NULL"))
    revision = await session.scalar(text("SELECT version_num FROM alembic_version")) if is_market else "nothing yet"
    if revision == history.newest():
        return None
    return Finding("tables", f"they are at {revision}, and this market needs {history.newest()}: run `market migrate`")


async def _keys(session: AsyncSession) -> set[str]:
    return {key for room in (photos, slips) async for key in room.keys(session)}


async def _missing(keys: Collection[str]) -> set[str]:
    """Return those of the keys that the file store does not know."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def is_missing(key: str) -> bool:
        async with gate:
            return not await files.exists(key)

    looked = await asyncio.gather(*map(is_missing, keys))
    return {key for key, missing in zip(keys, looked, strict=True) if missing}


def _told(missing: Collection[str]) -> list[Finding]:
    named = sorted(missing)[: findings.MOST_NAMED]
    told = [Finding("files", f"{key} is not in the file store") for key in named]
    more = len(missing) - len(named)
    return [*told, Finding("files", f"… and {more} more")] if more else told
