"""The route table as the application answers it: every method and path, those of applications mounted inside it too."""

from collections.abc import Iterable, Iterator
from typing import Any

from fastapi import FastAPI

NO_METHODS_OF_ITS_OWN = {"HEAD", "OPTIONS"}
"""They do what GET does, or nothing."""


def routes_of(app: FastAPI) -> list[str]:
    """Return "METHOD /path" of everything that can be asked for; folders of files are no routes."""
    return sorted(set(_walk(app.routes, "")))


def _walk(routes: Iterable[Any], prefix: str) -> Iterator[str]:
    for route in routes:
        inner = _inside(route)
        path = prefix + (getattr(route, "path", None) or "")
        if inner is not None:
            yield from _walk(inner, path if _is_mount(route) else prefix)
        else:
            for method in set(getattr(route, "methods", None) or ()) - NO_METHODS_OF_ITS_OWN:
                yield f"{method} {path}"


def _inside(route: Any) -> Iterable[Any] | None:
    """What stands behind an included router or a mounted application; None for a route."""
    if hasattr(route, "effective_candidates"):
        candidates: Iterable[Any] = route.effective_candidates()
        return candidates
    if _is_mount(route):
        return getattr(route, "routes", None) or ()
    return None


def _is_mount(route: Any) -> bool:
    return hasattr(route, "app") and not getattr(route, "methods", None)
