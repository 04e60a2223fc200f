"""A route of the API: everything that holds for all of them, so that a route function only calls its verb.

Before the function come the rate limit, the body's size and kind, the caller and the idempotency key; after it the
answer is kept under that key, inside the same transaction.  What each of these may refuse stands in the document.
"""

import json
from collections.abc import Callable, Coroutine, Iterator
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import unquote

from fastapi import APIRouter, Depends, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_parameterless_sub_dependant
from fastapi.params import Form
from fastapi.routing import APIRoute

from app.api import idempotency, rates, tokens
from app.api.idempotency import AnsweredBefore, KeyUsedOtherwise, StillAtWork
from app.api.problems import BodyTooLarge, Malformed, NoSuchThing, Unreadable, WrongType, responses_for
from app.api.rates import TooOften
from app.api.tokens import ScopeMissing, TokenNeeded, WrongToken, know_caller
from app.errors import Refusal
from app.language import N_

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
MOST_JSON_BYTES: Final = 256 * 1024
MOST_FORM_BYTES: Final = 21 * 1024 * 1024
"""One picture at its limit."""
_REFUSES: Final = "refuses"

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class NulInText(Refusal):
    status = 422
    message = N_("A text may not hold the character NUL.")


class ApiRoute(APIRoute):
    """What `room` makes of every route function."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        self.is_change = not SAFE.issuperset(options.get("methods") or {"GET"})
        own = options.pop("responses", None) or {}
        options["dependencies"] = [Depends(know_caller, scope="function"), *(options.get("dependencies") or ())]
        options["operation_id"] = options.get("operation_id") or endpoint.__name__
        super().__init__(path, endpoint, **options)
        if self.is_change:
            _append(
                self, idempotency.begin_with_key if self.status_code == HTTPStatus.CREATED else idempotency.begin_if_key
            )
        told: list[type[Refusal]] = [*_refusals_of(self), *own.get(_REFUSES, {}).get("kinds", ())]
        self.responses = {**responses_for(told), **{key: value for key, value in own.items() if key != _REFUSES}}

    def get_route_handler(self) -> Handler:
        answer = super().get_route_handler()
        is_change = self.is_change

        async def handle(request: Request) -> Response:
            await rates.refuse_when_too_often(request, is_change=is_change)
            await _refuse_unreadable(request, self)
            if not is_change:
                return await answer(request)
            try:
                made = await answer(request)
            except AnsweredBefore as known:
                return known.answer
            idempotency.keep(request, made)
            return made

        return handle


def room(tag: str) -> APIRouter:
    """The routes of one room of the API; `tag` is its name in the document."""
    return APIRouter(route_class=ApiRoute, tags=[tag])


def refuses(*kinds: type[Refusal]) -> dict[int | str, dict[str, Any]]:
    """For a route's `responses`: what its verb may refuse, besides what every route may."""
    return {_REFUSES: {"kinds": kinds}}


def _append(route: ApiRoute, dependency: Callable[..., Any]) -> None:
    """Add a dependency behind all others: what a route prepares outside of its transaction comes first."""
    depends = Depends(dependency, scope="function")
    route.dependant.dependencies.append(get_parameterless_sub_dependant(depends=depends, path=route.path_format))


def _refusals_of(route: ApiRoute) -> Iterator[type[Refusal]]:
    yield from (Unreadable, NulInText, WrongToken, TooOften)
    if _asks_for_token(route.dependant):
        yield from (TokenNeeded, ScopeMissing)
    if route.param_convertors:
        yield NoSuchThing
    if route.body_field:
        yield from (Malformed, BodyTooLarge, WrongType)
    if route.is_change:
        yield from (StillAtWork, KeyUsedOtherwise)


def _asks_for_token(dependant: Dependant) -> bool:
    return dependant.call is tokens.allowed or any(_asks_for_token(each) for each in dependant.dependencies)


async def _refuse_unreadable(request: Request, route: ApiRoute) -> None:
    """Refuse what no route function could make sense of, before anything is parsed or asked of the database."""
    if "\0" in unquote(request.url.query):
        raise NulInText
    if route.is_change:
        is_form = route.body_field is not None and isinstance(route.body_field.field_info, Form)
        body = await _body(request, MOST_FORM_BYTES if is_form else MOST_JSON_BYTES)
        if route.body_field is not None and body:
            _refuse_wrong_type(request, is_form=is_form)
            if not is_form and b"\\u0000" in body and _holds_nul(json.loads(body)):
                raise NulInText


async def _body(request: Request, most: int) -> bytes:
    """Read the whole body; it stays on the request for whoever parses it."""
    announced = request.headers.get("content-length", "")
    too_large = BodyTooLarge(most=f"{most // 1024} kB")
    if announced.isdigit() and int(announced) > most:
        raise too_large
    body = await request.body()
    if len(body) > most:
        raise too_large
    return body


def _refuse_wrong_type(request: Request, *, is_form: bool) -> None:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    fits = kind == "multipart/form-data" if is_form else kind == "application/json" or kind.endswith("+json")
    if not fits:
        raise WrongType(type="multipart/form-data" if is_form else "application/json")


def _holds_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(_holds_nul(each) for pair in value.items() for each in pair)
    return isinstance(value, list) and any(_holds_nul(each) for each in value)
