"""Long lists, a page at a time: a cursor names the place where the next page begins, so nothing comes twice.

A cursor is opaque: programs send it back as it came.
"""

import base64
import json
from typing import Annotated, Any, Final, Generic, TypeVar

from fastapi import Query, Request, Response
from pydantic import BaseModel, Field

from app.errors import Refusal
from app.language import N_

Item = TypeVar("Item")

USUAL: Final = 24
MOST: Final = 100
_LONGEST: Final = 2000

Limit = Annotated[int, Query(ge=1, le=MOST, description="How many at most.")]
Cursor = Annotated[str | None, Query(max_length=_LONGEST, description="`next` of the page before.")]


class BrokenCursor(Refusal):
    status = 422
    message = N_("This cursor is not one of ours. Please begin at the first page.")


class Page(BaseModel, Generic[Item]):
    """One page of a list."""

    items: list[Item]
    next: str | None = Field(description="Cursor of the page after this one; null on the last.")


def page(request: Request, response: Response, items: list[Item], cursor: str | None) -> Page[Item]:
    """Return a page, and say in the header Link where the next one is."""
    if cursor is not None:
        there = request.url.include_query_params(cursor=cursor)
        response.headers["Link"] = f'<{there.path}?{there.query}>; rel="next"'
    return Page(items=items, next=cursor)


def written(*place: str | int) -> str:
    """Write a place in a list's order as a cursor."""
    text = json.dumps(place, ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode()


def place_of(cursor: str, *kinds: type) -> tuple[Any, ...]:
    """Read a cursor's place, whose parts are of these kinds; refuses with `BrokenCursor`."""
    try:
        place = json.loads(base64.urlsafe_b64decode(cursor.encode("ascii")))
        if [type(each) for each in place] != list(kinds) or any(
            "\0" in each for each in place if isinstance(each, str)
        ):
            raise BrokenCursor(field="cursor")
        return tuple(place)
    except (ValueError, TypeError, RecursionError):
        raise BrokenCursor(field="cursor") from None
