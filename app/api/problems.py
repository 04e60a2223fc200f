"""A no for programs: RFC 9457 problem details, in both languages, with the fields they concern.

`type` names the refusal and stays the same in every language; `detail` is in the language that was asked for
(`Accept-Language`), `detail_th` and `detail_en` are always there, for programs that speak to people of both.
"""

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.routing import Route

from app.errors import NotFound, Refusal
from app.forms import message_of
from app.language import LANGUAGES, N_, Language, Message, wording
from app.pages import language_of

log = logging.getLogger(__name__)

MEDIA_TYPE: Final = "application/problem+json"
MOST_ERRORS: Final = 50
"""Fields that one answer names."""
COME_BACK: Final = frozenset({409, 429})
"""Statuses whose answers may say after how many seconds to try again."""
_PARAMETER: Final = re.compile(r"%\(\w+\)s")


class Unreadable(Refusal):
    """What was sent does not fit what the route takes; the problem's `errors` say where."""

    status = 422
    message = N_("Something in what you sent does not fit.")


class Malformed(Refusal):
    status = 400
    message = N_("What you sent is not well-formed JSON, or not a form as the route takes it.")


class WrongType(Refusal):
    status = 415
    message = N_("Send %(type)s here.")


class BodyTooLarge(Refusal):
    status = 413
    message = N_("What you sent is too large: at most %(most)s.")


class NoSuchThing(NotFound):
    """Also what is somebody else's."""

    message = N_("There is nothing here.")


class WrongMethod(Refusal):
    status = 405
    message = N_("This cannot be done here. The header Allow says what can.")


class OurFault(Refusal):
    status = 500
    message = N_("Something went wrong on our side. Nothing was done by halves; please try again in a minute.")


class FieldProblem(BaseModel):
    """What is wrong with one field of what was sent."""

    field: str = Field(description="Its place, with dots between steps: `buyer.phone`.")
    detail: str
    detail_th: str
    detail_en: str


class Problem(BaseModel):
    """A no (RFC 9457)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:market:total-changed",
                    "title": "Total changed",
                    "status": 409,
                    "detail": "The total is ฿95 now; you saw ฿90. Please look once more, then order.",
                    "detail_th": "ยอดรวมตอนนี้ ฿95 จากที่เห็น ฿90 ดูอีกครั้งแล้วค่อยสั่งนะคะ",
                    "detail_en": "The total is ฿95 now; you saw ฿90. Please look once more, then order.",
                    "errors": [],
                }
            ]
        }
    )

    type: str = Field(description="Names the refusal; the same in every language.")
    title: str
    status: int
    detail: str = Field(description="In the language of `Accept-Language`, Thai unless English is preferred.")
    detail_th: str
    detail_en: str
    errors: list[FieldProblem] = Field(description="The fields it concerns, if it concerns some.")


def problem(
    refusal: Refusal,
    lang: Language,
    errors: Sequence[tuple[str, Message]] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Write a refusal as problem details."""
    own = Message(refusal.message, refusal.params)
    fields = [*errors, *([(refusal.field, own)] if refusal.field else [])]
    content = {
        "type": type_of(type(refusal)),
        "title": title_of(type(refusal)),
        "status": refusal.status,
        **_details(own, lang),
        "errors": [{"field": field, **_details(message, lang)} for field, message in fields[:MOST_ERRORS]],
    }
    told = {"Cache-Control": "no-store", "Vary": "Accept-Language", **refusal.headers, **(headers or {})}
    return JSONResponse(content, refusal.status, headers=told, media_type=MEDIA_TYPE)


def responses_for(kinds: Iterable[type[Refusal]]) -> dict[int | str, dict[str, Any]]:
    """Describe refusals for the OpenAPI document, by status, each with an example."""
    found: dict[int | str, dict[str, Any]] = {}
    for kind in dict.fromkeys(kinds):
        title = title_of(kind)
        told = found.setdefault(str(kind.status), {"description": title, "content": {MEDIA_TYPE: _no_examples()}})
        if title not in told["description"]:
            told["description"] += f"; {title[0].lower()}{title[1:]}"
        told["content"][MEDIA_TYPE]["examples"][kind.__name__] = {"value": _example(kind)}
        if kind.status in COME_BACK:
            told["headers"] = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
    return found


def type_of(kind: type[Refusal]) -> str:
    return f"urn:market:{title_of(kind).lower().replace(' ', '-')}"


def title_of(kind: type[Refusal]) -> str:
    """Name a refusal in words: `TotalChanged` is "Total changed"."""
    return re.sub(r"(?<!^)(?=[A-Z])", " ", kind.__name__).capitalize()


def answer_with_problems(app: FastAPI) -> None:
    """Let every no of `app` be problem details."""
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(HTTPException, _framework_said_no)
    app.add_exception_handler(Exception, _unforeseen)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return problem(NoSuchThing() if type(error) is NotFound else error, language_of(request))


async def _unreadable(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    details = error.errors()
    if any(detail["type"] == "json_invalid" for detail in details):
        return problem(Malformed(), language_of(request))
    return problem(Unreadable(), language_of(request), [(_field(each["loc"]), message_of(each)) for each in details])


async def _framework_said_no(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    refusals = {404: NoSuchThing, 405: WrongMethod, 413: BodyTooLarge}
    refusal = refusals.get(error.status_code, Malformed)
    headers = {"Allow": _allowed(request)} if refusal is WrongMethod else error.headers
    return problem(refusal(), language_of(request), headers=headers)


async def _unforeseen(request: Request, error: Exception) -> Response:
    # The route and not the path, which may hold an order's secret.
    log.error(
        "unforeseen error at %s %s", request.method, getattr(request.scope.get("route"), "path", ""), exc_info=error
    )
    return problem(OurFault(), language_of(request))


def _no_examples() -> dict[str, Any]:
    return {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": {}}


def _example(kind: type[Refusal]) -> dict[str, Any]:
    """As an answer looks, with … where it would name what it is about."""
    th, en = (_PARAMETER.sub("…", wording(lang, kind.message)) for lang in LANGUAGES)
    details = {"detail": en, "detail_th": th, "detail_en": en}
    return {"type": type_of(kind), "title": title_of(kind), "status": kind.status, **details, "errors": []}


def _allowed(request: Request) -> str:
    """Every method that some route of this path takes; the framework names those of the first one only."""
    path = request.url.path.removeprefix(request.scope.get("root_path", ""))
    fitting = (route for route in request.app.routes if isinstance(route, Route) and route.path_regex.match(path))
    return ", ".join(sorted({method for route in fitting for method in route.methods or ()}))


def _field(steps: Iterable[Any]) -> str:
    """Where in what was sent: without the word for body or query, which programs know."""
    return ".".join(str(step) for step in list(steps)[1:])


def _details(message: Message, lang: Language) -> dict[str, str]:
    return {
        "detail": message.reading(lang),
        "detail_th": message.reading("th"),
        "detail_en": message.reading("en"),
    }
