"""One line and one measurement per request, under an id that the reader, the log, the jobs and the mails share.

The id comes from the proxy (`X-Request-ID`, when it looks like one) or is made here.  It goes back in the answer's
header, stands on error pages, and travels with every job that the request leaves behind (`app.jobs.request_id`).

A line tells the route, not the address: addresses hold order links, invitations and words that people searched for.
It names a person only on the desks, where people work for others and must be able to answer for it.
"""

import logging
import os
import re
import time
from dataclasses import dataclass
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import jobs, meters
from app.settings import settings

NO_ROUTE = "(none)"
"""An address that leads nowhere: told as one, or strangers could fill the figures with their inventions."""
UNWRITTEN = frozenset({"/healthz", "/readyz", "/metrics"})
"""Asked every few seconds by machines: measured, but written only when the answer is no."""
DESKS = ("/desk", "/staff")
_ID = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")

log = logging.getLogger("market.access")


@dataclass(slots=True)
class Story:
    """What is told of one request; found as `scope["story"]`."""

    id: str
    route: str = NO_ROUTE
    person: str | None = None
    status: int = 0
    """0: the reader was gone before we answered."""


class RequestLog:
    """Outermost: names the request, measures it, and writes its line."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.slow_seconds = settings().slow_request_ms / 1000

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        scope["story"] = story = Story(_id_of(scope))
        name = (b"x-request-id", story.id.encode())

        async def send_named(message: Message) -> None:
            if message["type"] == "http.response.start":
                story.status = message["status"]
                message["headers"] = [*message["headers"], name]
            await send(message)

        # Never taken back: what is written after us, such as an error in the doors, is of this request too.
        jobs.request_id.set(story.id)
        try:
            await self.app(scope, receive, send_named)
        finally:
            self._tell(scope, story, time.perf_counter() - began)

    def _tell(self, scope: Scope, story: Story, seconds: float) -> None:
        method: str = scope["method"] if scope["method"] in METHODS else "OTHER"
        meters.request_done(method, story.route, story.status, seconds)
        level = self._level(story, seconds)
        if not log.isEnabledFor(level) or (story.route in UNWRITTEN and story.status == HTTPStatus.OK):
            return
        path, ms = scope["path"], round(seconds * 1000, 1)
        told = {
            "method": method,
            "route": story.route,
            "status": story.status,
            "ms": ms,
            "lang": "en" if path == "/en" or path.startswith("/en/") else "th",
            "request_id": story.id,
        }
        if story.person:
            told["person"] = story.person
        slow = " slow" if seconds > self.slow_seconds else ""
        # Made by hand: to look for the caller, as log.info() does, would cost more than all the rest.
        line = f"{method} {story.route} {story.status} {ms} ms{slow}"
        record = logging.LogRecord(log.name, level, __file__, 0, line, None, None)
        record.told = told
        log.handle(record)

    def _level(self, story: Story, seconds: float) -> int:
        if story.status >= HTTPStatus.INTERNAL_SERVER_ERROR or seconds > self.slow_seconds:
            return logging.WARNING
        return logging.INFO


class RouteNoted:
    """Innermost: tells the story which route the request took, and who sat at the desk."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        finally:
            story: Story | None = scope.get("story")
            if story is not None:
                story.route = _route_of(scope)
                if story.route.startswith(DESKS):
                    story.person = _person_of(scope)


METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def story_of(scope: Scope) -> Story | None:
    """The story of this request; None outside of `RequestLog`, as in tests of a single door."""
    story: Story | None = scope.get("story")
    return story


def _id_of(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _ID.fullmatch(value):
            return str(value, "ascii")
    return os.urandom(6).hex()


def _route_of(scope: Scope) -> str:
    """The template of the route, below where its application is mounted; of static files their folder alone."""
    path = getattr(scope.get("route"), "path", None)
    if path is None and "endpoint" not in scope:
        return NO_ROUTE
    return f"{scope.get('root_path', '')}{path or ''}" or NO_ROUTE


def _person_of(scope: Scope) -> str | None:
    person = getattr(scope.get("state", {}).get("scope"), "person", None)
    return str(person.id) if person is not None else None
