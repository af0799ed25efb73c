"""The trash, and its changes in delta sync: the same for every repository."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from tests.domain.builders import NOW, START, a_task

from todo_api.domain.changes import Changes, SyncPoint
from todo_api.domain.errors import ForgottenRevisionError, TaskNotFoundError
from todo_api.domain.listing import TaskQuery
from todo_api.domain.ports import TaskRepository
from todo_api.domain.task import Task

EMPTY = SyncPoint()


async def trashed_ids(repository: TaskRepository, user_id: str) -> list[UUID]:
    return [task.id for task in (await repository.trash(user_id, 100)).tasks]


async def every_change(
    repository: TaskRepository, user_id: str, since: SyncPoint = EMPTY, limit: int = 2
) -> list[Changes]:
    pages = [await repository.changes(user_id, since, limit)]
    while pages[-1].more:
        pages.append(await repository.changes(user_id, pages[-1].next, limit))
    return pages


async def test_a_removed_task_is_in_the_trash_and_nowhere_else(repository: TaskRepository, user_id: str) -> None:
    task = await repository.add(a_task(user_id))
    assert await repository.remove(user_id, task.id, now=NOW)

    with pytest.raises(TaskNotFoundError):
        await repository.get(user_id, task.id)
    page = await repository.page(user_id, TaskQuery())
    assert (page.tasks, page.revision) == ([], START + 2)
    assert await repository.save(task) is None
    (trashed,) = (await repository.trash(user_id, 10)).tasks
    assert (trashed.id, trashed.title, trashed.deleted_at, trashed.revision) == (task.id, task.title, NOW, START + 2)


async def test_a_restored_task_is_as_it_was_at_a_new_revision(repository: TaskRepository, user_id: str) -> None:
    task = await repository.add(a_task(user_id))
    await repository.remove(user_id, task.id, now=NOW)

    restored = await repository.restore(user_id, task.id)

    assert restored == replace(task, revision=START + 3)
    assert await repository.get(user_id, task.id) == restored
    assert await trashed_ids(repository, user_id) == []
    assert await repository.restore(user_id, task.id) is None
    assert await repository.restore(user_id, uuid4()) is None


async def test_the_trash_is_paged_newest_first(repository: TaskRepository, user_id: str) -> None:
    tasks = [await repository.add(a_task(user_id)) for _ in range(5)]
    for age, task in enumerate(tasks):
        await repository.remove(user_id, task.id, now=NOW + timedelta(seconds=age // 2))
    whole = await trashed_ids(repository, user_id)
    assert set(whole[-2:]) == {tasks[0].id, tasks[1].id}

    pages, after = [], None
    while True:
        page = await repository.trash(user_id, 2, after)
        pages += [task.id for task in page.tasks]
        if page.next is None:
            break
        after = page.next
    assert pages == whole
    assert len(set(whole)) == 5


async def test_what_is_purged_cannot_be_restored(repository: TaskRepository, user_id: str) -> None:
    tasks = [await repository.add(a_task(user_id)) for _ in range(4)]
    for task in tasks[:3]:
        await repository.remove(user_id, task.id, now=NOW)

    assert await repository.purge(user_id, tasks[0].id) == 1
    assert await repository.purge(user_id, tasks[0].id) == 0
    assert await repository.purge(user_id, tasks[3].id) == 0
    assert await repository.restore(user_id, tasks[0].id) is None
    assert await repository.purge(user_id) == 2
    assert await trashed_ids(repository, user_id) == []
    assert await repository.get(user_id, tasks[3].id) == tasks[3]
    assert (await repository.page(user_id, TaskQuery())).revision == START + 7


async def test_the_trash_of_other_users_is_not_visible(repository: TaskRepository, user_id: str) -> None:
    task = await repository.add(a_task(user_id))
    await repository.remove(user_id, task.id, now=NOW)
    stranger = f"{user_id}-2"

    assert await trashed_ids(repository, stranger) == []
    assert await repository.restore(stranger, task.id) is None
    assert await repository.purge(stranger, task.id) == 0
    assert await repository.purge(stranger) == 0
    assert await trashed_ids(repository, user_id) == [task.id]
    assert await repository.changes(stranger, EMPTY, 10) == Changes([], [], [], [], EMPTY, more=False)


async def test_changes_come_in_the_order_of_their_revisions(repository: TaskRepository, user_id: str) -> None:
    tasks = [await repository.add(a_task(user_id)) for _ in range(4)]
    await repository.save(replace(tasks[1], title="Changed"))  # 5
    await repository.remove(user_id, tasks[0].id, now=NOW)  # 6
    await repository.remove(user_id, tasks[2].id, now=NOW)  # 7
    await repository.restore(user_id, tasks[0].id)  # 8

    (page,) = await every_change(repository, user_id, limit=10)
    assert [task.revision - START for task in page.tasks] == [4, 5, 8]
    assert [(tombstone.id, tombstone.revision) for tombstone in page.deleted] == [(tasks[2].id, START + 7)]
    assert (page.next, page.more) == (SyncPoint(START + 8), False)

    pages = await every_change(repository, user_id, limit=1)
    assert [page.next.revision - START for page in pages] == [4, 5, 7, 8]
    (page,) = await every_change(repository, user_id, since=SyncPoint(START + 6), limit=10)
    assert ([task.revision for task in page.tasks], [gone.revision for gone in page.deleted]) == (
        [START + 8],
        [START + 7],
    )
    assert await repository.changes(user_id, SyncPoint(START + 8), 10) == Changes(
        [], [], [], [], SyncPoint(START + 8), more=False
    )


async def test_changes_bring_any_copy_up_to_date(repository: TaskRepository, user_id: str) -> None:
    copies: dict[SyncPoint, dict[UUID, Task]] = {EMPTY: {}}
    tasks = [await repository.add(a_task(user_id)) for _ in range(3)]
    for step in range(12):
        task = tasks[step % 3]
        kept = {found.id: found for found in (await repository.page(user_id, TaskQuery())).tasks}
        copies[SyncPoint((await repository.page(user_id, TaskQuery())).revision)] = kept
        if step % 4 == 3:
            await repository.remove(user_id, task.id, now=NOW)
        elif task.id in kept:
            await repository.save(replace(kept[task.id], title=f"Title {step}"))
        else:
            await repository.restore(user_id, task.id)

    wanted = {found.id: found for found in (await repository.page(user_id, TaskQuery())).tasks}
    for since, copy in copies.items():
        for page in await every_change(repository, user_id, since):
            copy.update({task.id: task for task in page.tasks})
            for gone in page.deleted:
                copy.pop(gone.id, None)
        assert copy == wanted


async def test_a_purge_leaves_the_tombstone(repository: TaskRepository, user_id: str) -> None:
    task = await repository.add(a_task(user_id))
    await repository.remove(user_id, task.id, now=NOW)
    await repository.purge(user_id)
    assert [gone.id for gone in (await repository.changes(user_id, SyncPoint(START + 1), 10)).deleted] == [task.id]


async def test_an_unknown_revision_is_forgotten(repository: TaskRepository, user_id: str) -> None:
    await repository.add(a_task(user_id))
    with pytest.raises(ForgottenRevisionError):
        await repository.changes(user_id, SyncPoint(START + 2), 10)
