"""A storage for the `limits` library in the memory of one process.

The library's own looks at all of its keys whenever one is counted. This one forgets as many lapsed windows as it begins
new ones, from the oldest on: the work of a call does not grow with the number of users.
"""

from time import time

from limits.aio.storage import Storage

_FORGOTTEN_AT_ONCE = 2  # more than are begun, so that what has lapsed does get less


class ProcessStorage(Storage):
    """Counts in windows of one length, for FixedWindowRateLimiter."""

    STORAGE_SCHEME = None

    def __init__(self) -> None:
        """Start with nothing counted."""
        super().__init__()
        self._windows: dict[str, tuple[float, int]] = {}  # when each ends, and its count; in the order of the ends

    @property
    def base_exceptions(self) -> tuple[type[Exception], ...]:
        """Return the errors of a storage that is elsewhere: none."""
        return ()

    async def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count and return the count, in a new window of `expiry` seconds where none is open."""
        now = time()
        ends, count = self._windows.get(key, (0.0, 0))
        if ends <= now:
            self._windows.pop(key, None)
            self._forget(now)
            ends, count = now + expiry, 0
        self._windows[key] = ends, count + amount
        return count + amount

    async def get(self, key: str) -> int:
        """Return the count."""
        ends, count = self._windows.get(key, (0.0, 0))
        return count if ends > time() else 0

    async def get_expiry(self, key: str) -> float:
        """Return when the window ends, in seconds since 1970."""
        return self._windows.get(key, (time(), 0))[0]

    async def check(self) -> bool:
        """Say that it works."""
        return True

    async def reset(self) -> int:
        """Forget all counts and return how many there were."""
        forgotten = len(self._windows)
        self._windows.clear()
        return forgotten

    async def clear(self, key: str) -> None:
        """Forget a count."""
        self._windows.pop(key, None)

    def _forget(self, now: float) -> None:
        for _ in range(_FORGOTTEN_AT_ONCE):
            oldest = next(iter(self._windows), None)
            if oldest is None or self._windows[oldest][0] > now:
                return
            del self._windows[oldest]
