"""The darkroom: where the worker makes of a photo what the pages show, or notes why that cannot be."""

from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from app import clock, files, jobs, pictures
from app.database import session_scope
from app.picture_checks import PictureRefused
from app.pictures import Made
from catalog import renditions
from catalog.photos import Photo, PhotoState


@jobs.handler("photo.make")
async def make_ready(payload: dict[str, Any]) -> None:
    """Make what the pages show, or note why that cannot be.  Done twice, the same files are written again."""
    photo_id = UUID(payload["photo_id"])
    async with session_scope() as session:
        question = select(Photo.original_key).where(Photo.id == photo_id, Photo.state == PhotoState.waiting)
        original_key = await session.scalar(question)
    if original_key is None:
        return
    try:
        made = await pictures.make_apart(await files.get(original_key))
    except (PictureRefused, files.NoSuchFile) as refusal:
        await _note(photo_id, {"state": PhotoState.failed, "refused": refusal.message})
        return
    await renditions.put_away(photo_id, made)
    if not await _note(photo_id, _outcome(made)):
        await renditions.delete(renditions.keys(photo_id, renditions.widths(made)))


async def _note(photo_id: UUID, outcome: dict[str, Any]) -> bool:
    """Write down how it went; False when the photo was taken away meanwhile."""
    async with session_scope() as session:
        noted = await session.scalar(update(Photo).where(Photo.id == photo_id).values(outcome).returning(Photo.id))
    return noted is not None


def _outcome(made: Made) -> dict[str, Any]:
    return {
        "state": PhotoState.ready,
        "width": made.width,
        "height": made.height,
        "widths": renditions.widths(made),
        "preview": made.preview,
        "colour": made.colour,
        "made_at": clock.now(),
    }
