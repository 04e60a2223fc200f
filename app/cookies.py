"""Cookies: few, never readable by scripts, tied to this host alone once the market is served over HTTPS."""

from datetime import timedelta

from starlette.requests import HTTPConnection
from starlette.responses import Response

from app.settings import settings


def read(request: HTTPConnection, name: str) -> str | None:
    return request.cookies.get(_full(name))


def keep(response: Response, name: str, value: str, lasts: timedelta) -> None:
    """Give the browser a cookie for that long."""
    response.set_cookie(
        _full(name),
        value,
        max_age=int(lasts.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=settings().is_https,
        path="/",
    )


def drop(response: Response, name: str) -> None:
    response.delete_cookie(_full(name), httponly=True, samesite="lax", secure=settings().is_https, path="/")


def _full(name: str) -> str:
    """The `__Host-` prefix makes browsers refuse the cookie from any other host or over plain HTTP."""
    return f"__Host-{name}" if settings().is_https else name
