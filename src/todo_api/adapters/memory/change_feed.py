"""The change feed of one process. A poller announces the writes of other processes to it."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from todo_api.domain.errors import FeedClosedError


class InMemoryListener:
    """A Listener that the feed wakes."""

    def __init__(self) -> None:
        self._news = asyncio.Event()
        self._closed = False

    async def wait(self) -> None:
        if not self._closed:
            await self._news.wait()
        if self._closed:
            raise FeedClosedError
        self._news.clear()

    def wake(self) -> None:
        """Make `wait` return."""
        self._news.set()

    def close(self) -> None:
        """Make `wait` raise FeedClosedError."""
        self._closed = True
        self._news.set()


class InMemoryChangeFeed:
    """A ChangeFeed for the listeners of this process."""

    def __init__(self) -> None:
        self._listeners: defaultdict[str, set[InMemoryListener]] = defaultdict(set)
        self._closed = False

    @property
    def users(self) -> Collection[str]:
        return self._listeners.keys()

    def announce(self, user_id: str) -> None:
        for listener in self._listeners.get(user_id, ()):
            listener.wake()

    @contextmanager
    def listen(self, user_id: str) -> Iterator[InMemoryListener]:
        listener = InMemoryListener()
        self._listeners[user_id].add(listener)
        if self._closed:
            listener.close()
        try:
            yield listener
        finally:
            self._listeners[user_id].discard(listener)
            if not self._listeners[user_id]:
                del self._listeners[user_id]

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        for listeners in self._listeners.values():
            for listener in listeners:
                listener.close()
