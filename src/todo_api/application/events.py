"""Live events: a stream of a user's changes, past ones first and then each as it happens."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime

from todo_api.application.change_feed import ChangeFeed, Listener
from todo_api.domain.changes import NO_CHANGES, Changes, SyncPoint
from todo_api.domain.errors import FeedClosedError, ForgottenRevisionError, RepositoryUnavailableError, TodoError
from todo_api.domain.ports import TaskRepository

PAGE_SIZE = 100


class TooManyStreamsError(TodoError):
    """The user has reached the limit of open streams."""

    def __init__(self, streams: int) -> None:
        super().__init__(f"you have {streams:,} open streams already; close one, or wait until one ends")
        self.streams = streams


class EventService:
    """Streams the changes of users' tasks."""

    def __init__(
        self, repository: TaskRepository, feed: ChangeFeed, *, clock: Callable[[], datetime], streams: int
    ) -> None:
        """Allow each user `streams` open streams in this process."""
        self._repository = repository
        self._feed = feed
        self._clock = clock
        self._streams = streams
        self._open: Counter[str] = Counter()

    @property
    def streams(self) -> int:
        """The number of open streams."""
        return self._open.total()

    async def follow(
        self, user_id: str, since: SyncPoint, *, expires_at: float, keep_alive: float
    ) -> AsyncGenerator[Changes | None]:
        """Yield pages of the changes after a point, then of new changes: each change once.

        The first item comes at once: a page if there are changes or the client's copy is empty, else None. None also
        comes after each `keep_alive` seconds without a change. The stream ends at `expires_at` (seconds since the
        epoch), when the service stops, and when it cannot continue; the next request then gets the error.

        Raises:
            TooManyStreamsError: The user has too many open streams.
            ForgottenRevisionError: The point is too old; the client must load everything again.
            RepositoryUnavailableError: The storage cannot be reached.
        """
        with self._counted(user_id), self._feed.listen(user_id) as listener:
            news, point, more = await self._read(user_id, since)
            yield NO_CHANGES if news is None and since == NO_CHANGES.next else news
            with suppress(FeedClosedError, ForgottenRevisionError, RepositoryUnavailableError):
                while (left := expires_at - self._clock().timestamp()) > 0:
                    news = None  # free the page while the stream waits
                    if more or await _is_notified(listener, min(keep_alive, left)):
                        news, point, more = await self._read(user_id, point)
                    yield news

    async def _read(self, user_id: str, since: SyncPoint) -> tuple[Changes | None, SyncPoint, bool]:
        """Return the changes since the point (None if there are none), the next point, and whether there are more."""
        page = await self._repository.changes(user_id, since, PAGE_SIZE)
        return (page if page.next != since else None), page.next, page.more

    @contextmanager
    def _counted(self, user_id: str) -> Iterator[None]:
        if self._open[user_id] >= self._streams:
            raise TooManyStreamsError(self._streams)
        self._open[user_id] += 1
        try:
            yield
        finally:
            self._open[user_id] -= 1
            if not self._open[user_id]:
                del self._open[user_id]


async def _is_notified(listener: Listener, seconds: float) -> bool:
    """Wait for the listener; return False after `seconds` without a notification."""
    try:
        async with asyncio.timeout(seconds):
            await listener.wait()
    except TimeoutError:
        return False
    return True
