"""Locks by key, within this process."""

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from todo_api.domain.errors import ContentionError


class KeyedLocks:
    """A lock for each key, first come, first served; a lock exists only while it is held or waited for.

    The repository alone already prevents lost updates. But N concurrent changes of one task would lose the race and
    retry repeatedly, which costs O(N²) attempts. With the lock, it is O(N).
    """

    def __init__(self, timeout: float) -> None:
        """Wait at most `timeout` seconds for a lock."""
        self._timeout = timeout
        self._locks: WeakValueDictionary[Hashable, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def hold(self, key: Hashable) -> AsyncIterator[None]:
        """Hold the lock of a key for the duration of the block.

        Raises:
            ContentionError: The lock was not free in time.
        """
        lock = self._locks.get(key)
        if lock is None:
            lock = self._locks[key] = asyncio.Lock()
        try:
            async with asyncio.timeout(self._timeout):
                await lock.acquire()
        except TimeoutError as error:
            raise ContentionError("too many changes of this task are waiting; nothing was changed") from error
        try:
            yield
        finally:
            lock.release()
