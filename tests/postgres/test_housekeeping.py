"""Concurrent purges and writes: every row is purged once, without waiting and without deadlocks."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import TypeAlias
from uuid import UUID, uuid4

import asyncpg
import pytest
from tests.codecs import AsBytes
from tests.domain.builders import NOW, a_task
from tests.postgres.running import Service
from tests.storages import Storage, in_postgres

from todo_api.domain.changes import SyncPoint
from todo_api.domain.errors import ForgottenRevisionError
from todo_api.domain.idempotency import IdempotencyKey
from todo_api.domain.ports import TaskRepository
from todo_api.domain.selection import Selection
from todo_api.domain.task_changes import TaskChanges
from todo_api.domain.workspace import Workspace

Database: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Purge: TypeAlias = Callable[[datetime, int], Awaitable[int]]

USERS = [f"user-{number}" for number in range(6)]
EACH = 120  # old rows of each kind for each user, at the revisions from 1 on
OLD = NOW - timedelta(days=1)

# The same ids for each user: the keys of all tables begin with the user.
FILL = f"""
INSERT INTO users (id, revision, created_at) SELECT 'user-' || n, 1000, '{OLD}' FROM generate_series(0, 5) n;
INSERT INTO tasks (user_id, id, title, title_key, completed, created_at, updated_at, revision, deleted_at)
SELECT users.id, lpad(n::text, 32, '0')::uuid, 'x', 'x', false, '{OLD}', '{OLD}', n,
       timestamptz '{OLD}' + n * interval '1 minute'
  FROM users, generate_series(1, {EACH}) n;
INSERT INTO tombstones SELECT user_id, id, revision, deleted_at FROM tasks;
INSERT INTO idempotency_keys SELECT users.id, n::text, '', '', '{OLD}' FROM users, generate_series(1, {EACH}) n;
ANALYZE;
"""


@pytest.fixture
async def inside(own_database: Database) -> Database:
    """A direct connection to a database with only old rows."""
    await own_database.execute(FILL)
    return own_database


@pytest.fixture
async def storage(inside: Database, migrated_database: str, connect: Callable[..., Service]) -> Storage:
    return in_postgres(connect(migrated_database, statement_timeout=5.0).engine)


async def count(inside: Database, table: str) -> int:
    found: int = await inside.fetchval(f"SELECT count(*) FROM {table}")
    return found


async def all_of(purge: Purge, batch: int = 7) -> int:
    """Purge in small batches until only locked rows are left."""
    total = 0
    while removed := await purge(NOW, batch):
        total += removed
    return total


async def write(tasks: TaskRepository, user_id: str) -> int:
    """Run all kinds of writes for a while; return how many tasks are left."""
    for number in range(15):
        task = await tasks.add(a_task(user_id))
        await tasks.remove(user_id, task.id, now=NOW)
        await tasks.restore(user_id, task.id)
        key = IdempotencyKey(f"new-{number}", b"", codec=AsBytes())
        await tasks.edit(user_id, Selection.of(task.id), partial(_rename, task.id), now=NOW, new_id=uuid4, key=key)
    return 15


def _rename(task_id: UUID, workspace: Workspace) -> bytes:
    workspace.change(task_id, TaskChanges(title="Renamed"))
    return b""


async def test_many_purge_everything_once_while_others_write(storage: Storage, inside: Database) -> None:
    house = storage.housekeeping
    purges = [house.purge_trash, house.purge_tombstones, house.purge_idempotency_keys]
    *purged, _ = await asyncio.gather(
        *(asyncio.gather(*(all_of(purge) for _ in range(3))) for purge in purges),
        asyncio.gather(*(write(storage.tasks, user_id) for user_id in USERS)),
    )
    left = [await all_of(purge) for purge in purges]  # of users whom the writers were at all the time
    assert [sum(counts) + rest for counts, rest in zip(purged, left, strict=True)] == 3 * [len(USERS) * EACH]
    assert await count(inside, "tasks") == len(USERS) * 15
    assert await count(inside, "tombstones") == 0
    assert await count(inside, "idempotency_keys") == len(USERS) * 15
    assert {row[0] for row in await inside.fetch("SELECT floor FROM users")} == {EACH}
    for user_id in USERS:
        with pytest.raises(ForgottenRevisionError):
            await storage.tasks.changes(user_id, SyncPoint(EACH - 1), 100)
        assert len((await storage.tasks.changes(user_id, SyncPoint(EACH), 100)).tasks) == 15
        account = await storage.accounts.account(user_id, NOW)
        assert (account.pending, account.trash) == (15, 0)


async def test_restores_and_purges_do_not_deadlock(storage: Storage, inside: Database) -> None:
    house, tasks = storage.housekeeping, storage.tasks

    async def restore(user_id: str) -> set[UUID]:
        """Restore old tasks that were not purged yet, and delete them again."""
        rescued = set()
        for number in range(1, EACH + 1):
            task_id = UUID(f"{number:032d}")
            if await tasks.restore(user_id, task_id):
                await tasks.remove(user_id, task_id, now=NOW)
                rescued.add(task_id)
        return rescued

    *rescued, _ = await asyncio.gather(
        *(restore(user_id) for user_id in USERS),
        asyncio.gather(*(all_of(purge, 40) for purge in (house.purge_trash, house.purge_tombstones) for _ in "ab")),
    )
    await all_of(house.purge_trash)
    await all_of(house.purge_tombstones)
    for user_id, ids in zip(USERS, rescued, strict=True):
        assert {task.id for task in (await tasks.trash(user_id, 100)).tasks} == ids
        assert {gone.id for gone in (await tasks.changes(user_id, SyncPoint(), 100)).deleted} == ids


@pytest.mark.parametrize(
    ("table", "lock", "locked"),
    [
        ("tasks", "SELECT FROM tasks WHERE user_id = 'user-1' LIMIT 9 FOR UPDATE", 9),
        ("tombstones", "SELECT FROM users WHERE id = 'user-1' FOR NO KEY UPDATE", EACH),
        ("idempotency_keys", "SELECT FROM idempotency_keys WHERE user_id = 'user-1' LIMIT 9 FOR UPDATE", 9),
    ],
)
async def test_locked_rows_are_skipped(storage: Storage, inside: Database, table: str, lock: str, locked: int) -> None:
    house = storage.housekeeping
    purges = {"tasks": house.purge_trash, "tombstones": house.purge_tombstones}
    purge = purges.get(table, house.purge_idempotency_keys)
    async with inside.transaction():
        await inside.execute(lock)
        assert await all_of(purge) == len(USERS) * EACH - locked
        assert await count(inside, table) == locked
    assert await all_of(purge) == locked


async def test_users_with_key_share_locks_are_not_skipped(storage: Storage, inside: Database) -> None:
    async with inside.transaction():
        await inside.execute(
            "SELECT FROM users FOR KEY SHARE"
        )  # the lock that each new task takes, for its foreign key
        assert await all_of(storage.housekeeping.purge_tombstones) == len(USERS) * EACH
