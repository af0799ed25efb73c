"""Changes of one task take turns within this process."""

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from todo_api.domain.errors import ContentionError


class Turns:
    """One turn at a time for each key, first come, first served.

    The repository alone keeps changes from overwriting one another. Without turns, though, N changes of one task at
    the same moment would be N tries of which all but one lose, again and again: work that grows with the square of N.
    """

    def __init__(self, patience: float) -> None:
        """Take how many seconds to wait for a turn."""
        self._patience = patience
        self._locks: WeakValueDictionary[Hashable, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def take(self, key: Hashable) -> AsyncIterator[None]:
        """Wait for the turn and hold it.

        Raises:
            ContentionError: It did not come in time.
        """
        lock = self._locks.get(key)
        if lock is None:
            lock = self._locks[key] = asyncio.Lock()
        try:
            async with asyncio.timeout(self._patience):
                await lock.acquire()
        except TimeoutError as error:
            raise ContentionError("too many changes of this task are waiting; nothing was changed") from error
        try:
            yield
        finally:
            lock.release()
