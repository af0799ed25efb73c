"""The change feed within one process: an adapter polls the database for what other processes write."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from todo_api.domain.errors import FeedClosedError


class InMemoryListener:
    """Waits for what the feed of this process announces."""

    def __init__(self) -> None:
        """Start with nothing to tell."""
        self._news = asyncio.Event()
        self._closed = False

    async def wait(self) -> None:
        """Return when something has been announced since the call before."""
        if not self._closed:
            await self._news.wait()
        if self._closed:
            raise FeedClosedError
        self._news.clear()

    def wake(self) -> None:
        """Let `wait` return."""
        self._news.set()

    def close(self) -> None:
        """Let `wait` raise FeedClosedError."""
        self._closed = True
        self._news.set()


class InMemoryChangeFeed:
    """Tells the listeners of this process what it announces: all there is to tell, where it is the only one."""

    def __init__(self) -> None:
        """Start without listeners."""
        self._listeners: defaultdict[str, set[InMemoryListener]] = defaultdict(set)
        self._closed = False

    @property
    def users(self) -> Collection[str]:
        """The users to whose changes somebody listens."""
        return self._listeners.keys()

    def announce(self, user_id: str) -> None:
        """Wake the user's listeners."""
        for listener in self._listeners.get(user_id, ()):
            listener.wake()

    @contextmanager
    def listen(self, user_id: str) -> Iterator[InMemoryListener]:
        """Listen to the user's changes."""
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
        """End the waiting of all listeners, now and later."""
        if self._closed:
            return
        self._closed = True
        for listeners in self._listeners.values():
            for listener in listeners:
                listener.close()
