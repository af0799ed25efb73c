"""A first-come, first-served queue before the connection pool."""

import asyncio
from typing import Literal

from sqlalchemy.exc import TimeoutError as PoolTimeoutError


class FairQueue(asyncio.Semaphore):
    """Admits at most as many callers at a time as the pool has connections.

    SQLAlchemy's own queue lets newcomers overtake waiting callers; a semaphore does not. `in_use` and `waiting` count
    the callers.
    """

    def __init__(self, size: int, timeout: float) -> None:
        super().__init__(size)
        self.in_use = 0
        self.waiting = 0
        self._timeout = timeout

    async def acquire(self) -> Literal[True]:
        """Wait for a place.

        Raises:
            sqlalchemy.exc.TimeoutError: No place was free within the timeout.
        """
        if self.locked():
            await self._wait()
        else:
            await super().acquire()
        self.in_use += 1
        return True

    async def _wait(self) -> None:
        self.waiting += 1
        try:
            async with asyncio.timeout(self._timeout):
                await super().acquire()
        except TimeoutError as error:
            raise PoolTimeoutError("no database connection was free in time; nothing was changed") from error
        finally:
            self.waiting -= 1

    def release(self) -> None:
        self.in_use -= 1
        super().release()
