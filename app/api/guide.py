"""The page for people who write programs: how the API is used, and all it can do, made from its own document."""

from itertools import groupby
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response

from app.api.openapi import PATH
from app.pages import public_page

router = APIRouter()


@router.get("/api", name="api_guide")
async def api_guide(request: Request) -> Response:
    api: FastAPI = request.app.state.api
    return public_page(request, "app/api.html", path=PATH, rooms=_rooms(api.openapi()))


def _rooms(document: dict[str, Any]) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """Every operation as (method, path, what it does), by room, in the document's order."""
    found = [
        (operation["tags"][0], method.upper(), path, operation.get("description", operation["summary"]))
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    ]
    places = {tag["name"]: n for n, tag in enumerate(document["tags"])}
    found.sort(key=lambda each: places.get(each[0], len(places)))
    return [
        (room, [(method, path, about.partition("\n")[0]) for _, method, path, about in same])
        for room, same in groupby(found, key=lambda each: each[0])
    ]
