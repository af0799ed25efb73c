"""Edits: one transaction that locks the user, looks, decides, and writes all of it at one revision."""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

import asyncpg
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Integer,
    Text,
    Update,
    bindparam,
    column,
    delete,
    func,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import Insert, insert

from todo_api.adapters.sqlalchemy.connections import Connections, Transaction
from todo_api.adapters.sqlalchemy.rows import to_parameters, to_stored_task
from todo_api.adapters.sqlalchemy.statements import TASK_COLUMNS, Statement
from todo_api.adapters.sqlalchemy.tables import idempotency_keys, tasks, tombstones, users
from todo_api.domain.changes import starting_revision
from todo_api.domain.errors import IdempotencyKeyInUseError, IdempotencyKeyReusedError
from todo_api.domain.idempotency import Edited, IdempotencyKey
from todo_api.domain.task import Task, TrashedTask
from todo_api.domain.workspace import Workspace

T = TypeVar("T")

_user_id = bindparam("user_id", type_=Text)
_key = bindparam("key", type_=Text)
_revision = bindparam("revision", type_=BigInteger)
_live_tasks = bindparam("live_tasks", type_=Integer)
_zero = literal_column("0", BigInteger)
_now = bindparam("now", type_=users.c.created_at.type)

# Until the end of the transaction; whoever comes with the same key meanwhile does not wait. A lock is a number of 64
# bits: two keys that share one would make the later request try again, and no more.
_CLAIM = Statement(
    select(func.pg_try_advisory_xact_lock(func.hashtextextended(_key, func.hashtextextended(_user_id, _zero))))
)
# The answer that is kept for the key comes along: whoever wrote it had claimed the key, and this comes after our claim.
_LOCK = Statement(
    select(
        users.c.revision,
        users.c.live_tasks,
        idempotency_keys.c.fingerprint,
        idempotency_keys.c.answer,
        idempotency_keys.c.created_at,
    )
    .select_from(
        users.outerjoin(idempotency_keys, (idempotency_keys.c.user_id == users.c.id) & (idempotency_keys.c.key == _key))
    )
    .where(users.c.id == _user_id)
    .with_for_update(key_share=True, of=users)
)
_START = Statement(
    insert(users)
    .values(id=_user_id, revision=_revision, floor=_revision, created_at=_now)
    .on_conflict_do_nothing(index_elements=[users.c.id])
    .returning(users.c.revision, users.c.live_tasks)
)
_LOAD = Statement(
    select(*TASK_COLUMNS, tasks.c.deleted_at).where(
        tasks.c.user_id == _user_id, tasks.c.id == func.any(bindparam("ids", type_=ARRAY(tasks.c.id.type)))
    )
)


def _keep() -> Insert:
    values = {"fingerprint": bindparam("fingerprint", type_=idempotency_keys.c.fingerprint.type)}
    values |= {"answer": bindparam("answer", type_=idempotency_keys.c.answer.type), "created_at": _now}
    kept = insert(idempotency_keys).values(user_id=_user_id, key=_key, **values)
    return kept.on_conflict_do_update(index_elements=[idempotency_keys.c.user_id, idempotency_keys.c.key], set_=values)


def _write() -> Update:
    """Write the tasks, which come as an array for each column, with the tombstones that go with them."""
    given = {item.name: item for item in tasks.c if item.name not in {"user_id", "revision"}}
    arrays = [bindparam(name, type_=ARRAY(item.type)) for name, item in given.items()]
    columns = [column(name, item.type) for name, item in given.items()]
    rows = func.unnest(*arrays).table_valued(*columns).render_derived(name="given")

    upsert = insert(tasks).from_select([*given, "user_id", "revision"], select(*rows.c, _user_id, _revision))
    written = upsert.on_conflict_do_update(
        index_elements=[tasks.c.user_id, tasks.c.id],
        set_={name: upsert.excluded[name] for name in [*given, "revision"] if name not in {"id", "created_at"}},
    )
    # Whoever syncs is told now, also of a task that comes to be in the trash with an earlier date.
    graves = select(_user_id, rows.c.id, _revision, _now).where(rows.c.deleted_at.is_not(None))
    bury = insert(tombstones).from_select(["user_id", "id", "revision", "deleted_at"], graves)
    buried = bury.on_conflict_do_update(
        index_elements=[tombstones.c.user_id, tombstones.c.id],
        set_={name: bury.excluded[name] for name in ("revision", "deleted_at")},
    )
    alive = select(rows.c.id).where(rows.c.deleted_at.is_(None))
    risen = delete(tombstones).where(tombstones.c.user_id == _user_id, tombstones.c.id.in_(alive))
    counted = update(users).values(revision=_revision, live_tasks=_live_tasks).where(users.c.id == _user_id)
    return counted.add_cte(written.cte("written"), buried.cte("buried"), risen.cte("risen"))


_KEEP = Statement(_keep())
_WRITE = Statement(_write())
_WRITE_AND_KEEP = Statement(_write().add_cte(_keep().cte("kept")))


class Edit(Generic[T]):
    """What a caller of the repository's `edit` wants."""

    def __init__(
        self,
        user_id: str,
        task_ids: Collection[UUID],
        decide: Callable[[Workspace], T],
        *,
        now: datetime,
        quota: int | None,
        key: IdempotencyKey[T] | None,
    ) -> None:
        """Take what `TaskRepository.edit` takes."""
        self._user_id = user_id
        self._task_ids = task_ids
        self._decide = decide
        self._now = now
        self._quota = quota
        self._key = key

    async def run(self, connections: Connections) -> Edited[T]:
        """Do it, in a transaction."""
        return await connections.transact(self._run)

    async def _run(self, transaction: Transaction) -> Edited[T]:
        if self._key is not None:
            await self._claim(transaction, self._key)
        account, is_new = await self._lock(transaction)
        if self._key is not None and not is_new and (replay := _recall(account, self._key)):
            return replay
        workspace = Workspace(
            self._user_id,
            await self._load(transaction),
            revision=0 if is_new else account["revision"],
            next_revision=account["revision"] + 1,
            live_tasks=account["live_tasks"],
            quota=self._quota,
            now=self._now,
        )
        result = self._decide(workspace)
        if is_new and not workspace.written:
            transaction.abandon()  # a user who wrote nothing has no account
        else:
            await self._write(transaction, workspace, result)
        return Edited(result, replayed=False)

    async def _claim(self, transaction: Transaction, key: IdempotencyKey[T]) -> None:
        ((claimed,),) = await transaction.run(_CLAIM, {"user_id": self._user_id, "key": key.key})
        if not claimed:
            raise IdempotencyKeyInUseError

    async def _lock(self, transaction: Transaction) -> tuple[asyncpg.Record, bool]:
        """Keep others from writing; return the account, with what is kept for the key, and whether it is a new one."""
        key = {"key": None if self._key is None else self._key.key}
        new = {"revision": starting_revision(self._now), "now": self._now}
        while True:
            if rows := await transaction.run(_LOCK, {"user_id": self._user_id, **key}):
                return rows[0], False
            if rows := await transaction.run(_START, {"user_id": self._user_id, **new}):
                return rows[0], True

    async def _load(self, transaction: Transaction) -> list[Task]:
        if not self._task_ids:
            return []
        rows = await transaction.run(_LOAD, {"user_id": self._user_id, "ids": list(self._task_ids)})
        return [to_stored_task(row) for row in rows]

    async def _write(self, transaction: Transaction, workspace: Workspace, result: T) -> None:
        values: dict[str, Any] = {"user_id": self._user_id, "now": self._now}
        if workspace.written:
            rows = [_all_columns(task) for task in workspace.written.values()]
            values |= {name: [row[name] for row in rows] for name in rows[0]}
            values |= {"user_id": self._user_id, "revision": workspace.revision, "live_tasks": workspace.live_tasks}
        if self._key is not None:
            values |= {
                "key": self._key.key,
                "fingerprint": self._key.fingerprint,
                "answer": self._key.codec.encode(result),
            }
        statements = {(True, True): _WRITE_AND_KEEP, (True, False): _WRITE, (False, True): _KEEP}
        if statement := statements.get((bool(workspace.written), self._key is not None)):
            await transaction.run(statement, values)


def _recall(account: asyncpg.Record, key: IdempotencyKey[T]) -> Edited[T] | None:
    if account["answer"] is None or account["created_at"] < key.kept_since:
        return None
    if account["fingerprint"] != key.fingerprint:
        raise IdempotencyKeyReusedError
    return Edited(key.codec.decode(account["answer"]), replayed=True)


def _all_columns(task: Task) -> dict[str, Any]:
    return {**to_parameters(task), "deleted_at": task.deleted_at if isinstance(task, TrashedTask) else None}
