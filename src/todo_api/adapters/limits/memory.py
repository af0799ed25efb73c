"""Counts in the memory of one process, with the methods of the `limits` library's storages.

The library's own storage looks at all of its keys at each request. This one drops the oldest windows when it starts a
new one, so the cost of a request does not grow with the number of users.
"""

from time import time

_DROPPED_AT_ONCE = 2  # more than are started, so that the number of ended windows shrinks


class ProcessStorage:
    """Counts in windows that all have the same length."""

    def __init__(self) -> None:
        self._windows: dict[str, tuple[float, int]] = {}  # end and count of each, in the order of their ends

    def __len__(self) -> int:
        """Return how many windows are kept."""
        return len(self._windows)

    async def incr(self, key: str, expiry: float) -> int:
        """Increment the count, in a new window of `expiry` seconds if there is none, and return it."""
        now = time()
        ends, count = self._windows.get(key, (0.0, 0))
        if ends <= now:
            self._windows.pop(key, None)
            self._drop_ended(now)
            ends, count = now + expiry, 0
        self._windows[key] = ends, count + 1
        return count + 1

    async def get(self, key: str) -> int:
        ends, count = self._windows.get(key, (0.0, 0))
        return count if ends > time() else 0

    async def get_expiry(self, key: str) -> float:
        """Return the end of the window in seconds since 1970."""
        return self._windows.get(key, (time(), 0))[0]

    def _drop_ended(self, now: float) -> None:
        for _ in range(_DROPPED_AT_ONCE):
            oldest = next(iter(self._windows), None)
            if oldest is None or self._windows[oldest][0] > now:
                return
            del self._windows[oldest]
