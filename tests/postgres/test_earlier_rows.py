"""Rows as an earlier version writes them, without the columns of lists, order and search."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg
import pytest
from tests.contract.doing import do, in_order
from tests.postgres.running import Service
from tests.storages import Storage, in_postgres

from todo_api.adapters.sqlalchemy.driver import DatabaseConfig
from todo_api.adapters.sqlalchemy.engine import create_engine
from todo_api.domain.filters import TaskFilter
from todo_api.domain.listing import TaskQuery
from todo_api.domain.operations import Move
from todo_api.domain.records import After, Before, End

Database: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

USER = "INSERT INTO users (id, revision, created_at, live_tasks) VALUES ($1, 5, now(), $2)"
INSERT = """
INSERT INTO tasks (user_id, id, title, title_key, completed, created_at, updated_at, revision)
SELECT $1, md5($1 || n)::uuid, 'Task ' || n, 'task ' || n, false, '2026-01-01Z', '2026-01-01Z', 5
  FROM generate_series(1, $2::integer) AS n RETURNING id
"""
UPDATE = """
UPDATE tasks SET title = $3, title_key = lower($3), revision = revision + 1 WHERE user_id = $1 AND id = $2
"""


@pytest.fixture
async def storage(migrated_database: str) -> AsyncIterator[Storage]:
    """A database of its own, because words are made for all users."""
    engine = create_engine(DatabaseConfig(url=migrated_database))
    yield in_postgres(engine)
    await engine.dispose()


async def rows_of_an_earlier_version(database: Database, user_id: str, count: int) -> list[UUID]:
    """Create tasks at one moment, as a batch does."""
    await database.execute(USER, user_id, count)
    return sorted(row["id"] for row in await database.fetch(INSERT, user_id, count))


async def search(storage: Storage, user_id: str, q: str) -> set[UUID]:
    page = await storage.tasks.page(user_id, TaskQuery(filter=TaskFilter(q=q)))
    return {task.id for task in page.tasks}


async def index_all(storage: Storage, limit: int) -> int:
    total = 0
    while found := await storage.housekeeping.index_words(limit):
        assert found <= limit
        total += found
    return total


async def test_they_become_searchable(storage: Storage, own_database: Database) -> None:
    for user_id in ("ada", "bob"):
        await rows_of_an_earlier_version(own_database, user_id, 7)
    before = await storage.tasks.page("ada", TaskQuery())
    assert await search(storage, "ada", "task") == set()

    assert await index_all(storage, 4) == 14

    assert len(await search(storage, "ada", "task")) == 7
    assert len(await search(storage, "bob", "task 7")) == 1
    assert await storage.tasks.page("ada", TaskQuery()) == before  # nothing that a client sees has changed


async def test_what_an_earlier_version_changes_later_becomes_searchable_again(
    storage: Storage, own_database: Database
) -> None:
    task_id, *_ = await rows_of_an_earlier_version(own_database, "ada", 3)
    await index_all(storage, 10)
    await own_database.execute(UPDATE, "ada", task_id, "Pear")
    assert await index_all(storage, 10) == 1
    assert await search(storage, "ada", "pear") == {task_id}
    assert len(await search(storage, "ada", "task")) == 2


async def test_what_came_into_the_trash_and_back_becomes_searchable(storage: Storage, own_database: Database) -> None:
    task_id, *_ = await rows_of_an_earlier_version(own_database, "ada", 3)
    task = await storage.tasks.get("ada", task_id)
    assert await storage.tasks.remove("ada", task_id, now=task.created_at)
    assert await index_all(storage, 10) == 2
    assert await storage.tasks.restore("ada", task_id)
    assert await index_all(storage, 10) == 1
    assert len(await search(storage, "ada", "task")) == 3


async def test_tasks_that_others_change_are_left_for_the_next_time(
    storage: Storage, own_database: Database, migrated_database: str
) -> None:
    task_id, *_ = await rows_of_an_earlier_version(own_database, "ada", 3)
    other = await asyncpg.connect(migrated_database)
    transaction = other.transaction()
    await transaction.start()
    await other.execute(UPDATE, "ada", task_id, "Pear")
    await asyncio.wait_for(storage.housekeeping.index_words(10), timeout=10)
    await transaction.commit()
    await other.close()
    assert len(await search(storage, "ada", "task")) == 2
    assert await index_all(storage, 10) == 1
    assert await search(storage, "ada", "pear") == {task_id}


@pytest.mark.parametrize("count", [2, 100, 500])
async def test_tasks_of_one_moment_can_be_moved_between(storage: Storage, own_database: Database, count: int) -> None:
    wanted = await rows_of_an_earlier_version(own_database, "ada", count)

    async def order() -> list[UUID]:
        return [task.id for task in await in_order(storage, "ada")]

    assert await order() == wanted
    moves: list[tuple[int, Callable[[UUID], Any], int]] = [
        (0, After, count // 2),
        (count - 1, Before, 1),
        (count // 2, Before, count - 1),
        (1, After, 0),
    ]
    for number, place, neighbour in moves:
        task_id, other = wanted[number], wanted[neighbour]
        if task_id == other:
            continue
        await do(storage, "ada", Move(task_id, place(other)))
        wanted.remove(task_id)
        wanted.insert(wanted.index(other) + (place is After), task_id)
        assert await order() == wanted
    await do(storage, "ada", Move(wanted[-1], End.START))
    assert await order() == [wanted[-1], *wanted[:-1]]


async def test_they_have_the_defaults_of_new_fields(
    connect: Callable[..., Service], database: Database, user_id: str
) -> None:
    (task_id,) = await rows_of_an_earlier_version(database, user_id, 1)
    task = await connect().tasks.get(user_id, task_id)
    assert (task.list_id, task.priority, task.tags, task.checklist, task.recurrence) == (None, "none", (), (), None)
