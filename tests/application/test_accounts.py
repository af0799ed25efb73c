"""Use cases of the account, over the in-memory repositories."""

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any, TypeVar
from unittest.mock import Mock, call, create_autospec
from uuid import UUID, uuid4

import pytest
from tests.domain.builders import NOW, START, a_task, later
from tests.storages import Storage, in_memory

from todo_api.adapters.memory.repository import InMemoryTaskRepository
from todo_api.application.accounts import CHUNK, AccountService, Imported
from todo_api.application.change_feed import ChangeFeed
from todo_api.domain.changes import SyncPoint
from todo_api.domain.errors import (
    IncompleteImportError,
    InvalidValueError,
    QuotaExceededError,
    RepositoryUnavailableError,
    TodoError,
)
from todo_api.domain.idempotency import Edited
from todo_api.domain.selection import Selection
from todo_api.domain.task import Task
from todo_api.domain.workspace import Workspace

USER = "ada"


@pytest.fixture
def storage() -> Storage:
    return in_memory()


@pytest.fixture
def feed() -> Mock:
    return Mock(spec=ChangeFeed)


Make = Callable[..., AccountService]


@pytest.fixture
def make(storage: Storage, feed: Mock) -> Make:
    def service(quota: int | None = None, now: datetime = NOW) -> AccountService:
        return AccountService(storage.accounts, storage.tasks, feed, clock=lambda: now, new_id=uuid4, quota=quota)

    return service


def numbered(*numbers: int) -> list[Task]:
    return [a_task(USER, task_id=UUID(int=number)) for number in numbers]


async def given(tasks: list[Task], error: TodoError | None = None) -> AsyncIterator[Task]:
    for task in tasks:
        yield task
    if error:
        raise error


async def kept(storage: Storage) -> list[int]:
    return [task.id.int for task in await storage.accounts.export(USER, 10_000)]


@pytest.mark.parametrize("count", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK])
async def test_an_export_comes_in_pages(make: Make, storage: Storage, count: int) -> None:
    for task in numbered(*range(count)):
        await storage.tasks.add(task)
    export = await make().export(USER)
    pages = [page async for page in export.tasks]
    assert [task.id.int for page in pages for task in page] == list(range(count))
    assert all(0 < len(page) <= CHUNK for page in pages)
    assert export.exported_at == NOW


async def test_an_export_fails_at_once_without_the_storage(storage: Storage, feed: Mock) -> None:
    away = create_autospec(storage.accounts, instance=True)
    away.export.side_effect = RepositoryUnavailableError
    with pytest.raises(RepositoryUnavailableError):
        await AccountService(away, storage.tasks, feed, clock=lambda: NOW, new_id=uuid4).export(USER)


@pytest.mark.parametrize(("count", "writes"), [(1, 0), (CHUNK, 1), (2 * CHUNK + 1, 3)])
async def test_an_import_stores_new_tasks(make: Make, storage: Storage, feed: Mock, count: int, writes: int) -> None:
    (there,) = numbered(count // 2)
    there = await storage.tasks.add(there)
    changed = [a_task(USER, task_id=UUID(int=number), title="Imported") for number in range(count)]

    assert await make().import_all(USER, given(changed)) == Imported(count - 1, 1)
    assert await storage.tasks.get(USER, there.id) == there
    assert await kept(storage) == list(range(count))
    assert feed.announce.call_args_list == writes * [call(USER)]

    feed.announce.reset_mock()
    assert await make().import_all(USER, given(changed)) == Imported(0, count)
    assert not feed.announce.called
    assert (await storage.accounts.account(USER, NOW)).revision == START + 1 + writes


async def test_an_empty_import_creates_no_account(make: Make, storage: Storage) -> None:
    assert await make().import_all(USER, given([])) == Imported(0, 0)
    assert (await storage.accounts.account(USER, NOW)).first_seen_at is None


async def test_a_repeated_task_is_imported_once(make: Make, storage: Storage) -> None:
    assert await make().import_all(USER, given(numbered(1, 2, 1))) == Imported(2, 1)
    assert await kept(storage) == [1, 2]


@pytest.mark.parametrize("count", [0, 5, CHUNK, CHUNK + 5])
async def test_tasks_before_an_error_are_kept(make: Make, storage: Storage, count: int) -> None:
    await storage.tasks.add(numbered(0)[0])
    error = InvalidValueError("is bad")
    with pytest.raises(IncompleteImportError) as raised:
        await make().import_all(USER, given(numbered(*range(count)), error))
    assert raised.value.error is error
    assert (raised.value.imported, raised.value.skipped) == (max(count - 1, 0), min(count, 1))
    assert len(await kept(storage)) == max(count, 1)


async def test_an_import_stops_at_the_quota(make: Make, storage: Storage, feed: Mock) -> None:
    await storage.tasks.add(numbered(0)[0])
    trashed = a_task(USER, task_id=UUID(int=9)).discard(now=NOW)
    tasks = [*numbered(1, 0), trashed, *numbered(2, 3, 4)]
    with pytest.raises(IncompleteImportError) as raised:
        await make(quota=3).import_all(USER, given(tasks))
    assert isinstance(raised.value.error, QuotaExceededError)
    assert (raised.value.imported, raised.value.skipped) == (3, 1)
    assert await kept(storage) == [0, 1, 2, 9]
    feed.announce.assert_called_once_with(USER)
    assert await make(quota=3).import_all(USER, given(tasks[:4])) == Imported(0, 4)


T = TypeVar("T")


class RetryingRepository(InMemoryTaskRepository):
    """Calls `decide` once more, as after a lost connection, with a smaller quota."""

    async def edit(
        self, user_id: str, selection: Selection, decide: Callable[[Workspace], T], **options: Any
    ) -> Edited[T]:
        decide(Workspace(user_id, [], revision=1, next_revision=2, live_tasks=1, quota=2, now=NOW, new_id=uuid4))
        return await super().edit(user_id, selection, decide, **options)


async def test_a_retried_edit_is_counted_once(storage: Storage, feed: Mock) -> None:
    service = AccountService(storage.accounts, RetryingRepository(), feed, clock=lambda: NOW, new_id=uuid4, quota=2)
    assert await service.import_all(USER, given(numbered(1, 2))) == Imported(2, 0)


async def test_a_deletion_in_the_future_counts_as_now(make: Make, storage: Storage) -> None:
    deleted = [a_task(USER, task_id=UUID(int=age)).discard(now=later(1 - age)) for age in range(3)]
    await make().import_all(USER, given([*deleted]))
    assert [task.deleted_at for task in (await storage.tasks.trash(USER, 9)).tasks] == [NOW, NOW, later(-1)]


async def test_an_erasure_is_announced(make: Make, storage: Storage, feed: Mock) -> None:
    await storage.tasks.add(numbered(0)[0])
    await make().erase(USER)
    assert await kept(storage) == []
    feed.announce.assert_called_once_with(USER)
    assert (await storage.tasks.changes(USER, SyncPoint(), 10)).next == SyncPoint()


async def test_overdue_tasks_are_counted_at_the_current_time(make: Make, storage: Storage) -> None:
    await storage.tasks.add(a_task(USER, due_date=NOW))
    assert [(await make(now=now).account(USER)).overdue for now in (NOW, later(1))] == [0, 1]
