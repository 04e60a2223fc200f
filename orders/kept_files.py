"""Which files of `app.files` the orders' rows name: what a backup takes along and a check looks for."""

from collections.abc import AsyncIterator
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

#: Through JSON, because a backup may be of a database that is not migrated yet: before 0010 no picture was ever gone.
_SLIPS: Final = text("SELECT DISTINCT file_key FROM slips WHERE to_jsonb(slips) ->> 'picture_gone_at' IS NULL")


async def keys(session: AsyncSession) -> AsyncIterator[str]:
    """Yield the pictures of slips; one that was refused and sent again is one picture."""
    async for key in await session.stream_scalars(_SLIPS):
        yield key
