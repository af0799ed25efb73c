"""Sync points, also within a revision: a client gets each change once, despite concurrent writes."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from tests.contract.doing import a_list, do
from tests.copies import Copy
from tests.domain.builders import NOW, START, a_task, later
from tests.storages import Storage

from todo_api.domain.changes import SyncPoint
from todo_api.domain.errors import ForgottenRevisionError
from todo_api.domain.listing import TaskQuery
from todo_api.domain.operations import Create, CreateList, Delete, DeleteList
from todo_api.domain.ports import TaskRepository
from todo_api.domain.selection import Selection
from todo_api.domain.task import Task
from todo_api.domain.task_changes import TaskChanges
from todo_api.domain.task_list import ListChanges
from todo_api.domain.workspace import Workspace

# So long ago that purging rows of this age does not affect other tests, which share the database.
LONG_AGO = NOW - timedelta(days=3650)

small_pages = pytest.mark.parametrize("limit", [1, 2, 3])


async def live(repository: TaskRepository, user_id: str) -> dict[UUID, Task]:
    return {task.id: task for task in (await repository.page(user_id, TaskQuery())).tasks}


def creating_and_deleting(new: Sequence[UUID], gone: Sequence[UUID]) -> Callable[[Workspace], bytes]:
    def decide(workspace: Workspace) -> bytes:
        for task_id in new:
            workspace.create(task_id, TaskChanges(title="New"))
        for task_id in gone:
            workspace.delete(task_id)
        return b""

    return decide


@small_pages
async def test_a_page_may_end_within_a_revision(repository: TaskRepository, user_id: str, limit: int) -> None:
    tasks = [await repository.add(a_task(user_id)) for _ in range(5)]
    new, gone = [uuid4() for _ in range(4)], [task.id for task in tasks[:3]]
    await repository.edit(
        user_id, Selection.of(*new, *gone), creating_and_deleting(new, gone), now=later(1), new_id=uuid4
    )
    last = await repository.add(a_task(user_id))
    batch = sorted((START + 6, task_id) for task_id in [*new, *gone])
    wanted = [*((task.revision, task.id) for task in tasks[3:]), *batch, (last.revision, last.id)]

    for since, unseen in (
        (SyncPoint(), wanted),
        (SyncPoint(START + 4), wanted[1:]),
        (SyncPoint(START + 5), wanted[2:]),
    ):
        copy = Copy(repository, user_id, since)
        await copy.catch_up(limit)

        assert copy.told == unseen
        assert (copy.since, set(copy.tasks)) == (
            SyncPoint(START + 7),
            {task_id for _, task_id in unseen if task_id not in gone},
        )


@small_pages
async def test_writes_between_pages_are_synced_once(repository: TaskRepository, user_id: str, limit: int) -> None:
    """The writes move pending changes after the page, delete sent tasks, and write several at one revision."""
    numbers = random.Random(limit)
    copy, late = Copy(repository, user_id), Copy(repository, user_id)
    for step in range(30):
        tasks = list((await live(repository, user_id)).values())
        chosen = numbers.sample(tasks, min(3, len(tasks)))
        new = [uuid4() for _ in range(numbers.randrange(4))]
        ids = [task.id for task in chosen[1:]]
        await repository.edit(
            user_id, Selection.of(*new, *ids), creating_and_deleting(new, ids), now=later(step), new_id=uuid4
        )
        if chosen:
            await repository.save(replace(chosen[0], title=f"Title {step}"))
        for trashed in (await repository.trash(user_id, 1)).tasks:
            await repository.restore(user_id, trashed.id)
        await copy.follow(limit)
    await copy.catch_up(limit)
    await late.catch_up(limit)

    assert len(late.tasks) > 3
    for one in (copy, late):
        assert one.tasks == await live(repository, user_id)
        assert one.told == sorted(set(one.told))


async def test_a_task_recreated_with_a_purged_id_is_synced(repository: TaskRepository, user_id: str) -> None:
    task_id = uuid4()
    for _ in range(2):
        made = await repository.add(a_task(user_id, task_id=task_id))
        point = SyncPoint(made.revision)
        await repository.remove(user_id, task_id, now=NOW)
        await repository.purge(user_id)
    made = await repository.add(a_task(user_id, task_id=task_id))

    for since in (SyncPoint(), point):
        changes = await repository.changes(user_id, since, 10)
        assert (changes.tasks, changes.deleted) == ([made], [])


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 50])
async def test_tasks_and_lists_come_in_one_order(storage: Storage, user_id: str, limit: int) -> None:
    """Some have one id, and all of them one revision: no page ends between the two of a pair."""
    ids = sorted(uuid4() for _ in range(6))
    lists = [CreateList(list_id, ListChanges(name="New")) for list_id in ids[:4]]
    await do(storage, user_id, *lists, *(Create(task_id, TaskChanges(title="New")) for task_id in ids[2:]))
    await do(storage, user_id, Delete(ids[2]), DeleteList(ids[2]), DeleteList(ids[0]), Delete(ids[3]))
    wanted = {
        ("lists", ids[1], START + 1),
        ("lists", ids[3], START + 1),
        ("tasks", ids[4], START + 1),
        ("tasks", ids[5], START + 1),
        ("deleted_lists", ids[0], START + 2),
        ("deleted", ids[2], START + 2),
        ("deleted_lists", ids[2], START + 2),
        ("deleted", ids[3], START + 2),
    }
    within = SyncPoint(START + 1, ids[3], START + 2)
    for since, unseen in (
        (SyncPoint(), wanted),
        (within, {one for one in wanted if (one[2], one[1]) > (START + 1, ids[3])}),
        (SyncPoint(START + 1), {one for one in wanted if one[2] == START + 2}),
        (SyncPoint(START + 2), set()),
    ):
        told: list[tuple[str, UUID, int]] = []
        point, more = since, True
        while more:
            page = await storage.tasks.changes(user_id, point, limit)
            found = [
                (kind, item.id, item.revision)
                for kind in ("tasks", "deleted", "lists", "deleted_lists")
                for item in getattr(page, kind)
            ]
            assert len(found) <= limit + 1  # a pair stays together
            assert page.more or page.next == SyncPoint(START + 2)
            assert all((revision, item_id) > (point.revision, point.id) for _, item_id, revision in found)
            told += found
            point, more = page.next, page.more
        assert len(told) == len(unseen)
        assert set(told) == unseen


async def test_a_list_that_is_created_again_with_a_purged_id_is_synced(storage: Storage, user_id: str) -> None:
    made = await a_list(storage, user_id)
    await do(storage, user_id, DeleteList(made.id), now=LONG_AGO)
    await storage.housekeeping.purge_trash(LONG_AGO + timedelta(seconds=1), 1_000)
    again = await a_list(storage, user_id, list_id=made.id)
    for revision in (0, START + 1, START + 2):
        changes = await storage.tasks.changes(user_id, SyncPoint(revision), 10)
        assert (changes.lists, changes.deleted_lists) == ([again], [])


async def test_what_is_older_than_a_purged_tombstone_of_a_list_is_forgotten(storage: Storage, user_id: str) -> None:
    made, kept = await a_list(storage, user_id), await a_list(storage, user_id)
    await do(storage, user_id, DeleteList(made.id), now=LONG_AGO)
    await do(storage, user_id, DeleteList(kept.id))
    await purge_tombstones(storage)
    for revision in (START + 1, START + 2):
        with pytest.raises(ForgottenRevisionError):
            await storage.tasks.changes(user_id, SyncPoint(revision), 10)
    for revision in (0, START + 3):
        page = await storage.tasks.changes(user_id, SyncPoint(revision), 10)
        assert [gone.id for gone in page.deleted_lists] == [kept.id]


async def delete_long_ago(storage: Storage, user_id: str, *tasks: Task) -> None:
    for task in tasks:
        assert await storage.tasks.remove(user_id, task.id, now=LONG_AGO)


async def purge_tombstones(storage: Storage) -> None:
    await storage.housekeeping.purge_tombstones(LONG_AGO + timedelta(seconds=1), 1_000)


async def test_a_first_load_goes_on_while_tombstones_of_before_are_purged(storage: Storage, user_id: str) -> None:
    tasks = [await storage.tasks.add(a_task(user_id)) for _ in range(6)]
    await delete_long_ago(storage, user_id, *tasks[:2])
    copy = Copy(storage.tasks, user_id)
    assert (await copy.follow(1)).more
    await storage.tasks.remove(user_id, tasks[2].id, now=NOW)  # which the copy has seen
    await purge_tombstones(storage)
    with pytest.raises(ForgottenRevisionError):
        await storage.tasks.changes(user_id, SyncPoint(START + 7), 10)

    await copy.catch_up(1)

    assert copy.tasks == await live(storage.tasks, user_id) == {task.id: task for task in tasks[3:]}


async def test_a_first_load_starts_again_when_later_tombstones_are_purged(storage: Storage, user_id: str) -> None:
    """The client may have got a task whose deletion it would never get."""
    tasks = [await storage.tasks.add(a_task(user_id)) for _ in range(3)]
    copy = Copy(storage.tasks, user_id)
    await copy.follow(1)
    assert tasks[0].id in copy.tasks
    await delete_long_ago(storage, user_id, tasks[0])
    await copy.follow(1)
    await purge_tombstones(storage)

    with pytest.raises(ForgottenRevisionError):
        await copy.follow(1)

    afresh = Copy(storage.tasks, user_id)
    await afresh.catch_up(1)
    assert afresh.tasks == await live(storage.tasks, user_id)


async def test_what_is_older_than_a_purged_tombstone_is_forgotten(storage: Storage, user_id: str) -> None:
    tasks = [await storage.tasks.add(a_task(user_id)) for _ in range(3)]
    await delete_long_ago(storage, user_id, tasks[0])  # at START + 4
    await storage.tasks.remove(user_id, tasks[1].id, now=NOW)
    await purge_tombstones(storage)

    for point in (SyncPoint(START + 1), SyncPoint(START + 3), SyncPoint(START + 4, UUID(int=0))):
        with pytest.raises(ForgottenRevisionError):
            await storage.tasks.changes(user_id, point, 10)
    for revision in (START + 4, START + 5):
        page = await storage.tasks.changes(user_id, SyncPoint(revision), 10)
        assert [gone.id for gone in page.deleted] == [tasks[1].id][: START + 5 - revision]
