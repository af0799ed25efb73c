"""A first-come, first-served queue before the connection pool."""

import asyncio
from types import TracebackType

from sqlalchemy.exc import TimeoutError as PoolTimeoutError


class FairQueue:
    """Admit as many callers at once as the pool has connections.

    SQLAlchemy's own queue lets newcomers overtake waiting callers. `in_use` and `waiting` count the callers.
    """

    def __init__(self, size: int, timeout: float) -> None:
        self.in_use = 0
        self.waiting = 0
        self._places = asyncio.Semaphore(size)
        self._timeout = timeout

    async def acquire(self) -> None:
        """Wait for a place.

        Raises:
            sqlalchemy.exc.TimeoutError: No place was free within the timeout.
        """
        if not self._places.locked():
            await self._places.acquire()
        else:
            await self._wait()
        self.in_use += 1

    async def _wait(self) -> None:
        self.waiting += 1
        try:
            async with asyncio.timeout(self._timeout):
                await self._places.acquire()
        except TimeoutError as error:
            raise PoolTimeoutError("no database connection was free in time; nothing was changed") from error
        finally:
            self.waiting -= 1

    def release(self) -> None:
        self.in_use -= 1
        self._places.release()

    async def __aenter__(self) -> None:
        await self.acquire()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
