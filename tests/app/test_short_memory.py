"""What is kept for some seconds: found out once for all who ask meanwhile, and again when it is old."""

import asyncio

import pytest

from app.short_memory import ShortMemory


class Shelves:
    """Counts how often somebody went to look."""

    def __init__(self) -> None:
        self.looks = 0

    async def count(self) -> int:
        self.looks += 1
        await asyncio.sleep(0.01)
        return self.looks


async def test_everybody_who_asks_meanwhile_gets_one_answer() -> None:
    shelves, memory = Shelves(), ShortMemory[int](9)

    answers = await asyncio.gather(*(memory.recall("rice", 60, shelves.count) for _ in range(5)))

    assert answers == [1] * 5


async def test_what_is_old_is_looked_for_again() -> None:
    shelves, memory = Shelves(), ShortMemory[int](9)
    await memory.recall("rice", 0.001, shelves.count)
    await asyncio.sleep(0.01)

    assert await memory.recall("rice", 60, shelves.count) == 2


async def test_without_seconds_nothing_is_kept() -> None:
    shelves, memory = Shelves(), ShortMemory[int](9)

    assert [await memory.recall("rice", 0, shelves.count) for _ in range(2)] == [1, 2]


async def test_only_what_was_asked_for_last_is_kept() -> None:
    shelves, memory = Shelves(), ShortMemory[int](2)
    for thing in ("rice", "fish", "rice", "salt", "rice"):
        await memory.recall(thing, 60, shelves.count)

    assert (await memory.recall("fish", 60, shelves.count), shelves.looks) == (4, 4)


async def test_another_ones_trouble_is_nobody_elses() -> None:
    shelves, memory = Shelves(), ShortMemory[int](9)

    async def fall() -> int:
        await asyncio.sleep(0.01)
        raise ConnectionError

    first = asyncio.create_task(memory.recall("rice", 60, fall))
    await asyncio.sleep(0)
    assert await memory.recall("rice", 60, shelves.count) == 1
    with pytest.raises(ConnectionError):
        await first
