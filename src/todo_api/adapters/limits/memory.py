"""A storage of the `limits` library in the memory of one process.

The library's own looks at all of its keys at each request. This one drops the oldest windows when it starts a new one,
so the cost of a request does not grow with the number of users.
"""

from time import time

from limits.aio.storage import Storage

_DROPPED_AT_ONCE = 2  # more than are started, so that the number of ended windows shrinks


class ProcessStorage(Storage):
    """Counts in windows that all have the same length."""

    STORAGE_SCHEME = None

    def __init__(self) -> None:
        super().__init__()
        self._windows: dict[str, tuple[float, int]] = {}  # end and count of each, in the order of their ends

    @property
    def base_exceptions(self) -> tuple[type[Exception], ...]:
        return ()

    async def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Increment the count, in a new window of `expiry` seconds if there is none, and return it."""
        now = time()
        ends, count = self._windows.get(key, (0.0, 0))
        if ends <= now:
            self._windows.pop(key, None)
            self._drop_ended(now)
            ends, count = now + expiry, 0
        self._windows[key] = ends, count + amount
        return count + amount

    async def get(self, key: str) -> int:
        ends, count = self._windows.get(key, (0.0, 0))
        return count if ends > time() else 0

    async def get_expiry(self, key: str) -> float:
        """Return the end of the window in seconds since 1970."""
        return self._windows.get(key, (time(), 0))[0]

    async def check(self) -> bool:
        return True

    async def reset(self) -> int:
        """Drop all counts, and return their number."""
        dropped = len(self._windows)
        self._windows.clear()
        return dropped

    async def clear(self, key: str) -> None:
        self._windows.pop(key, None)

    def _drop_ended(self, now: float) -> None:
        for _ in range(_DROPPED_AT_ONCE):
            oldest = next(iter(self._windows), None)
            if oldest is None or self._windows[oldest][0] > now:
                return
            del self._windows[oldest]
