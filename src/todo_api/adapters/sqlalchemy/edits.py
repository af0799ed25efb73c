"""Edits: one transaction that locks the user, reads, decides, and writes everything at one revision."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from todo_api.adapters.sqlalchemy.errors import NotRunError, driver_error
from todo_api.adapters.sqlalchemy.execution import Row, execute, require_commit_of
from todo_api.adapters.sqlalchemy.loading import Loader
from todo_api.adapters.sqlalchemy.mapping import to_list_row, to_row
from todo_api.adapters.sqlalchemy.revisions import CLOCK, ONE, next_revision
from todo_api.adapters.sqlalchemy.tables import (
    idempotency_keys,
    list_tombstones,
    lists,
    tasks,
    tombstones,
    users,
)
from todo_api.domain.errors import IdempotencyKeyInUseError, IdempotencyKeyReusedError
from todo_api.domain.idempotency import KEY_LIFETIME, Edited, IdempotencyKey
from todo_api.domain.selection import Selection
from todo_api.domain.workspace import Workspace

T = TypeVar("T")
Item = TypeVar("Item")

_owner = sa.bindparam("owner", type_=sa.Text)
_request_key = sa.bindparam("request_key", type_=sa.Text)
_new_revision = sa.bindparam("new_revision", type_=sa.BigInteger)
_new_live_tasks = sa.bindparam("new_live_tasks", type_=sa.Integer)
_zero = sa.literal_column("0", sa.BigInteger)
_now = sa.bindparam("now", type_=users.c.created_at.type)

# Held until the end of the transaction; a second request with the key does not wait. A lock is a 64-bit number: if two
# keys collide, the later request only fails with "in use". It is taken where the user's row is, which is one place for
# all processes on Citus too. A new user has no row yet; then `_START` makes the later request wait.
_CLAIM = sa.select(
    sa.func.pg_try_advisory_xact_lock(
        sa.func.hashtextextended(_request_key, sa.func.hashtextextended(_owner, _zero))
    ).label("claimed")
).select_from(sa.select(users.c.id).where(users.c.id == _owner).subquery())
# With the result that is stored for the key. No one else can write it, because the key is locked.
_LOCK = (
    sa.select(
        users.c.revision,
        next_revision(users.c.revision).label("next_revision"),
        users.c.live_tasks,
        idempotency_keys.c.fingerprint,
        idempotency_keys.c.answer,
        idempotency_keys.c.created_at,
    )
    .select_from(
        users.outerjoin(
            idempotency_keys, (idempotency_keys.c.user_id == _owner) & (idempotency_keys.c.key == _request_key)
        )
    )
    .where(users.c.id == _owner)
    .with_for_update(key_share=True, of=users)
)
_NO_KEY = ""  # keys are not empty; Citus refuses to lock a row beside a comparison with NULL
# One below the clock, so that the first write is at the clock.
_START = (
    insert(users)
    .values(id=_owner, revision=CLOCK - ONE, floor=CLOCK - ONE, created_at=_now)
    .on_conflict_do_nothing(index_elements=[users.c.id])
    .returning((users.c.revision + ONE).label("next_revision"), users.c.live_tasks)
)


def _keep() -> Insert:
    values = {
        name: sa.bindparam(f"new_{name}", type_=idempotency_keys.c[name].type) for name in ("fingerprint", "answer")
    }
    kept = insert(idempotency_keys).values(user_id=_owner, key=_request_key, created_at=_now, **values)
    return kept.on_conflict_do_update(
        index_elements=[idempotency_keys.c.user_id, idempotency_keys.c.key], set_={**values, "created_at": _now}
    )


def _write(table: sa.Table, tombs: sa.Table, **others: sa.ColumnElement[Any]) -> sa.Update:
    """Return the statement that writes tasks or lists, passed as one array for each column, and their tombstones.

    Args:
        table: The table.
        tombs: Its tombstones.
        others: Values of columns that are not passed.
    """
    own = {"user_id": _owner, "revision": _new_revision, **others}
    given = {item.name: item for item in table.c if item.name not in own}
    arrays = [sa.bindparam(f"new_{name}", type_=sa.ARRAY(item.type)) for name, item in given.items()]
    columns = [sa.column(name, item.type) for name, item in given.items()]
    rows = sa.func.unnest(*arrays).table_valued(*columns).render_derived(name="given")

    upsert = insert(table).from_select([*given, *own], sa.select(*rows.c, *own.values()))
    written = upsert.on_conflict_do_update(
        index_elements=[table.c.user_id, table.c.id],
        set_={name: upsert.excluded[name] for name in [*given, *own] if name not in {"user_id", "id"}},
    )
    # Dated now, for clients that sync, even if the task was deleted at an earlier date.
    dead = sa.select(_owner, rows.c.id, _new_revision, _now).where(rows.c.deleted_at.is_not(None))
    bury = insert(tombs).from_select(["user_id", "id", "revision", "deleted_at"], dead)
    buried = bury.on_conflict_do_update(
        index_elements=[tombs.c.user_id, tombs.c.id],
        set_={name: bury.excluded[name] for name in ("revision", "deleted_at")},
    )
    # An array and not a join: a plan from when there were no tombstones would read the rows once for each.
    alive = sa.func.array(sa.select(rows.c.id).where(rows.c.deleted_at.is_(None)).scalar_subquery())
    risen = sa.delete(tombs).where(tombs.c.user_id == _owner, tombs.c.id == sa.func.any(alive))
    counted = sa.update(users).values(revision=_new_revision, live_tasks=_new_live_tasks).where(users.c.id == _owner)
    return counted.add_cte(written.cte("written"), buried.cte("buried"), risen.cte("risen"))


# After the statement that writes: one statement cannot write a row and delete it.
_PURGE = (
    sa.delete(tasks)
    .where(
        tasks.c.user_id == _owner,
        tasks.c.deleted_at.is_not(None),
        sa.or_(
            sa.bindparam("is_trash_emptied", type_=sa.Boolean),
            tasks.c.id == sa.func.any(sa.bindparam("task_ids", type_=sa.ARRAY(tasks.c.id.type))),
        ),
    )
    .returning(tasks.c.id)
)
_KEEP = _keep()
WRITE = _write(tasks, tombstones, words_revision=_new_revision)
_WRITE_AND_KEEP = _write(tasks, tombstones, words_revision=_new_revision).add_cte(_keep().cte("kept"))
_WRITE_LISTS = _write(lists, list_tombstones)
# The rows that one statement writes: the service does something else in between.
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Edit(Generic[T]):
    """One call of `TaskRepository.edit`."""

    user_id: str
    selection: Selection
    decide: Callable[[Workspace], T]
    now: datetime
    new_id: Callable[[], UUID]
    quota: int | None
    key: IdempotencyKey[T] | None

    async def run(self, engine: AsyncEngine) -> Edited[T]:
        """Run the edit in a transaction.

        Raises:
            NotRunError: The connection was lost before the commit.
        """
        async with engine.connect() as connection:
            await connection.execution_options(isolation_level="READ COMMITTED")
            async with connection.begin() as transaction:
                try:
                    edited, is_kept = await self._run(connection)
                except DBAPIError as error:
                    if error.connection_invalidated:
                        raise NotRunError(*driver_error(error).args) from error
                    raise
                if not is_kept:
                    await transaction.rollback()
            require_commit_of(connection)
            return edited

    async def _run(self, connection: AsyncConnection) -> tuple[Edited[T], bool]:
        """Return the result, and whether to commit."""
        if self.key is not None:
            await self._claim(connection, self.key)
        account, is_new = await self._lock(connection)
        if self.key is not None and not is_new and (replay := _recall(account, self.key, self.now)):
            return replay, True
        workspace = Workspace(
            self.user_id,
            *await Loader(connection, self.user_id).load(self.selection),
            revision=0 if is_new else account["revision"],
            next_revision=account["next_revision"],
            live_tasks=account["live_tasks"],
            quota=self.quota,
            now=self.now,
            new_id=self.new_id,
        )
        result = self.decide(workspace)
        if is_new and not workspace.has_changes and self.key is None:
            return Edited(result, replayed=False), False  # a user who wrote nothing has no account
        await self._write(connection, workspace, result)
        return Edited(result, replayed=False), True

    async def _claim(self, connection: AsyncConnection, key: IdempotencyKey[T]) -> None:
        rows = await execute(connection, _CLAIM, {"owner": self.user_id, "request_key": key.key})
        if rows and not rows[0]["claimed"]:
            raise IdempotencyKeyInUseError

    async def _lock(self, connection: AsyncConnection) -> tuple[Row, bool]:
        """Lock the account; return it, with the result that is stored for the key, and whether it is new."""
        key = {"request_key": self.key.key if self.key else _NO_KEY}
        while True:
            if rows := await execute(connection, _LOCK, {"owner": self.user_id, **key}):
                return rows[0], False
            if rows := await execute(connection, _START, {"owner": self.user_id, "now": self.now}):
                return rows[0], True

    async def _write(self, connection: AsyncConnection, workspace: Workspace, result: T) -> None:
        values: dict[str, Any] = {
            "owner": self.user_id,
            "now": self.now,
            "new_revision": workspace.revision,
            "new_live_tasks": workspace.live_tasks,
        }
        for lists_written in _chunks(list(workspace.lists.written.values())):
            await execute(connection, _WRITE_LISTS, arrays([to_list_row(item) for item in lists_written]) | values)
        *chunks, last = _chunks(list(workspace.tasks.written.values())) or [[]]
        for chunk in chunks:
            await execute(connection, WRITE, arrays([to_row(task) for task in chunk]) | values)
        values = arrays([to_row(task) for task in last]) | values
        if self.key is not None:
            values |= {
                "request_key": self.key.key,
                "new_fingerprint": self.key.fingerprint,
                "new_answer": self.key.codec.encode(result),
            }
        statements = {(True, True): _WRITE_AND_KEEP, (True, False): WRITE, (False, True): _KEEP}
        statement = statements.get((bool(last), self.key is not None))
        if statement is not None:
            await execute(connection, statement, values)
        if workspace.tasks.purged or workspace.is_trash_emptied:
            doomed = {"task_ids": list(workspace.tasks.purged), "is_trash_emptied": workspace.is_trash_emptied}
            await execute(connection, _PURGE, {"owner": self.user_id, **doomed})


def _chunks(items: list[Item]) -> list[list[Item]]:
    return [items[start : start + _CHUNK] for start in range(0, len(items), _CHUNK)]


def arrays(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """Return one array for each column, as the parameters of `_write`."""
    return {f"new_{name}": [row[name] for row in rows] for name in rows[0]} if rows else {}


def _recall(account: Row, key: IdempotencyKey[T], now: datetime) -> Edited[T] | None:
    if account["answer"] is None or account["created_at"] < now - KEY_LIFETIME:
        return None
    if account["fingerprint"] != key.fingerprint:
        raise IdempotencyKeyReusedError
    return Edited(key.codec.decode(account["answer"]), replayed=True)
