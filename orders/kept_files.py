"""Which files of `app.files` the orders' rows name: what a backup takes along and a check looks for."""

from collections.abc import AsyncIterator

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from orders.slips import Slip


async def keys(session: AsyncSession) -> AsyncIterator[str]:
    """Yield the pictures of slips; one that was refused and sent again is one picture."""
    async for key in await session.stream_scalars(select(Slip.file_key).distinct()):
        yield key
