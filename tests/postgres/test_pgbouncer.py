"""Behind PgBouncer in transaction mode, where the next statement may run on another server connection."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from uuid import uuid4

import pytest
from tests.conftest import new_user_id
from tests.domain.builders import NOW, START, a_task
from tests.pooler import MISSING, PGBOUNCER, direct, open_pooler
from tests.postgres.proxy import open_proxy
from tests.postgres.running import Service
from tests.postgres.storm import follow_many_writers

from todo_api.adapters.memory.change_feed import InMemoryChangeFeed
from todo_api.adapters.sqlalchemy.task_repository import SqlAlchemyTaskRepository
from todo_api.application.tasks import TaskService
from todo_api.domain.errors import TaskNotFoundError
from todo_api.domain.listing import Order, Sort, Status, TaskQuery
from todo_api.domain.task_changes import TaskChanges

SERVERS = 2
CLIENTS = 24

pytestmark = pytest.mark.skipif(PGBOUNCER is None, reason=MISSING)


@pytest.fixture
def pooler_url(database_url: str, tmp_path: Path) -> Iterator[str]:
    with open_pooler(direct(database_url), tmp_path, connections=SERVERS) as url:
        yield url


@pytest.fixture
def repositories(pooler_url: str, connect: Callable[..., Service]) -> list[SqlAlchemyTaskRepository]:
    """Three repositories, as three processes of the service have."""
    return [connect(pooler_url, pool_size=8).tasks for _ in range(3)]


async def live(repository: SqlAlchemyTaskRepository, user_id: str, shared: str) -> None:
    """Run all calls of a client, in an order that mixes the statements on each server connection."""
    task = await repository.add(a_task(user_id, title=user_id))
    assert await repository.get(user_id, task.id) == task
    for number in range(5):
        saved = await repository.save(replace(task, title=f"{user_id} {number}"))
        assert saved == replace(task, title=f"{user_id} {number}", revision=task.revision + 1)
        assert await repository.save(task) is None
        task = saved
        for sort, status in product(Sort, Status):
            page = await repository.page(user_id, TaskQuery(sort=sort, order=Order.ASC, status=status))
            assert page.revision == task.revision
            assert page.tasks == ([] if status is Status.COMPLETED else [task])
        await repository.add(a_task(shared))
    assert not await repository.remove(user_id, task.id, task.revision - 1, now=NOW)
    assert await repository.remove(user_id, task.id, task.revision, now=NOW)
    with pytest.raises(TaskNotFoundError):
        await repository.get(user_id, task.id)
    await repository.check()


async def test_many_clients_share_two_server_connections(
    repositories: list[SqlAlchemyTaskRepository], postgres_repository: SqlAlchemyTaskRepository, user_id: str
) -> None:
    await asyncio.gather(
        *(live(repositories[number % 3], new_user_id(), user_id) for number in range(CLIENTS)),
    )

    page = await postgres_repository.page(user_id, TaskQuery())
    assert sorted(task.revision for task in page.tasks) == list(range(START + 1, START + CLIENTS * 5 + 1))


async def test_changes_of_one_task_by_several_processes_lose_nothing(
    repositories: list[SqlAlchemyTaskRepository], user_id: str
) -> None:
    services = [
        TaskService(repository, InMemoryChangeFeed(), clock=lambda: NOW, new_id=uuid4) for repository in repositories
    ]
    task = await services[0].create(user_id, TaskChanges(title="Toggled"))

    await asyncio.gather(*(services[number % 3].complete(user_id, task.id, None) for number in range(60)))

    kept = await services[0].get(user_id, task.id)
    assert (kept.completed, kept.revision) == (False, task.revision + 60)


async def test_copies_miss_no_write_of_many_processes(
    repositories: list[SqlAlchemyTaskRepository], database_url: str, user_id: str
) -> None:
    await follow_many_writers(database_url, user_id, repositories * 3, repositories[0], limits=[1, 5, 50])


async def test_a_statement_costs_one_round_trip_also_behind_a_pooler(
    pooler_url: str, connect: Callable[..., Service], user_id: str
) -> None:
    async with open_proxy(pooler_url) as proxy:
        repository = connect(proxy.url, pool_size=1).tasks
        task = await repository.add(a_task(user_id))
        await repository.get(user_id, task.id)

        with proxy.counted(1):
            await repository.add(a_task(user_id))
        with proxy.counted(1):
            await repository.get(user_id, task.id)
