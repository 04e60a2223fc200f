"""Files that people sent or that were made from them: on the local disk, or in S3 when `FILES_URL` says so.

A file is written whole or not at all, and is never changed: other contents get another key.  Keys are made by us, in
small letters.  What lies under `media/` may be fetched by anybody at that same path of the market; everything else
(originals with their GPS, transfer slips) only ever leaves through a page that asks who is asking.

Credentials and endpoint of S3 come from the usual variables (AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL …).
"""

import asyncio
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Final

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, S3Store

from app.errors import NotFound, Refusal
from app.language import N_
from app.settings import settings

PUBLIC: Final = "media/"
"""Keys that begin so may be seen by anybody."""
LONGEST_KEY: Final = 200


class NoSuchFile(NotFound):
    message = N_("This file is no longer here.")


class FilesOutOfReach(Refusal):
    """The disk is full, or S3 does not answer: the same request may well succeed later."""

    status = 503
    message = N_("We could not reach our file store. Please try again in a moment.")


async def put(key: str, data: bytes, content_type: str) -> None:
    """Keep `data` under `key`; when this returns it also survives a power cut.  ValueError for a malformed key.

    S3 remembers `content_type`; the local disk knows no types, so whoever serves a file fixes its type anyway.
    """
    if not is_key(key):
        raise ValueError(f"not a key for a file: {key!r}")
    store = _store()
    with _reached():
        if isinstance(store, LocalStore):
            await obstore.put_async(store, key, data, use_multipart=False)
            await asyncio.to_thread(_settle, _local_folder(), key)
        else:
            await obstore.put_async(store, key, data, use_multipart=False, attributes={"Content-Type": content_type})


async def get(key: str) -> bytes:
    """Return the whole file; NoSuchFile when there is none, also for a key that no file could have."""
    if not is_key(key):
        raise NoSuchFile
    with _reached():
        result = await obstore.get_async(_store(), key)
        return bytes(await result.bytes_async())


async def delete(key: str) -> None:
    """Forget the file; one that is already gone is no trouble, so that a job can be run twice."""
    if not is_key(key):
        return
    try:
        with _reached():
            await obstore.delete_async(_store(), key)
    except NoSuchFile:
        return


async def exists(key: str) -> bool:
    if not is_key(key):
        return False
    try:
        with _reached():
            await obstore.head_async(_store(), key)
    except NoSuchFile:
        return False
    return True


async def is_in_reach() -> bool:
    """Whether files could be kept right now: the folder can be written to, or the bucket answers."""
    if settings().files_url is None:
        folder = _local_folder()  # made with the first file
        return os.access(folder if folder.exists() else folder.parent, os.W_OK)
    try:
        await exists("reach")
    except FilesOutOfReach:
        return False
    return True


def url(key: str) -> str:
    """Return the path at which everybody may fetch a file under `media/`; ValueError for any other key."""
    if not is_key(key) or not key.startswith(PUBLIC):
        raise ValueError(f"not a file for everybody: {key!r}")
    return f"/{key}"


def is_key(key: str) -> bool:
    """Whether a file could have this key: parts of small letters, digits, `_.-`, none beginning with a dot."""
    return len(key) <= LONGEST_KEY and _KEY.fullmatch(key) is not None


_KEY = re.compile(r"[a-z0-9_-][a-z0-9_.-]*(/[a-z0-9_-][a-z0-9_.-]*)*")


@contextmanager
def _reached() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise NoSuchFile from None
    except (BaseError, OSError) as error:
        raise FilesOutOfReach from error


def _store() -> ObjectStore:
    place = settings().files_url
    return _bucket(place) if place else _folder(_local_folder())


def _local_folder() -> Path:
    return settings().market_home.absolute() / "files"


@cache
def _folder(path: Path) -> LocalStore:
    return LocalStore(path, mkdir=True)


@cache
def _bucket(place: str) -> S3Store:
    # A page waits for this: better to refuse soon than to hang for obstore's own three minutes.
    return S3Store.from_url(
        place,
        client_options={
            "allow_http": True,  # an endpoint of one's own, in the same house, may speak it
            "connect_timeout": timedelta(seconds=5),
            "timeout": timedelta(seconds=30),
        },
        retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=20)},
    )


def _settle(folder: Path, key: str) -> None:
    """Carry a file that was renamed into place, and the folders that lead to it, through the disk's cache."""
    path = folder / key
    for settled in (path, *(parent for parent in path.parents if parent.is_relative_to(folder))):
        handle = os.open(settled, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
