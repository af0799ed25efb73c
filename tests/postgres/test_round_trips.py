"""One round trip for a read or a create, two for a change."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import Text, column, select, table
from tests.codecs import AsBytes
from tests.contract.doing import DAILY, a_list
from tests.domain.builders import NOW, a_task, later
from tests.postgres.proxy import Proxy, open_proxy
from tests.postgres.running import Service
from tests.storages import in_postgres

from todo_api.adapters.memory.change_feed import InMemoryChangeFeed
from todo_api.adapters.sqlalchemy.task_repository import SqlAlchemyTaskRepository
from todo_api.application.batches import BatchService
from todo_api.application.tasks import TaskService
from todo_api.domain.changes import SyncPoint
from todo_api.domain.filters import TaskFilter
from todo_api.domain.idempotency import IdempotencyKey
from todo_api.domain.listing import TaskQuery
from todo_api.domain.operations import Change, Create, Operation
from todo_api.domain.overview import DueViews
from todo_api.domain.task import Task
from todo_api.domain.task_changes import TaskChanges


@pytest.fixture
async def proxy(database_url: str) -> AsyncIterator[Proxy]:
    async with open_proxy(database_url) as proxy:
        yield proxy


@pytest.fixture
async def repository(proxy: Proxy, connect: Callable[..., Service]) -> SqlAlchemyTaskRepository:
    return connect(proxy.url, pool_size=1).tasks


async def use_everything(repository: SqlAlchemyTaskRepository, user_id: str) -> Task:
    """Run each statement once, because the first run on a connection prepares it."""
    task = await repository.add(a_task(user_id))
    assert await repository.get(user_id, task.id) == task
    saved = await repository.save(replace(task, title="Changed"))
    assert (await repository.page(user_id, TaskQuery())).tasks == [saved]
    assert await repository.remove(user_id, task.id, now=NOW)
    assert not await repository.remove(user_id, task.id, 1, now=NOW)
    await repository.check()
    return await repository.add(a_task(user_id))


async def test_each_call_of_the_repository_is_one_round_trip(
    repository: SqlAlchemyTaskRepository, proxy: Proxy, user_id: str
) -> None:
    task = await use_everything(repository, user_id)

    with proxy.counted(1):
        await repository.get(user_id, task.id)
    with proxy.counted(1):
        page = await repository.page(user_id, TaskQuery())
    with proxy.counted(1):
        await repository.page(user_id, TaskQuery(), [page.revision])
    with proxy.counted(1):
        await repository.add(a_task(user_id))
    with proxy.counted(1):
        saved = await repository.save(replace(task, title="Changed"))
    with proxy.counted(1):
        assert not await repository.remove(user_id, task.id, task.revision, now=NOW)
    with proxy.counted(1):
        assert saved
        assert await repository.remove(user_id, task.id, now=NOW)
    with proxy.counted(1):
        await repository.check()


async def test_a_use_case_costs_one_round_trip_and_a_change_two(
    repository: SqlAlchemyTaskRepository, proxy: Proxy, user_id: str
) -> None:
    service = TaskService(repository, InMemoryChangeFeed(), clock=lambda: later(1), new_id=uuid4)
    task = await use_everything(repository, user_id)

    with proxy.counted(1):
        await service.create(user_id, TaskChanges(title="New"))
    with proxy.counted(1):
        await service.get(user_id, task.id)
    with proxy.counted(1):
        await service.page(user_id, TaskQuery())
    with proxy.counted(2):
        changed = await service.change(user_id, task.id, TaskChanges(title="Other"))
    with proxy.counted(1):
        await service.change(user_id, task.id, TaskChanges(title="Other"))  # changes nothing
    with proxy.counted(2):
        completed = await service.complete(user_id, task.id, None, {changed.revision})
    with proxy.counted(1):
        await service.delete(user_id, task.id)
    assert completed.completed_at == later(1)
    assert task.created_at == NOW


async def test_lists_and_series_cost_as_many_round_trips(
    repository: SqlAlchemyTaskRepository, proxy: Proxy, user_id: str
) -> None:
    """One for reads and creates, two for a change, three for the completion of an occurrence."""
    storage = in_postgres(repository.engine, hot_path=False)  # type: ignore[arg-type] # the engine of `connect`
    storage = replace(storage, tasks=repository)
    service = TaskService(repository, InMemoryChangeFeed(), clock=lambda: later(1), new_id=uuid4)
    made = await a_list(storage, user_id)
    views, wanted = DueViews.at(NOW, "UTC"), TaskQuery(filter=TaskFilter(list_id=made.id, tags=("a",), q="wat"))

    async def everything() -> None:
        """All statements are prepared once before they are counted."""
        values = TaskChanges(title="Water", list_id=made.id, due_date=NOW.date(), recurrence=DAILY, tags=["a"])
        with counted(1):
            task = await service.create(user_id, values)
        with counted(2):
            await service.change(user_id, task.id, TaskChanges(title="Water more", list_id=made.id))
        with counted(2):
            await service.change(user_id, task.id, TaskChanges(list_id=None))
        with counted(2):  # at most three
            done = await service.complete(user_id, task.id, completed=True)
        assert done.next_id
        with counted(1):
            await service.changes(user_id, SyncPoint(), 50)
        with counted(1):
            await service.page(user_id, wanted)
        with counted(1):
            await storage.accounts.counts(user_id, views)
        with counted(1):
            await storage.accounts.tags(user_id)
        with counted(1):
            await storage.lists.lists(user_id)
        with counted(1):
            await storage.lists.get_list(user_id, made.id)
        with counted(1):
            await storage.lists.trashed_lists(user_id, 1000)

    counted: Callable[[int], AbstractContextManager[None]] = lambda _: nullcontext()  # noqa: E731
    await everything()
    counted = proxy.counted
    await everything()


async def test_a_batch_costs_five_round_trips_and_so_does_a_create_with_a_key(
    repository: SqlAlchemyTaskRepository, proxy: Proxy, user_id: str
) -> None:
    batches = BatchService(repository, InMemoryChangeFeed(), clock=lambda: later(1), new_id=uuid4)
    task = await use_everything(repository, user_id)
    new = TaskChanges(title="New")

    async def hundred() -> None:
        operations: list[Operation] = [
            Change(task.id, TaskChanges(title=str(uuid4()))),
            *(Create(uuid4(), new) for _ in range(99)),
        ]
        await batches.run(user_id, operations, lambda *_: b"")

    async def one(key: str) -> None:
        await batches.run(
            user_id,
            [Create(uuid4(), new, is_fresh=True)],
            lambda *_: b"",
            key=IdempotencyKey(key, b"", AsBytes()),
        )

    await hundred()  # the statements are prepared
    await one("1")
    with proxy.counted(5):  # begin, lock, load, write, commit
        await hundred()
    with proxy.counted(5):  # begin, claim the key, lock, write, commit
        await one("2")
    with proxy.counted(4):  # begin, claim, lock, commit
        await one("2")


async def test_a_server_that_is_reached_directly_parses_each_statement_once(
    connect: Callable[..., Service], server_url: str, new_user_id: Callable[[], str]
) -> None:
    service = connect(server_url, pool_size=1)
    repository = service.tasks
    for _ in range(3):
        await use_everything(repository, new_user_id())

    shown = select(column("name", Text), column("statement", Text)).select_from(table("pg_prepared_statements"))
    prepared = await service.read(shown, {})
    assert "" not in {row["name"] for row in prepared}
    texts = [row["statement"] for row in prepared]
    assert len(texts) == len(set(texts))
    assert sum("tasks" in text for text in texts) == 6  # as many as `use_everything` has to use
