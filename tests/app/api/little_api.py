"""An API of two routes, to see what every route of the market's API has."""

from typing import Annotated

from fastapi import APIRouter, FastAPI
from pydantic import Field
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import limits
from app.api.openapi import create_api
from app.api.route import refuses, room
from app.api.shapes import Sent
from app.api.tokens import Caller, needs
from app.database import Session
from app.errors import Refusal
from app.limits import Attempt


class OutOfInk(Refusal):
    message = "No ink for %(word)s."


class Word(Sent):
    word: Annotated[str, Field(max_length=20)]


class Written(Sent):
    words: int
    """Written so far."""


def little_api() -> FastAPI:
    return create_api([_room()])


def _room() -> APIRouter:
    router = room("Book")

    @router.post("/words", status_code=201, responses=refuses(OutOfInk))
    async def write(session: Session, word: Word) -> Written:
        limits.count(session, word.word)
        if word.word == "blot":
            raise OutOfInk(word=word.word)
        await session.flush()
        return Written(words=await written(session))

    @router.delete("/words", status_code=200)
    async def tear_out(session: Session) -> Written:
        limits.count(session, "torn out")
        await session.flush()
        return Written(words=await written(session))

    @router.get("/words")
    async def count_words(session: Session, caller: Annotated[Caller, needs("orders:read")]) -> Written:
        assert caller.person.name
        return Written(words=await written(session))

    return router


async def written(session: AsyncSession) -> int:
    return await session.scalar(select(func.count()).select_from(Attempt)) or 0
