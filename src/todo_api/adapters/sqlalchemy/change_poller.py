"""Poll for changes that other processes have written.

A trigger with NOTIFY would be faster, but NOTIFY takes a database-wide lock at each commit, and LISTEN needs a session
of its own, which poolers in transaction mode do not offer.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress

from sqlalchemy import ARRAY, BigInteger, Text, any_, bindparam, column, func, literal, select, table
from sqlalchemy.ext.asyncio import AsyncEngine

from todo_api.adapters.sqlalchemy.errors import is_of_another_server, reads
from todo_api.adapters.sqlalchemy.execution import fetch
from todo_api.adapters.sqlalchemy.tables import users
from todo_api.application.background import in_background
from todo_api.application.change_feed import ChangeFeed
from todo_api.domain.errors import RepositoryUnavailableError

REVISIONS = select(users.c.id, users.c.revision).where(users.c.id == any_(bindparam("user_ids", type_=ARRAY(Text))))

# The same users by the server that has them, if Citus has spread them over several. It asks none of these servers.
_user_id = func.unnest(bindparam("user_ids", type_=ARRAY(Text))).column_valued("user_id")
_shard = func.get_shard_id_for_distribution_column(literal(users.name, Text), _user_id, type_=BigInteger)
_listening = select(_user_id, _shard.label("shard")).cte("listening")
_placements = table("pg_dist_placement", column("shardid"), column("groupid"))
_BY_SERVER = (
    select(func.array_agg(_listening.c.user_id).label("ids"))
    .join_from(_listening, _placements, _placements.c.shardid == _listening.c.shard)
    .group_by(_placements.c.groupid)
)

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
        found = await self._found(listening)
        for user_id, _ in found.items() - self._seen.items():
            self._feed.announce(user_id)
        self._seen = {user_id: self._seen[user_id] for user_id in listening if user_id in self._seen} | found

    async def _found(self, user_ids: Sequence[str]) -> dict[str, int | None]:
        """Return the users' revisions, without users whose server is down."""
        try:
            return await self._revisions(user_ids)
        except RepositoryUnavailableError as error:
            if not is_of_another_server(error.__cause__):
                raise
        found: dict[str, int | None] = {}
        for of_one_server in await self._by_server(user_ids):
            with suppress(RepositoryUnavailableError):
                found |= await self._revisions(of_one_server)
        return found

    @reads
    async def _revisions(self, user_ids: Sequence[str]) -> dict[str, int | None]:
        rows = await fetch(self.engine, REVISIONS, {"user_ids": user_ids})
        found: dict[str, int | None] = dict.fromkeys(user_ids)  # None: the user has no account
        return found | {row["id"]: row["revision"] for row in rows}

    @reads
    async def _by_server(self, user_ids: Sequence[str]) -> list[list[str]]:
        rows = await fetch(self.engine, _BY_SERVER, {"user_ids": user_ids})
        return [row["ids"] for row in rows]
