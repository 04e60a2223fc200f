"""Where the pictures that pages show come from: `/media/…`, and nothing but what was made to be seen by everybody."""

from pathlib import PurePosixPath
from typing import Final

from fastapi import APIRouter, Response

from app import files
from app.errors import NotFound

router = APIRouter()

CONTENT_TYPES: Final = {
    ".avif": "image/avif",
    ".webp": "image/webp",
    ".jpg": "image/jpeg",
}
"""Told by how our own keys end, never by what a stranger said."""
HEADERS: Final = {
    # A file never changes: another picture has another address.
    "Cache-Control": "public, max-age=31536000, immutable",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
}


@router.api_route("/media/{key:path}", methods=["GET", "HEAD"])
async def media(key: str) -> Response:
    content_type = CONTENT_TYPES.get(PurePosixPath(key).suffix)
    if content_type is None:
        raise NotFound
    return Response(await files.get(files.PUBLIC + key), media_type=content_type, headers=HEADERS)
