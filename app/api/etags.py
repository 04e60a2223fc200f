"""Two programs that change one thing: whoever read an older state is told so (412) instead of overwriting the newer one.

Whoever sends `If-Match` with the `ETag` of what they read is safe; who sends none means it anyway.
"""

import hashlib
from typing import Annotated, Any, Final

from fastapi import Header, Response

from app.errors import Refusal
from app.language import N_

HEADER: Final = "ETag"

IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", max_length=200, description="The `ETag` you read: refused with 412 if it changed since."),
]


class ChangedMeanwhile(Refusal):
    status = 412
    message = N_("Somebody changed this since you read it. Please read it again.")


def etag_of(*state: Any) -> str:
    """Return a tag of everything that makes a state: values whose `repr` tells them apart."""
    return f'"{hashlib.sha256(repr(state).encode()).hexdigest()[:32]}"'


def refuse_if_changed(if_match: str | None, etag: str) -> None:
    """Refuse with `ChangedMeanwhile` unless one of the tags is today's; lock what is to be changed before."""
    if if_match is None or if_match.strip() == "*":
        return
    if etag not in {each.strip().removeprefix("W/") for each in if_match.split(",")}:
        raise ChangedMeanwhile


def tag(response: Response, etag: str) -> None:
    response.headers[HEADER] = etag
