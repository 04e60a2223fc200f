"""The API as one application, and the document that describes it: `/api/v1/openapi.json`."""

from collections.abc import Iterable, Iterator
from typing import Any, Final, get_args, get_origin

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.paging import Page
from app.api.problems import Problem, answer_with_problems
from app.api.rates import Reads
from app.language import Language

PATH: Final = "/api/v1"
TITLE: Final = "Community Organisation Market"
ABOUT: Final = """
What shoppers and desks do in the market, for programs.

* **Money** is whole satang (`…_satang`), **amounts** thousandths of the sale unit (`…_milli`: 500 is half a kilo),
  **weights** grams (`…_g`), **times** UTC.
* **Names** come in Thai and, where somebody wrote it, in English: `{"th": "…", "en": "…"}`.
* **A no** is a problem (RFC 9457) with its words in both languages; `Accept-Language` chooses `detail`.
* **Changing calls** take an `Idempotency-Key`: the same key and request get the same answer, byte for byte.
* **Lists** come in pages; `next` is the `cursor` of the page after.
* **Reads** carry an `ETag`; `If-None-Match` answers 304 while nothing changed.
* **Too often** is 429 with `Retry-After`.
* **Desks** need a token (`Authorization: Bearer mkt_…`), made on your desk; shoppers need none.
"""
TAGS: Final = (
    ("Catalogue", "What is on sale, from whom, and where."),
    ("Basket", "Collect goods of many groups; see at once what they cost and how they can be paid."),
    ("Orders", "Place an order, pay it, follow it."),
    ("Desk", "What a group, a centre and the network do with their goods and orders."),
)


_IF_NONE_MATCH: Final = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The `ETag` of an answer you still have.",
    "schema": {"type": "string"},
}


def create_api(rooms: Iterable[APIRouter]) -> FastAPI:
    """Return the API as an application to be mounted at `PATH`."""
    api = FastAPI(
        title=TITLE,
        version="1",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        middleware=[Middleware(AcceptLanguage)],
    )
    # Taken over as they are: including them would rebuild each route without what `ApiRoute` added to it.
    for room in rooms:
        api.router.routes.extend(room.routes)
    api.state.reads = Reads()
    answer_with_problems(api)
    api.openapi = lambda: _document(api)  # type: ignore[method-assign]  # FastAPI's own way to change the document
    return api


class AcceptLanguage:
    """Programs say their language in a header: Thai, unless English is preferred."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (asked := Headers(scope=scope).get("accept-language")):
            scope["state"] = {**scope.get("state", {}), "lang": preferred(asked)}
        await self.app(scope, receive, send)


def preferred(accept_language: str) -> Language:
    """Read `Accept-Language`: English when it ranks above Thai.  What cannot be read counts as not said."""
    ranks = dict(_ranks(accept_language))
    anything = ranks.get("*", 0.0)
    return "en" if ranks.get("en", anything) > ranks.get("th", anything) else "th"


def _ranks(accept_language: str) -> Iterator[tuple[str, float]]:
    for each in accept_language.split(","):
        name, _, rank = each.partition(";q=")
        try:
            yield name.strip().lower().partition("-")[0], float(rank or 1)
        except ValueError:
            continue


def _document(api: FastAPI) -> dict[str, Any]:
    if api.openapi_schema is None:
        api.openapi_schema = get_openapi(
            title=api.title,
            version=api.version,
            description=ABOUT.strip(),
            routes=api.routes,
            tags=[{"name": name, "description": about} for name, about in TAGS],
            servers=[{"url": PATH}],
        )
        schemas = api.openapi_schema.setdefault("components", {}).setdefault("schemas", {})
        schemas |= _schemas_of(Problem)
        _put_etags(api.openapi_schema)
        _put_examples(api.openapi_schema, api.routes)
    return api.openapi_schema


def _schemas_of(model: Any) -> dict[str, Any]:
    schema = model.model_json_schema(mode="serialization", ref_template="#/components/schemas/{model}")
    return {**schema.pop("$defs", {}), model.__name__: schema}


def _put_etags(document: dict[str, Any]) -> None:
    """Every read that answers JSON can be asked for by ETag: `app.page_memory` sees to it."""
    for operation in (operations["get"] for operations in document["paths"].values() if "get" in operations):
        told = operation["responses"]["200"]
        if "application/json" in told["content"]:
            told.setdefault("headers", {})["ETag"] = {"schema": {"type": "string"}}
            operation.setdefault("parameters", []).append(dict(_IF_NONE_MATCH))
            operation["responses"]["304"] = {"description": "Nothing changed since the answer of that ETag."}


def _put_examples(document: dict[str, Any], routes: Iterable[BaseRoute]) -> None:
    """Show models' examples where they are sent and answered, which is where tools look for them.

    Taken from the models themselves: FastAPI leaves every null out of what it writes.
    """
    for schema in document["components"]["schemas"].values():
        schema.pop("examples", None)
    for route in (each for each in routes if isinstance(each, APIRoute)):
        for method in route.methods or ():
            operation = document["paths"][route.path_format][method.lower()]
            answered = operation["responses"][str(route.status_code or 200)]
            _put(answered, route.response_model)
            if route.body_field is not None:
                _put(operation["requestBody"], route.body_field.field_info.annotation)


def _put(body: dict[str, Any], model: Any) -> None:
    example = _example_of(model)
    if example is not None and "application/json" in body.get("content", {}):
        body["content"]["application/json"].setdefault("examples", {"usual": {"value": example}})


def _example_of(model: Any) -> Any:
    """Return the example of a model, of a list of one, or of a page of one."""
    if get_origin(model) is list:
        return [_example_of(get_args(model)[0])]
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return None
    if issubclass(model, Page):
        return {"items": [_example_of(model.__pydantic_generic_metadata__["args"][0])], "next": None}
    extra = model.model_config.get("json_schema_extra")
    examples = extra.get("examples") if isinstance(extra, dict) else None
    return examples[0] if isinstance(examples, list) and examples else None
