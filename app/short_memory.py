"""What many readers ask for, changes slowly and is dear to find out: kept by each process for some seconds.

For figures beside the goods only (how many listings a choice would give); prices, stock and whatever somebody just
changed themselves are always read afresh.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class _Kept(Generic[Value]):
    value: Value
    fresh_until: float


class ShortMemory(Generic[Value]):
    """Keeps up to `most` values, those asked for last."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, _Kept[Value]] = OrderedDict()
        self._asked: dict[Hashable, asyncio.Future[Value]] = {}

    async def recall(self, key: Hashable, seconds: float, find: Callable[[], Awaitable[Value]]) -> Value:
        """Return what `find` found for the key within the last `seconds` (none: always afresh), or let it find out.

        Who asks while somebody finds out waits for that answer; when finding out fails, each asks for themselves.
        """
        if not seconds:
            return await find()
        kept = self._kept.get(key)
        if kept and kept.fresh_until > time.monotonic():
            self._kept.move_to_end(key)
            return kept.value
        if asked := self._asked.get(key):
            try:
                return await asyncio.shield(asked)
            except Exception:  # noqa: BLE001 - another request's trouble is not this one's
                return await find()
        return await self._find_out(key, seconds, find)

    async def _find_out(self, key: Hashable, seconds: float, find: Callable[[], Awaitable[Value]]) -> Value:
        begun = time.monotonic()
        self._asked[key] = asked = asyncio.get_running_loop().create_future()
        try:
            value = await find()
        except BaseException as trouble:
            asked.set_exception(RuntimeError(f"finding out failed: {trouble!r}"))
            asked.exception()  # looked at, whether or not anybody waits
            raise
        else:
            asked.set_result(value)
            self._keep(key, _Kept(value, begun + seconds))
            return value
        finally:
            del self._asked[key]

    def _keep(self, key: Hashable, kept: _Kept[Value]) -> None:
        self._kept.pop(key, None)
        self._kept[key] = kept
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
