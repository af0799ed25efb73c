"""Live events: what has happened to a user's tasks, and then what happens, for as long as the caller listens."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime

from todo_api.application.change_feed import ChangeFeed, Listener
from todo_api.domain.changes import Changes, SyncPoint
from todo_api.domain.errors import FeedClosedError, ForgottenRevisionError, RepositoryUnavailableError, TodoError
from todo_api.domain.ports import TaskRepository

PAGE_SIZE = 100
_EMPTY = Changes([], [], SyncPoint(), more=False)


class TooManyStreamsError(TodoError):
    """The user follows their changes from as many places as one user may."""

    def __init__(self, streams: int) -> None:
        """Take how many streams a user may have."""
        super().__init__(f"there are {streams:,} streams of yours already: close one, or wait until one has ended")
        self.streams = streams


class EventService:
    """Follows the changes of users' tasks."""

    def __init__(
        self, repository: TaskRepository, feed: ChangeFeed, *, clock: Callable[[], datetime], streams: int
    ) -> None:
        """Take the storage, who tells of changes, the time in UTC, and how many streams a user may have open here."""
        self._repository = repository
        self._feed = feed
        self._clock = clock
        self._streams = streams
        self._open: Counter[str] = Counter()

    @property
    def streams(self) -> int:
        """How many streams are open."""
        return self._open.total()

    async def follow(
        self, user_id: str, since: SyncPoint, *, expires_at: float, pulse: float
    ) -> AsyncGenerator[Changes | None]:
        """Yield pages of what has happened after the point, and then of what happens: each change once.

        The first item comes at once. It is a page where there is news or the copy is empty, and otherwise None, which
        also comes whenever there was no news for `pulse` seconds. The stream ends at `expires_at`, in seconds since
        the epoch, when the service is about to stop, and when it cannot go on; whoever then comes again hears why.

        Raises:
            TooManyStreamsError: The user has too many streams.
            ForgottenRevisionError: It is too long ago; load everything afresh, from the point of an empty copy.
            RepositoryUnavailableError: The storage cannot be reached.
        """
        with self._counted(user_id), self._feed.listen(user_id) as listener:
            news, point, more = await self._look(user_id, since)
            yield _EMPTY if news is None and since == _EMPTY.next else news
            with suppress(FeedClosedError, ForgottenRevisionError, RepositoryUnavailableError):
                while (left := expires_at - self._clock().timestamp()) > 0:
                    news = None  # a stream that waits keeps nothing of what it has told
                    if more or await _hears(listener, min(pulse, left)):
                        news, point, more = await self._look(user_id, point)
                    yield news

    async def _look(self, user_id: str, since: SyncPoint) -> tuple[Changes | None, SyncPoint, bool]:
        """Return the news since the point, where to go on, and whether there is more already."""
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


async def _hears(listener: Listener, seconds: float) -> bool:
    """Wait for the listener for so long, and say whether it has heard something."""
    try:
        async with asyncio.timeout(seconds):
            await listener.wait()
    except TimeoutError:
        return False
    return True
