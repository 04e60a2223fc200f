"""The document of the API: it is what it says it is, and everything it shows as an example holds."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from app.api.openapi import PATH, preferred

SHOPPERS = {"Catalogue", "Basket", "Orders"}


@pytest.fixture
async def document(market: FastAPI) -> dict[str, Any]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=market), base_url="http://market.test") as client:
        return dict((await client.get(f"{PATH}/openapi.json")).json())


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def test_it_is_an_openapi_document(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    validate(document)


def test_every_example_fits_its_schema(document: dict[str, Any]) -> None:
    wrong = [
        f"{where} {name}: {error.message}"
        for where, content in contents(document)
        for name, example in content.get("examples", {}).items()
        for error in checker(document, content["schema"]).iter_errors(example["value"])
    ]
    assert wrong == []


def test_every_body_that_is_sent_or_answered_shows_an_example(document: dict[str, Any]) -> None:
    bare = [
        where
        for where, content in contents(document)
        if "$ref" in content["schema"] and not content.get("examples") and "Body_" not in content["schema"]["$ref"]
    ]
    assert bare == []


def test_links_lead_to_operations_that_are_there(document: dict[str, Any]) -> None:
    known = {operation["operationId"] for _, operation in operations(document)}
    links = {
        link["operationId"]
        for _, operation in operations(document)
        for answer in operation["responses"].values()
        for link in answer.get("links", {}).values()
    }
    assert {"quote_basket", "place_order", "follow_order"} <= links <= known


def test_every_change_says_how_it_is_repeated_and_every_call_how_often(document: dict[str, Any]) -> None:
    for where, operation in operations(document):
        headers = {each["name"]: each["required"] for each in operation.get("parameters", []) if each["in"] == "header"}
        assert "Retry-After" in operation["responses"]["429"]["headers"], where
        if not where.startswith("GET"):
            assert headers["Idempotency-Key"] is ("201" in operation["responses"]), where
            assert "409" in operation["responses"], where


def test_every_operation_has_its_room_and_says_what_it_is_for(document: dict[str, Any]) -> None:
    tags = {tag["name"] for tag in document["tags"]}
    for where, operation in operations(document):
        assert set(operation["tags"]) <= tags, where
        assert operation["operationId"].islower(), where
    assert tags >= SHOPPERS


@pytest.mark.parametrize(
    ("asked", "lang"),
    [
        ("th", "th"),
        ("en", "en"),
        ("en-GB,en;q=0.9,th;q=0.8", "en"),
        ("th-TH,th;q=0.9,en;q=0.8", "th"),
        ("fr", "th"),
        ("en;q=loud", "th"),
        ("*", "th"),
    ],
)
def test_the_preferred_language_is_read(asked: str, lang: str) -> None:
    assert preferred(asked) == lang


def contents(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for where, operation in operations(document):
        for status, body in {"sent": operation.get("requestBody", {}), **operation["responses"]}.items():
            for content in body.get("content", {}).values():
                yield f"{where} {status}", content


def checker(document: dict[str, Any], schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator({**schema, "components": document["components"]})


async def test_people_read_what_programs_can_do(client: httpx.AsyncClient, database: str) -> None:
    thai, english = [await client.get(path) for path in ("/api", "/en/api")]

    assert "POST /orders" in thai.text
    assert "The market for programs" in english.text
    assert "The market for programs" not in thai.text
