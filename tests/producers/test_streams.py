"""Streams: one default per kind, made when it is needed."""

import asyncio

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import sessions
from app.errors import NotFound
from producers import streams
from producers.streams import Stream, StreamKind
from tests.producers import factories as make


async def test_two_at_once_get_the_same_default_stream(session: AsyncSession) -> None:
    group = await make.group(session)
    await session.commit()

    async def ask() -> Stream:
        async with sessions()() as asking, asking.begin():
            return await streams.stream_for(asking, group.id, StreamKind.homestay)

    found = await asyncio.gather(ask(), ask(), ask())

    assert len({stream.id for stream in found}) == 1


async def test_a_stream_of_another_group_does_not_exist(session: AsyncSession) -> None:
    mine, theirs = await make.group(session), await make.group(session)
    stream = await make.stream(session, theirs)

    with pytest.raises(NotFound):
        await streams.stream_of(session, mine.id, stream.id)


async def test_a_closed_stream_keeps_its_place(session: AsyncSession) -> None:
    group = await make.group(session)
    first = await make.stream(session, group)
    second = await streams.open_stream(session, group.id, StreamKind.goods, "ข้าวเม่าราง")
    streams.close(first)

    assert [stream.id for stream in await streams.streams_of(session, group.id)] == [first.id, second.id]
