"""The files that are made of a photo: where each one lies, and how all of them come and go.

A photo's files lie in a folder of its own under `media/`, named by the photo's id.  The id has 74 random bits, so
nobody comes across a photo that no page shows.
"""

from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

from app import clock, files, jobs, snapshot
from app.database import session_scope
from app.pictures import Made

SUFFIXES: Final = {"avif": ".avif", "webp": ".webp", "jpeg": ".jpg"}
"""Every format in which a ready photo can be had, and how its files end."""


def url(photo_id: UUID, width: int, form: str) -> str:
    """Return the address of one rendition: its width in pixels, in "avif", "webp" or "jpeg"."""
    return files.url(_key(photo_id, width, form))


def share_url(photo_id: UUID) -> str:
    """Return the address of the one for Open Graph: 1200 by 630 pixels."""
    return files.url(_share_key(photo_id))


def keys(photo_id: UUID, widths: Iterable[int]) -> list[str]:
    """Return where all files of a photo lie."""
    return [*(_key(photo_id, width, form) for width in widths for form in SUFFIXES), _share_key(photo_id)]


def widths(made: Made) -> list[int]:
    """Return the widths that were made, narrow first; each is there in every format."""
    return sorted({each.width for each in made.renditions})


async def put_away(photo_id: UUID, made: Made) -> None:
    """Keep what was made.  Done twice, the same files are written again."""
    for each in made.renditions:
        await files.put(f"{_folder(photo_id)}/{each.width}{each.suffix}", each.data, each.content_type)
    await files.put(_share_key(photo_id), made.share.data, made.share.content_type)


async def delete(gone: Iterable[str]) -> None:
    for key in gone:
        await files.delete(key)


@jobs.handler("photo.forget")
async def forget(payload: dict[str, Any]) -> None:
    """Delete the files of a photo whose row is gone; while a backup is made, which may still come for them, later."""
    async with session_scope() as session:
        if await snapshot.is_being_read(session):
            await jobs.enqueue(session, "photo.forget", payload, run_after=clock.now() + snapshot.ASK_AGAIN)
            return
    await delete(payload["keys"])


def _key(photo_id: UUID, width: int, form: str) -> str:
    return f"{_folder(photo_id)}/{width}{SUFFIXES[form]}"


def _share_key(photo_id: UUID) -> str:
    return f"{_folder(photo_id)}/share.jpg"


def _folder(photo_id: UUID) -> str:
    return f"{files.PUBLIC}photos/{photo_id.hex}"
