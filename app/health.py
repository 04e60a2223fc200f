"""Is this process alive, and can it work?  Asked by supervisors, proxies and Prometheus, not by people.

`/healthz` asks nobody else: a process that answers is alive, and killing it would not bring a database back.
`/readyz` says whether requests should come here: the database answers in time and has the tables this code knows.
Files and mail being away is told, yet pages can be shown and orders placed without them.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app import database, files, mail
from app.short_memory import ShortMemory

DATABASE_SECONDS = 3.0
"""A process that waits longer for its database, or for a free connection to it, had better get no more requests."""
TOLD_SECONDS = 2.0
TOLD_KEPT_SECONDS = 15.0
"""How long what was told of files and mail is believed."""
OK, AWAY, NOT_SET = "ok", "away", "not set"

router = APIRouter()


class Neighbours:
    """What the market does without for a while; asked seldom, however often somebody asks us."""

    def __init__(self, asked: dict[str, Callable[[], Awaitable[bool | None]]]) -> None:
        self.asked = asked
        self.told: ShortMemory[dict[str, str]] = ShortMemory(1)

    async def tell(self) -> dict[str, str]:
        """Return a word for each: ok, away or not set."""
        return await self.told.recall("all", TOLD_KEPT_SECONDS, self._ask)

    async def _ask(self) -> dict[str, str]:
        words = await asyncio.gather(*(self._word(ask) for ask in self.asked.values()))
        return dict(zip(self.asked, words, strict=True))

    @staticmethod
    async def _word(ask: Callable[[], Awaitable[bool | None]]) -> str:
        try:
            async with asyncio.timeout(TOLD_SECONDS):
                answer = await ask()
        except TimeoutError:
            return AWAY
        return NOT_SET if answer is None else OK if answer else AWAY


def neighbours() -> Neighbours:
    return Neighbours({"files": files.is_in_reach, "mail": mail.is_in_reach})


@router.get("/healthz", name="healthz")
async def healthz(request: Request) -> PlainTextResponse:
    is_alive: Callable[[], bool] | None = getattr(request.app.state, "is_alive", None)
    if is_alive is not None and not is_alive():
        return PlainTextResponse("stuck", HTTPStatus.SERVICE_UNAVAILABLE)
    return PlainTextResponse("alive")


@router.get("/readyz", name="readyz")
async def readyz(request: Request) -> JSONResponse:
    state = request.app.state
    database_word, told = await asyncio.gather(_database(state.revisions), state.neighbours.tell())
    is_ready = database_word in {OK, "newer"}
    return JSONResponse(
        {"ready": is_ready, "database": database_word, **told},
        HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE,
        headers={"Cache-Control": "no-store"},
    )


async def _database(known: Sequence[str]) -> str:
    """`known` are the revisions this code knows, the newest first.  A newer market's tables are no trouble."""
    try:
        async with asyncio.timeout(DATABASE_SECONDS), database.engine().connect() as connection:
            found = await connection.scalar(text("SELECT version_num FROM alembic_version"))
    except (OSError, TimeoutError):
        return AWAY
    except SQLAlchemyError as error:
        return "not migrated" if "UndefinedTable" in str(error) else AWAY
    if found == known[0]:
        return OK
    return "behind: run `market migrate`" if found in known else "newer"
