"""schemathesis reads the API's own document and tries everything that stands there, as everybody there is.

Never a 5xx; no status, content type or shape of answer that the document does not tell of.  The market is a real one
over HTTP, with all that an address can name in it (tests/isolation/world.py).
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import APIOperation, GenerationMode
from schemathesis import Case as AnyCase
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from app import access, embedded, people
from app.api import tokens
from app.api.openapi import PATH
from tests.ground.databases import copy_of_template
from tests.ground.homes import NewHome
from tests.ground.servers import market_run
from tests.isolation.registry import Who
from tests.isolation.world import TwoWorlds, parameters_of, two_worlds

CHECKS: Any = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
CALLERS = (None, Who.packer, Who.editor, Who.owner, Who.coordinator, Who.staff)
Operation = APIOperation[Any, Any, Any, Any]
Case = AnyCase[Any]
NO_LIMIT = {"API_CHANGES_A_MINUTE": "10000000", "API_READS_A_MINUTE": "10000000"}
RUNS: Any = {
    "deadline": None,
    "database": None,
    "suppress_health_check": list(HealthCheck),
    "phases": [Phase.explicit, Phase.generate],
}


@dataclass(frozen=True)
class Api:
    url: str
    schema: Any
    worlds: TwoWorlds
    secrets: dict[Who | None, str]

    def sent(self, case: Case, who: Who | None, *, is_there: bool) -> None:
        """Send one case as that caller, to things that are there or to what was drawn, and judge the answer."""
        if is_there:
            case.path_parameters = self.path_parameters(case.operation, case.path_parameters)
        answer = case.call(base_url=self.url + PATH, headers=self.headers(who), timeout=60)
        case.validate_response(answer, checks=CHECKS)

    def headers(self, who: Who | None) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.secrets[who]}"} if who else {}

    def path_parameters(self, operation: Operation, drawn: Any) -> dict[str, Any]:
        words, path = self.worlds.here.words, PATH + operation.path
        known = {}
        for end in parameters_of(path):
            key = max((key for key in words if end.endswith(key)), key=len)
            known[end.rpartition("{")[2].rstrip("}")] = words[key]
        return {**(drawn or {}), **known}


@pytest.fixture(scope="module")
async def api(test_server: embedded.Server, homes: NewHome) -> AsyncIterator[Api]:
    async with copy_of_template(test_server, f"test_{os.getpid()}_api") as url:
        engine = create_async_engine(url)
        secrets: dict[Who | None, str] = {}
        async with AsyncSession(engine, expire_on_commit=False) as session, session.begin():
            worlds = await two_worlds(session)
            await session.flush()
            for who in filter(None, CALLERS):
                scope = await access.scope_of(session, await people.signed_in(session, worlds.sessions[who]))
                secrets[who] = (await tokens.issue(session, scope, "all", tokens.SCOPES))[1]
        await engine.dispose()
        with market_run(homes(), DATABASE_URL=url, WEB_PROCESSES="1", LOG_LEVEL="WARNING", **NO_LIMIT) as market:
            schema = await asyncio.to_thread(schemathesis.openapi.from_url, f"{market.url}{PATH}/openapi.json")
            yield Api(market.url, schema, worlds, secrets)


def test_every_operation_answers_as_its_document_says(api: Api) -> None:
    assert try_every_operation(api, examples=2) == []


def test_walks_along_links_answer_as_their_document_says(api: Api) -> None:
    walk_along_links(api, walks=6, steps=6, derandomize=True)


@pytest.mark.long
def test_every_operation_answers_as_its_document_says_for_long(api: Api) -> None:
    assert try_every_operation(api, examples=100) == []


@pytest.mark.long
def test_long_walks_along_links_answer_as_their_document_says(api: Api) -> None:
    walk_along_links(api, walks=200, steps=20)


def try_every_operation(api: Api, examples: int) -> list[str]:
    """Try each operation with what fits and with what does not; return what was wrong, one line per operation."""
    operations = [found.ok() for found in api.schema.get_all_operations()]
    return [told for operation in operations for told in _tried(api, operation, examples)]


def _tried(api: Api, operation: Operation, examples: int) -> list[str]:
    wrong = []
    for mode in GenerationMode:
        try:
            _trial(api, operation, mode, examples)()
        except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001 - whatever schemathesis says
            if "Unsatisfiable" not in type(error).__name__:
                wrong.append(f"{operation.method.upper()} {operation.path} ({mode.value}): {_words(error)}")
    return wrong


def _trial(api: Api, operation: Operation, mode: GenerationMode, examples: int) -> Callable[[], None]:
    @seed(1)
    @settings(max_examples=examples, **RUNS)
    @given(case=operation.as_strategy(generation_mode=mode), who=st.sampled_from(CALLERS), is_there=st.booleans())
    def trial(case: Case, who: Who | None, is_there: bool) -> None:  # noqa: FBT001 - drawn
        api.sent(case, who, is_there=is_there)

    return trial


def walk_along_links(api: Api, walks: int, steps: int, *, derandomize: bool = False) -> None:
    class Walk(api.schema.as_state_machine()):  # type: ignore[misc]  # made at run time
        def get_call_kwargs(self, _case: Case) -> dict[str, Any]:
            return {"base_url": api.url + PATH, "timeout": 60}

        def validate_response(self, response: Any, case: Case, *_more: Any, **_named: Any) -> None:
            case.validate_response(response, checks=CHECKS)

    Walk.run(settings=settings(max_examples=walks, stateful_step_count=steps, derandomize=derandomize, **RUNS))


def _words(error: BaseException) -> str:
    several = getattr(error, "exceptions", None)
    return " | ".join(map(_words, several)) if several else str(error)[:1500]
