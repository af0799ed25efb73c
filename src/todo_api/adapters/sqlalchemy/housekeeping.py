"""Housekeeping in PostgreSQL: each statement is a transaction. Purges skip rows that others have locked."""

import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from todo_api.adapters.sqlalchemy.errors import driver_error, writes
from todo_api.adapters.sqlalchemy.execution import fetch
from todo_api.adapters.sqlalchemy.mapping import TASK_COLUMNS, to_task
from todo_api.adapters.sqlalchemy.revisions import next_revision
from todo_api.adapters.sqlalchemy.tables import (
    database_identity,
    idempotency_keys,
    list_tombstones,
    lists,
    stale_words,
    tasks,
    tombstones,
    users,
)
from todo_api.domain.filters import search_words
from todo_api.domain.identity import StorageIdentity

_log = logging.getLogger(__name__)

_before = sa.bindparam("before", type_=sa.DateTime(timezone=True))
_limit = sa.bindparam("limit", type_=sa.Integer)


def _ctids(table: sa.Table, age: str) -> sa.Select[Any]:
    """Return the physical locations (ctid) of the table's oldest rows."""
    return (
        sa.select(sa.literal_column(f"{table.name}.ctid", sa.Text))
        .select_from(table)
        .where(table.c[age] < _before)
        .order_by(table.c[age])
        .limit(_limit)
    )


def _delete_at(table: sa.Table, age: str, ctids: sa.Select[Any]) -> sa.Delete:
    """Delete the rows at these locations, unless they have been updated.

    With locations instead of keys, PostgreSQL reads the rows directly, even if it estimates their number wrongly.
    """
    ctid = sa.literal_column(f"{table.name}.ctid", sa.Text)
    return sa.delete(table).where(ctid == sa.func.any(sa.func.array(ctids.scalar_subquery())), table.c[age] < _before)


def _purge_trash(table: sa.Table) -> sa.Select[Any]:
    old = _ctids(table, "deleted_at").where(table.c.deleted_at.is_not(None)).with_for_update(skip_locked=True)
    gone = _delete_at(table, "deleted_at", old).returning(table.c.id).cte("gone")
    return _count(gone)


def _purge_keys() -> sa.Select[Any]:
    old = _ctids(idempotency_keys, "created_at").with_for_update(skip_locked=True)
    gone = _delete_at(idempotency_keys, "created_at", old).returning(idempotency_keys.c.key).cte("gone")
    return _count(gone)


def _purge_tombstones(table: sa.Table) -> sa.Select[Any]:
    """Remove tombstones of users without a concurrent write, and raise the users' `floor` to them.

    The users are locked first, as in every write, so nobody else changes their tombstones.
    """
    old = _ctids(table, "deleted_at").join(users)
    old = old.with_for_update(key_share=True, of=users, skip_locked=True)
    gone = _delete_at(table, "deleted_at", old).returning(table.c.user_id, table.c.revision).cte("gone")
    newest = (
        sa.select(gone.c.user_id, sa.func.max(gone.c.revision).label("revision")).group_by(gone.c.user_id).cte("newest")
    )
    raised = (
        sa.update(users)
        .values(floor=sa.func.greatest(users.c.floor, newest.c.revision))
        .where(users.c.id == newest.c.user_id)
        .cte("raised")
    )
    return _count(gone).add_cte(raised)


def _raise_revisions() -> sa.Select[Any]:
    """Raise `revision` and `floor` of some users, locked in the order of their ids."""
    few = (
        sa.select(users.c.id, next_revision(users.c.revision).label("next_revision"))
        .where(users.c.id > sa.bindparam("after", type_=users.c.id.type))
        .order_by(users.c.id)
        .limit(_limit)
        .with_for_update(key_share=True)
        .cte("few")
    )
    raised = (
        sa.update(users)
        .values(revision=few.c.next_revision, floor=few.c.next_revision)
        .where(users.c.id == few.c.id)
        .returning(users.c.id)
        .cte("raised")
    )
    return sa.select(raised.c.id).order_by(raised.c.id)


_WITHOUT_WORDS = sa.select(*TASK_COLUMNS).where(stale_words).limit(_limit)


def _index_words() -> sa.Update:
    """Write the words of tasks, unless they have changed since they were read. Their revisions stay.

    Tasks that others are changing are left for the next time: waiting for one with others locked could be a deadlock.
    """
    arrays = {
        "user_id": sa.bindparam("user_ids", type_=sa.ARRAY(sa.Text)),
        "id": sa.bindparam("ids", type_=sa.ARRAY(sa.Uuid)),
        "revision": sa.bindparam("revisions", type_=sa.ARRAY(sa.BigInteger)),
        "words": sa.bindparam("new_words", type_=sa.ARRAY(sa.Text)),
    }
    columns = [sa.column(name, tasks.c[name].type) for name in arrays]
    given = sa.func.unnest(*arrays.values()).table_valued(*columns).render_derived(name="given")
    is_same = sa.and_(*(tasks.c[name] == given.c[name] for name in ("user_id", "id", "revision")))
    free = (
        sa.select(tasks.c.user_id, tasks.c.id, given.c.revision, given.c.words)
        .select_from(tasks.join(given, is_same))
        .with_for_update(key_share=True, of=tasks, skip_locked=True)
        .cte("free")
    )
    return (
        sa.update(tasks)
        .values(words=free.c.words, words_revision=free.c.revision)
        .where(tasks.c.user_id == free.c.user_id, tasks.c.id == free.c.id, tasks.c.revision == free.c.revision)
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


def _count(gone: sa.CTE) -> sa.Select[Any]:
    return sa.select(sa.func.count().label("removed")).select_from(gone)


# For tasks, and for lists.
PURGE_TRASH = _purge_trash(tasks), _purge_trash(lists)
PURGE_TOMBSTONES = _purge_tombstones(tombstones), _purge_tombstones(list_tombstones)
PURGE_KEYS = (_purge_keys(),)
RAISE_REVISIONS = _raise_revisions()
IDENTITY = _identity()
RECORD_IDENTITY = _record_identity()


class SqlAlchemyHousekeeping:
    """Removes expired rows, raises revisions, and remembers which database this is."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine

    async def purge_trash(self, deleted_before: datetime, limit: int) -> int:
        return await self._purge(PURGE_TRASH, deleted_before, limit)

    async def purge_tombstones(self, deleted_before: datetime, limit: int) -> int:
        return await self._purge(PURGE_TOMBSTONES, deleted_before, limit)

    async def purge_idempotency_keys(self, created_before: datetime, limit: int) -> int:
        return await self._purge(PURGE_KEYS, created_before, limit)

    @writes
    async def raise_revisions(self, after: str, limit: int) -> list[str]:
        rows = await fetch(self.engine, RAISE_REVISIONS, {"after": after, "limit": limit})
        return [row["id"] for row in rows]

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
    async def _purge(self, statements: Iterable[sa.Select[Any]], before: datetime, limit: int) -> int:
        removed = 0
        for statement in statements:
            if removed < limit:
                rows = await fetch(self.engine, statement, {"before": before, "limit": limit - removed})
                removed += int(rows[0]["removed"])
        return removed

    @writes
    async def index_words(self, limit: int) -> int:
        rows = await fetch(self.engine, _WITHOUT_WORDS, {"limit": limit})
        found = [to_task(row) for row in rows]
        if found:
            values = {
                "user_ids": [task.user_id for task in found],
                "ids": [task.id for task in found],
                "revisions": [task.revision for task in found],
                "new_words": [search_words(task) for task in found],
            }
            await fetch(self.engine, _INDEX_WORDS, values)
        return len(found)
