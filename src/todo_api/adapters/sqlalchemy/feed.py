"""The change feed of processes that share a database.

A trigger with NOTIFY would tell at once, at a price: NOTIFY takes a lock of the whole database at each commit, LISTEN
a connection of its own, which poolers in transaction mode do not have. So each process asks, once a second.
"""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager

from sqlalchemy import ARRAY, Text, any_, bindparam, select

from todo_api.adapters.sqlalchemy.connections import Connections
from todo_api.adapters.sqlalchemy.statements import Statement
from todo_api.adapters.sqlalchemy.tables import users
from todo_api.application.background import in_background
from todo_api.application.change_feed import ChangeFeed
from todo_api.domain.errors import RepositoryUnavailableError

REVISIONS = Statement(
    select(users.c.id, users.c.revision).where(users.c.id == any_(bindparam("user_ids", type_=ARRAY(Text))))
)

_log = logging.getLogger(__name__)


class SqlAlchemyChangePoller:
    """Announces to a change feed what other processes have written."""

    def __init__(self, connections: Connections, feed: ChangeFeed, interval: float = 1.0) -> None:
        """Poll for the users who have listeners in `feed`, every `interval` seconds."""
        self._connections = connections
        self._feed = feed
        self._interval = interval
        self._seen: Mapping[str, int | None] = {}

    def polling(self) -> AbstractAsyncContextManager[None]:
        """Look what others have written for as long as the block runs."""
        return in_background(self._poll())

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(self._interval)
            try:
                await self._look()
            except RepositoryUnavailableError:  # logged where it was met
                continue
            except Exception:  # noqa: BLE001 - logged with its trace; the next look may fare better
                _log.exception("changes of other processes cannot be seen")

    async def _look(self) -> None:
        """Announce whose revision is not the one that was last seen, or who was not looked at before."""
        if not (listening := list(self._feed.users)):
            return
        rows = await self._connections.read(REVISIONS, {"user_ids": listening})
        # None is a user who has no account: none yet, or none any more.
        found = dict.fromkeys(listening) | {row["id"]: row["revision"] for row in rows}
        for user_id, _ in found.items() - self._seen.items():
            self._feed.announce(user_id)
        self._seen = found
