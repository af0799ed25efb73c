"""Poll for changes that other processes have written.

A trigger with NOTIFY would be faster, but NOTIFY takes a database-wide lock at each commit, and LISTEN needs a session
of its own, which poolers in transaction mode do not offer.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager

from sqlalchemy import ARRAY, Text, any_, bindparam, select
from sqlalchemy.ext.asyncio import AsyncEngine

from todo_api.adapters.sqlalchemy.errors import reads
from todo_api.adapters.sqlalchemy.execution import Row, fetch
from todo_api.adapters.sqlalchemy.tables import users
from todo_api.application.background import in_background
from todo_api.application.change_feed import ChangeFeed
from todo_api.domain.errors import RepositoryUnavailableError

REVISIONS = select(users.c.id, users.c.revision).where(users.c.id == any_(bindparam("user_ids", type_=ARRAY(Text))))

# After a slow poll, the next one waits ten times as long as it took, but not so long that events are never seen.
_REST = 10
_LONGEST_PAUSE = 10.0  # seconds

_log = logging.getLogger(__name__)


class SqlAlchemyChangePoller:
    """Announces the writes of other processes to a change feed."""

    def __init__(
        self,
        engine: AsyncEngine,
        feed: ChangeFeed,
        interval: float = 1.0,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Poll for the users with listeners in `feed`, every `interval` seconds, or less often if polls are slow."""
        self.engine = engine
        self._feed = feed
        self._interval = interval
        self._sleep = sleep
        self._clock = clock
        self._seen: Mapping[str, int | None] = {}

    def polling(self) -> AbstractAsyncContextManager[None]:
        """Poll for the duration of an `async with` block."""
        return in_background(self._poll())

    async def _poll(self) -> None:
        pause = self._interval
        while True:
            await self._sleep(pause)
            started = self._clock()
            try:
                await self._announce_changes()
            except RepositoryUnavailableError:  # already logged
                pass
            except Exception:  # noqa: BLE001 - logged with its traceback; the next poll may succeed
                _log.exception("cannot poll for changes of other processes")
            pause = max(self._interval, min(_LONGEST_PAUSE, _REST * (self._clock() - started)))

    async def _announce_changes(self) -> None:
        if not (listening := list(self._feed.users)):
            return
        found: dict[str, int | None] = dict.fromkeys(listening)  # None: the user has no account
        found |= {row["id"]: row["revision"] for row in await self._revisions(listening)}
        for user_id, _ in found.items() - self._seen.items():
            self._feed.announce(user_id)
        self._seen = found

    @reads
    async def _revisions(self, user_ids: Sequence[str]) -> Sequence[Row]:
        return await fetch(self.engine, REVISIONS, {"user_ids": user_ids})
