"""The statements of earlier versions of the service, which run while a later version migrates the database."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import uuid4

import asyncpg

COLUMNS = "id, title, description, completed, completed_at, due_at, due_kind, created_at, updated_at, revision"
LIST = f"SELECT {COLUMNS} FROM tasks WHERE user_id = $1 {{}} ORDER BY created_at DESC, id DESC LIMIT 50"
INSERT = """
WITH counted AS (INSERT INTO users (id, revision, created_at{names}) VALUES ($1, 2, now(){values})
                 ON CONFLICT (id) DO UPDATE SET revision = users.revision + 1 RETURNING revision)
INSERT INTO tasks (user_id, id, title, title_key, completed, created_at, updated_at, revision)
SELECT $1, $2, $3, $3, false, now(), now(), counted.revision FROM counted RETURNING revision
"""
LOCKED = "WITH locked AS (SELECT id, revision FROM users WHERE id = $1 FOR NO KEY UPDATE), written AS ({}) {}"
COUNT = "UPDATE users SET revision = written.revision FROM written WHERE users.id = $1 RETURNING written.revision"
UPDATE = LOCKED.format(
    "UPDATE tasks SET title = $3, updated_at = now(), revision = locked.revision + 1 FROM locked"
    " WHERE tasks.user_id = $1 AND tasks.id = $2 RETURNING tasks.revision",
    COUNT,
)
DELETE = LOCKED.format(
    "DELETE FROM tasks USING locked WHERE tasks.user_id = $1 AND tasks.id = $2"
    " RETURNING locked.revision + 1 AS revision",
    COUNT,
)
TRASH = LOCKED.format(
    "UPDATE tasks SET deleted_at = now(), revision = locked.revision + 1 FROM locked"
    " WHERE tasks.user_id = $1 AND tasks.id = $2 RETURNING tasks.id, tasks.revision",
    "INSERT INTO tombstones (user_id, id, revision, deleted_at)"
    " SELECT $1, id, revision, now() FROM written RETURNING revision",
)

TASKS = 200_000
FILL = """
WITH users AS (INSERT INTO users (id, revision, created_at)
               SELECT 'user-' || number, {tasks}, now() FROM generate_series(0, 1999) AS number RETURNING id)
INSERT INTO tasks (user_id, id, title, title_key, completed, created_at, updated_at, revision)
SELECT 'user-' || number % 2000, gen_random_uuid(), 'Task ' || number, 'task ' || number, false, now(), now(), number
  FROM generate_series(1, {tasks}) AS number
"""

# By revision, all except the newest: create, update and delete a task, and read a list.
STATEMENTS: Mapping[str, tuple[str, str, str, str]] = {
    "0001": (INSERT.format(names="", values=""), UPDATE, DELETE, LIST.format("")),
    "0002": (
        INSERT.format(names=", floor", values=", 1"), UPDATE, TRASH, LIST.format("AND deleted_at IS NULL"),
    ),
    "0003": (
        INSERT.format(names=", floor, live_tasks", values=", 1, 1"), UPDATE, TRASH,
        LIST.format("AND deleted_at IS NULL"),
    ),
    "0004": (
        INSERT.format(names=", floor, live_tasks", values=", 1, 1"), UPDATE, TRASH,
        LIST.format("AND deleted_at IS NULL"),
    ),
    "0005": (
        INSERT.format(names=", floor, live_tasks", values=", 1, 1"), UPDATE, TRASH,
        LIST.format("AND deleted_at IS NULL"),
    ),
}  # fmt: skip


@dataclass
class EarlierService:
    """Runs the statements of a revision until it is stopped, each client with its own user."""

    url: str
    revision: str
    clients: int = 8
    seconds: list[float] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    kept: list[tuple[str, str]] = field(default_factory=list)  # user and title of tasks that must exist
    _over: bool = False

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(self.clients):
                group.create_task(self._client(f"user-{number}"))

    def stop(self) -> None:
        self._over = True

    async def _client(self, user_id: str) -> None:
        connection = await asyncpg.connect(self.url)
        while not self._over:
            await self.run_once(connection, user_id)
            await asyncio.sleep(0.02)
        await connection.close()

    async def run_once(self, connection: "asyncpg.Connection[asyncpg.Record]", user_id: str) -> None:
        insert, update, remove, listing = STATEMENTS[self.revision]
        task_id, title = uuid4(), f"{uuid4()}"
        await self._timed(connection, insert, user_id, task_id, "New")
        await self._timed(connection, update, user_id, task_id, title)
        self.kept.append((user_id, title))
        gone = uuid4()
        await self._timed(connection, insert, user_id, gone, "Gone")
        await self._timed(connection, remove, user_id, gone, *([] if "$3" not in remove else [title]))
        await self._timed(connection, listing, user_id)

    async def _timed(self, connection: "asyncpg.Connection[asyncpg.Record]", sql: str, *values: object) -> None:
        begun = time.monotonic()
        try:
            rows = await connection.fetch(sql, *values)
        except asyncpg.PostgresError as error:
            self.failures[f"{type(error).__name__}: {error}"] += 1
        else:
            self.failures["it did nothing"] += not rows
        self.seconds.append(time.monotonic() - begun)
