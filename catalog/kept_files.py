"""Which files of `app.files` the catalogue's rows name: what a backup takes along and a check looks for."""

from collections.abc import AsyncIterator

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from catalog import renditions
from catalog.photos import Photo


async def keys(session: AsyncSession) -> AsyncIterator[str]:
    """Yield every photo's original and what was made of it; large markets are read row by row."""
    # Columns by name, not the whole row: a backup may be of a database that is not migrated yet.
    photos = await session.stream(select(Photo.id, Photo.original_key, Photo.widths))
    async for photo_id, original_key, widths in photos:
        yield original_key
        for key in renditions.keys(photo_id, widths) if widths else ():
            yield key
