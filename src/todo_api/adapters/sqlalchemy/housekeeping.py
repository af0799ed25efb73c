"""Housekeeping in PostgreSQL: each statement is a transaction of one user, and skips rows that others have locked.

What finds the users reads all of them. With Citus it reads all servers, and the rest only that of the user.
"""

import logging
from collections.abc import Iterable
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from todo_api.adapters.sqlalchemy import purges
from todo_api.adapters.sqlalchemy.errors import driver_error, writes
from todo_api.adapters.sqlalchemy.execution import fetch
from todo_api.adapters.sqlalchemy.mapping import TASK_COLUMNS, to_task
from todo_api.adapters.sqlalchemy.purges import Purge
from todo_api.adapters.sqlalchemy.revisions import next_revision
from todo_api.adapters.sqlalchemy.tables import database_identity, stale_words, tasks, users
from todo_api.domain.filters import search_words
from todo_api.domain.identity import StorageIdentity

_log = logging.getLogger(__name__)

_limit = sa.bindparam("limit", type_=sa.Integer)

# The next users by id, and their revisions raised.
_USERS = (
    sa.select(users.c.id)
    .where(users.c.id > sa.bindparam("after", type_=users.c.id.type))
    .order_by(users.c.id)
    .limit(_limit)
)
_RAISE_REVISIONS = (
    sa.update(users)
    .values(revision=next_revision(users.c.revision), floor=next_revision(users.c.revision))
    .where(users.c.id == sa.func.any(sa.bindparam("user_ids", type_=sa.ARRAY(sa.Text))))
)
_WITHOUT_WORDS = sa.select(*TASK_COLUMNS).where(stale_words).order_by(tasks.c.user_id, tasks.c.id).limit(_limit)


def _index_words() -> sa.Update:
    """Write the words of a user's tasks, unless they have changed since they were read. Their revisions stay.

    Tasks that others are changing are left for the next time: waiting for one with others locked could be a deadlock.
    """
    owner = sa.bindparam("owner", type_=sa.Text)
    arrays = {
        "id": sa.bindparam("ids", type_=sa.ARRAY(sa.Uuid)),
        "revision": sa.bindparam("revisions", type_=sa.ARRAY(sa.BigInteger)),
        "words": sa.bindparam("new_words", type_=sa.ARRAY(sa.Text)),
    }
    columns = [sa.column(name, tasks.c[name].type) for name in arrays]
    given = sa.func.unnest(*arrays.values()).table_valued(*columns).render_derived(name="given")
    free = (
        sa.select(tasks.c.id, given.c.revision, given.c.words)
        .select_from(tasks.join(given, sa.and_(tasks.c.id == given.c.id, tasks.c.revision == given.c.revision)))
        .where(tasks.c.user_id == owner)
        .with_for_update(key_share=True, of=tasks, skip_locked=True)
        .cte("free")
    )
    return (
        sa.update(tasks)
        .values(words=free.c.words, words_revision=free.c.revision)
        .where(tasks.c.user_id == owner, tasks.c.id == free.c.id, tasks.c.revision == free.c.revision)
    )


_INDEX_WORDS = _index_words()

# The number of the cluster, its timeline, which each promotion raises, and the number of the table, which is a new one
# when a dump is restored. pg_control_checkpoint() shows a new timeline only after a checkpoint.
_PRESENT = sa.literal_column(
    "format('system %s, timeline %s, table %s', (SELECT system_identifier FROM pg_control_system()),"
    " ('x' || substring(pg_walfile_name(pg_current_wal_lsn()) FOR 8))::bit(32)::integer,"
    " 'database_identity'::regclass::oid)",
    sa.Text,
)


def _identity() -> sa.Select[Any]:
    """Return the recorded and the present identity; record the present one if there is none."""
    present = sa.select(_PRESENT.label("present")).cte("present")
    first = (
        insert(database_identity)
        .from_select(["identity"], sa.select(present.c.present))
        .on_conflict_do_nothing()
        .cte("first")
    )
    recorded = sa.select(database_identity.c.identity).scalar_subquery()
    return sa.select(present.c.present, sa.func.coalesce(recorded, present.c.present).label("recorded")).add_cte(first)


def _record_identity() -> Insert:
    new = insert(database_identity).values(identity=sa.bindparam("identity", type_=sa.Text))
    return new.on_conflict_do_update(index_elements=["single"], set_={"identity": new.excluded.identity})


IDENTITY = _identity()
RECORD_IDENTITY = _record_identity()


class SqlAlchemyHousekeeping:
    """Removes expired rows, raises revisions, and remembers which database this is."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine

    async def purge_trash(self, deleted_before: datetime, limit: int) -> int:
        return await self._purge(purges.TRASH, deleted_before, limit)

    async def purge_tombstones(self, deleted_before: datetime, limit: int) -> int:
        return await self._purge(purges.TOMBSTONES, deleted_before, limit)

    async def purge_idempotency_keys(self, created_before: datetime, limit: int) -> int:
        return await self._purge(purges.KEYS, created_before, limit)

    @writes
    async def raise_revisions(self, after: str, limit: int) -> list[str]:
        user_ids = [row["id"] for row in await fetch(self.engine, _USERS, {"after": after, "limit": limit})]
        if user_ids:
            await fetch(self.engine, _RAISE_REVISIONS, {"user_ids": user_ids})
        return user_ids

    async def identity(self) -> StorageIdentity | None:
        try:
            return await self._identity()
        except SQLAlchemyError as error:  # a managed service may lack a function, or not permit it
            _log.debug("the database cannot tell which one it is: %s", type(driver_error(error)).__name__)
            return None

    @writes
    async def _identity(self) -> StorageIdentity:
        (row,) = await fetch(self.engine, IDENTITY, {})
        return StorageIdentity(recorded=row["recorded"], present=row["present"])

    @writes
    async def record_identity(self, identity: str) -> None:
        await fetch(self.engine, RECORD_IDENTITY, {"identity": identity})

    @writes
    async def _purge(self, of_tables: Iterable[Purge], before: datetime, limit: int) -> int:
        removed = 0
        for purge in of_tables:
            visited: list[str] = []
            while removed < limit and (owners := await self._owners(purge, before, limit - removed, visited)):
                for owner in owners:
                    values = {"owner": owner, "before": before, "limit": limit - removed}
                    removed += (await fetch(self.engine, purge.delete, values))[0]["removed"]
                visited += owners
        return removed

    async def _owners(self, purge: Purge, before: datetime, limit: int, visited: list[str]) -> list[str]:
        rows = await fetch(self.engine, purge.owners, {"before": before, "limit": limit, "visited": visited})
        return list(dict.fromkeys(row["user_id"] for row in rows))

    @writes
    async def index_words(self, limit: int) -> int:
        rows = await fetch(self.engine, _WITHOUT_WORDS, {"limit": limit})
        for owner, group in groupby(map(to_task, rows), key=attrgetter("user_id")):
            found = list(group)
            values = {
                "owner": owner,
                "ids": [task.id for task in found],
                "revisions": [task.revision for task in found],
                "new_words": [search_words(task) for task in found],
            }
            await fetch(self.engine, _INDEX_WORDS, values)
        return len(rows)
