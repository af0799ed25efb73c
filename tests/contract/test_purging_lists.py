"""What housekeeping purges of lists; the same for every storage. These tests have their own database."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from tests.contract.doing import a_list, do, in_order, trashed
from tests.domain.builders import NOW, START, a_task, later
from tests.storages import Storage

from todo_api.adapters.sqlalchemy.driver import DatabaseConfig
from todo_api.adapters.sqlalchemy.engine import FairEngine, create_engine
from todo_api.domain.changes import SyncPoint
from todo_api.domain.errors import ForgottenRevisionError, ListNotFoundError
from todo_api.domain.operations import DeleteList, RestoreList

MANY = 1000


@pytest.fixture(scope="module")
async def engine(own_database: str) -> AsyncIterator[FairEngine]:
    engine = create_engine(DatabaseConfig(url=own_database))
    yield engine
    await engine.dispose()


@pytest.fixture(autouse=True)
async def nothing_from_before(storage: Storage) -> None:
    await storage.housekeeping.purge_trash(NOW + timedelta(days=999), MANY)
    await storage.housekeeping.purge_tombstones(NOW + timedelta(days=999), MANY)


async def test_old_lists_are_purged_from_the_trash_and_their_tombstones_stay(storage: Storage, user_id: str) -> None:
    old, young, live = [await a_list(storage, user_id) for _ in range(3)]
    await do(storage, user_id, DeleteList(old.id), now=later(-30))
    await do(storage, user_id, DeleteList(young.id), now=later(-10))

    assert await storage.housekeeping.purge_trash(later(-10), MANY) == 1
    assert await storage.housekeeping.purge_trash(later(-10), MANY) == 0

    assert [gone.id for gone in await storage.lists.trashed_lists(user_id, 1000)] == [young.id]
    with pytest.raises(ListNotFoundError):
        await do(storage, user_id, RestoreList(old.id))
    changes = await storage.tasks.changes(user_id, SyncPoint(), MANY)
    assert {gone.id for gone in changes.deleted_lists} == {old.id, young.id}
    assert changes.lists == [live]


async def test_a_task_whose_list_was_purged_comes_back_in_the_inbox(storage: Storage, user_id: str) -> None:
    made = await a_list(storage, user_id)
    task = await storage.tasks.add(a_task(user_id, list_id=made.id))
    await storage.tasks.remove(user_id, task.id, now=NOW)
    await do(storage, user_id, DeleteList(made.id), now=later(-30))
    assert await storage.housekeeping.purge_trash(NOW, MANY) == 1
    assert await trashed(storage, user_id) == {task.id}
    assert await storage.tasks.restore(user_id, task.id)
    assert [task.list_id for task in await in_order(storage, user_id)] == [None]


async def test_a_limit_counts_tasks_and_lists(storage: Storage, user_id: str) -> None:
    lists = [await a_list(storage, user_id) for _ in range(3)]
    for made in lists:
        await storage.tasks.add(a_task(user_id, list_id=made.id))
        await do(storage, user_id, DeleteList(made.id), now=later(-30))
    for purge in (storage.housekeeping.purge_trash, storage.housekeeping.purge_tombstones):
        assert [await purge(NOW, 4) for _ in range(3)] == [4, 2, 0]
    assert await trashed(storage, user_id) == set()
    assert await storage.lists.trashed_lists(user_id, 1000) == []


async def test_a_client_behind_a_purged_tombstone_of_a_list_loads_everything_again(
    storage: Storage, user_id: str
) -> None:
    old, young = [await a_list(storage, user_id) for _ in range(2)]
    await do(storage, user_id, DeleteList(old.id), now=later(-30))
    await do(storage, user_id, DeleteList(young.id), now=NOW)

    assert await storage.housekeeping.purge_tombstones(NOW, MANY) == 1

    for revision in (1, 2):
        with pytest.raises(ForgottenRevisionError):
            await storage.tasks.changes(user_id, SyncPoint(START + revision), MANY)
    for since in (SyncPoint(), SyncPoint(START + 3)):
        changes = await storage.tasks.changes(user_id, since, MANY)
        assert [gone.id for gone in changes.deleted_lists] == [young.id]


async def test_a_list_outlives_its_tombstone_in_the_trash(storage: Storage, user_id: str) -> None:
    made = await a_list(storage, user_id)
    await do(storage, user_id, DeleteList(made.id), now=later(-30))
    assert await storage.housekeeping.purge_tombstones(NOW, MANY) == 1
    (restored,) = await do(storage, user_id, RestoreList(made.id))
    changes = await storage.tasks.changes(user_id, SyncPoint(START + 2), MANY)
    assert (changes.lists, changes.deleted_lists) == ([restored], [])
