"""Deleting and restoring lists, and what happens to their tasks; the same for every storage."""

from dataclasses import replace
from uuid import uuid4

import pytest
from tests.contract.doing import a_list, do, in_order, trashed
from tests.domain.builders import START, a_task, later
from tests.storages import Storage

from todo_api.domain.changes import SyncPoint
from todo_api.domain.errors import (
    InvalidFieldError,
    ListNotFoundError,
    ListNotInTrashError,
    QuotaExceededError,
    RevisionMismatchError,
)
from todo_api.domain.operations import (
    ChangeList,
    Create,
    CreateList,
    Delete,
    DeleteList,
    EmptyTrash,
    Purge,
    Restore,
    RestoreList,
)
from todo_api.domain.task_changes import TaskChanges
from todo_api.domain.task_list import MAX_LISTS, ListChanges


async def test_a_deleted_list_takes_its_tasks_to_the_trash_at_one_revision(storage: Storage, user_id: str) -> None:
    made, other = await a_list(storage, user_id), await a_list(storage, user_id)
    inside = [await storage.tasks.add(a_task(user_id, list_id=made.id)) for _ in range(3)]
    outside = [await storage.tasks.add(a_task(user_id, list_id=list_id)) for list_id in (None, other.id)]

    assert await do(storage, user_id, DeleteList(made.id), now=later(9)) == [None]

    assert await in_order(storage, user_id) == outside
    with pytest.raises(ListNotFoundError):
        await storage.lists.get_list(user_id, made.id)
    (gone,) = await storage.lists.trashed_lists(user_id, 1000)
    assert gone == replace(made, revision=START + 8).discard(now=later(9))
    trash = (await storage.tasks.trash(user_id, 10)).tasks
    assert sorted(trash, key=lambda task: task.position) == [
        replace(task, revision=START + 8).discard(now=later(9)) for task in inside
    ]
    changes = await storage.tasks.changes(user_id, SyncPoint(START + 7), 10)
    assert {gone.id for gone in changes.deleted} == {task.id for task in inside}
    assert [(one.id, one.revision) for one in changes.deleted_lists] == [(made.id, START + 8)]
    assert (changes.tasks, changes.lists) == ([], [])
    account = await storage.accounts.account(user_id, later(9))
    assert (account.pending, account.trash) == (2, 3)
    assert await storage.accounts.export_lists(user_id, 1000) == sorted([gone, other], key=lambda item: item.id)


async def test_a_list_can_leave_its_tasks_in_the_inbox(storage: Storage, user_id: str) -> None:
    made = await a_list(storage, user_id)
    kept, before = [await storage.tasks.add(a_task(user_id, list_id=made.id)) for _ in range(2)]
    await storage.tasks.remove(user_id, before.id, now=later(1))

    await do(storage, user_id, DeleteList(made.id, keep_tasks=True), now=later(9))

    assert await in_order(storage, user_id) == [replace(kept, list_id=None, updated_at=later(9), revision=START + 5)]
    await do(storage, user_id, RestoreList(made.id))
    assert [task.list_id for task in await in_order(storage, user_id)] == [None]
    assert await trashed(storage, user_id) == {before.id}
    restored = await storage.tasks.restore(user_id, before.id)
    assert restored
    assert restored.list_id == made.id


async def test_a_restored_list_brings_back_the_tasks_that_went_with_it(storage: Storage, user_id: str) -> None:
    made = await a_list(storage, user_id)
    went, purged, restored, before = [await storage.tasks.add(a_task(user_id, list_id=made.id)) for _ in range(4)]
    await storage.tasks.remove(user_id, before.id, now=later(1))
    await do(storage, user_id, DeleteList(made.id), now=later(2))
    await storage.tasks.purge(user_id, purged.id)
    alone = await storage.tasks.restore(user_id, restored.id)
    assert alone == replace(restored, list_id=None, revision=START + 8)
    await storage.tasks.remove(user_id, restored.id, now=later(3))

    (back,) = await do(storage, user_id, RestoreList(made.id), now=later(4))

    assert back == replace(made, revision=START + 10)
    assert await storage.lists.lists(user_id) == ([back], START + 10)
    assert await in_order(storage, user_id) == [replace(went, revision=START + 10)]
    assert await trashed(storage, user_id) == {before.id, restored.id}
    changes = await storage.tasks.changes(user_id, SyncPoint(START + 7), 10)
    assert [task.id for task in changes.tasks] == [went.id]
    assert changes.lists == [back]
    assert changes.deleted_lists == []
    assert await storage.lists.trashed_lists(user_id, 1000) == []


async def test_only_the_tasks_of_the_last_deletion_come_back(storage: Storage, user_id: str) -> None:
    made = await a_list(storage, user_id)
    first, second = [await storage.tasks.add(a_task(user_id, list_id=made.id)) for _ in range(2)]
    await do(storage, user_id, DeleteList(made.id), now=later(1))
    await do(storage, user_id, RestoreList(made.id), now=later(2))
    await storage.tasks.remove(user_id, first.id, now=later(3))
    await do(storage, user_id, DeleteList(made.id), now=later(4))
    await do(storage, user_id, RestoreList(made.id), now=later(5))
    assert [task.id for task in await in_order(storage, user_id)] == [second.id]
    assert await trashed(storage, user_id) == {first.id}


@pytest.mark.parametrize("in_batch", [False, True])
async def test_a_task_whose_list_is_gone_comes_back_in_the_inbox(
    storage: Storage, user_id: str, *, in_batch: bool
) -> None:
    made = await a_list(storage, user_id)
    task = await storage.tasks.add(a_task(user_id, list_id=made.id))
    await do(storage, user_id, DeleteList(made.id))
    restored = (
        (await do(storage, user_id, Restore(task.id)))[0] if in_batch else await storage.tasks.restore(user_id, task.id)
    )
    assert restored == replace(task, list_id=None, revision=START + 4)
    assert await storage.tasks.get(user_id, task.id) == restored


@pytest.mark.parametrize("in_batch", [False, True])
async def test_a_task_comes_back_into_its_list(storage: Storage, user_id: str, *, in_batch: bool) -> None:
    made = await a_list(storage, user_id)
    task = await storage.tasks.add(a_task(user_id, list_id=made.id))
    await storage.tasks.remove(user_id, task.id, now=later(1))
    restored = (
        (await do(storage, user_id, Restore(task.id)))[0] if in_batch else await storage.tasks.restore(user_id, task.id)
    )
    assert restored == replace(task, revision=START + 4)


async def test_a_task_that_is_deleted_and_restored_in_one_batch_stays_in_its_list(
    storage: Storage, user_id: str
) -> None:
    made = await a_list(storage, user_id)
    task = await storage.tasks.add(a_task(user_id, list_id=made.id))
    _, restored = await do(storage, user_id, Delete(task.id), Restore(task.id))
    assert restored == replace(task, revision=START + 3)
    *_, again = await do(storage, user_id, DeleteList(made.id), Restore(task.id))
    assert again == replace(task, list_id=None, revision=START + 4)


async def test_a_batch_can_delete_and_restore_a_list_that_it_filled(storage: Storage, user_id: str) -> None:
    list_id, task_id = uuid4(), uuid4()
    create = Create(task_id, TaskChanges(title="New", list_id=list_id))
    made, task, _ = await do(
        storage, user_id, CreateList(list_id, ListChanges(name="New")), create, DeleteList(list_id)
    )
    assert (made.id, task.list_id) == (list_id, list_id)
    assert await trashed(storage, user_id) == {task_id}
    await do(storage, user_id, RestoreList(list_id), DeleteList(list_id), RestoreList(list_id))
    assert [task.list_id for task in await in_order(storage, user_id)] == [list_id]
    with pytest.raises(InvalidFieldError):
        await do(storage, user_id, DeleteList(list_id), Purge(task_id), create)
    assert [task.id for task in await in_order(storage, user_id)] == [task_id]


async def test_what_cannot_be_deleted_or_restored_is_refused(storage: Storage, user_id: str) -> None:
    made = await a_list(storage, user_id)
    with pytest.raises(ListNotInTrashError):
        await do(storage, user_id, RestoreList(made.id))
    with pytest.raises(ListNotFoundError):
        await do(storage, user_id, RestoreList(uuid4()))
    with pytest.raises(RevisionMismatchError):
        await do(storage, user_id, DeleteList(made.id, if_revisions={made.revision - 1}))
    await do(storage, user_id, DeleteList(made.id, if_revisions={made.revision}))
    for operation in (DeleteList(made.id), ChangeList(made.id, ListChanges(name="New"))):
        with pytest.raises(ListNotFoundError):
            await do(storage, user_id, operation)
    with pytest.raises(RevisionMismatchError):
        await do(storage, user_id, RestoreList(made.id, {made.revision}))
    with pytest.raises(InvalidFieldError):
        await storage.tasks.add(a_task(user_id, list_id=made.id))
    assert (await storage.lists.lists(user_id)) == ([], START + 2)


async def test_a_list_that_does_not_fit_the_quotas_stays_in_the_trash(storage: Storage, user_id: str) -> None:
    made = await a_list(storage, user_id)
    for _ in range(2):
        await storage.tasks.add(a_task(user_id, list_id=made.id))
    await do(storage, user_id, DeleteList(made.id))
    await storage.tasks.add(a_task(user_id))
    with pytest.raises(QuotaExceededError):
        await do(storage, user_id, RestoreList(made.id), quota=2)
    assert len(await trashed(storage, user_id)) == 2
    await do(storage, user_id, *(CreateList(uuid4(), ListChanges(name="Many")) for _ in range(MAX_LISTS)))
    with pytest.raises(QuotaExceededError):
        await do(storage, user_id, RestoreList(made.id), quota=3)
    assert len(await storage.lists.trashed_lists(user_id, 1000)) == 1


async def test_lists_are_exported_in_pages(storage: Storage, user_id: str) -> None:
    made = sorted([await a_list(storage, user_id) for _ in range(3)], key=lambda item: item.id)
    assert await storage.accounts.export_lists(user_id, 2) == made[:2]
    assert await storage.accounts.export_lists(user_id, 2, made[1].id) == made[2:]
    assert await storage.accounts.export_lists(user_id, 2, made[2].id) == []


async def test_the_trash_of_lists_shows_the_most_recently_deleted_first(storage: Storage, user_id: str) -> None:
    made = [await a_list(storage, user_id) for _ in range(4)]
    for item, second in zip(made, (5, 9, 1, 7), strict=True):
        await do(storage, user_id, DeleteList(item.id), now=later(second))
    assert [gone.id for gone in await storage.lists.trashed_lists(user_id, 1000)] == [made[i].id for i in (1, 3, 0, 2)]
    assert [gone.id for gone in await storage.lists.trashed_lists(user_id, 2)] == [made[i].id for i in (1, 3)]


async def test_emptying_the_trash_of_tasks_leaves_lists_there(storage: Storage, user_id: str) -> None:
    made = await a_list(storage, user_id)
    await storage.tasks.add(a_task(user_id, list_id=made.id))
    await do(storage, user_id, DeleteList(made.id))
    await do(storage, user_id, EmptyTrash())
    assert await trashed(storage, user_id) == set()
    await do(storage, user_id, RestoreList(made.id))
    assert await in_order(storage, user_id) == []
    assert len((await storage.lists.lists(user_id))[0]) == 1


async def test_a_task_that_went_with_its_list_before_it_was_saved_is_gone(storage: Storage, user_id: str) -> None:
    made = await a_list(storage, user_id)
    gone, kept = [await storage.tasks.add(a_task(user_id, list_id=made.id)) for _ in range(2)]
    other = await a_list(storage, user_id)
    await do(storage, user_id, Delete(gone.id), DeleteList(made.id, keep_tasks=True))
    for task in (gone, kept):
        assert await storage.tasks.save(replace(task, title="Changed")) is None
        assert await storage.tasks.save(replace(task, list_id=other.id)) is None
        assert await storage.tasks.save(replace(task, list_id=uuid4())) is None


async def test_a_restored_list_leaves_what_one_edit_deleted_before_it(storage: Storage, user_id: str) -> None:
    made = await a_list(storage, user_id)
    alone, beside = [await storage.tasks.add(a_task(user_id, list_id=made.id)) for _ in range(2)]
    await do(storage, user_id, Delete(alone.id), DeleteList(made.id), now=later(1))

    await do(storage, user_id, RestoreList(made.id), now=later(2))

    assert [task.id for task in await in_order(storage, user_id)] == [beside.id]
