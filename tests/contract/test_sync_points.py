"""How far a copy has come, also within a revision: it is told of each change once, whatever is written meanwhile."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from tests.copies import Copy
from tests.domain.builders import START, a_task, later

from todo_api.domain.changes import SyncPoint
from todo_api.domain.listing import TaskQuery
from todo_api.domain.ports import TaskRepository
from todo_api.domain.task import Task, TaskChanges
from todo_api.domain.workspace import Workspace

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
    await repository.edit(user_id, [*new, *gone], creating_and_deleting(new, gone), now=later(1))
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
async def test_writes_between_pages_are_told_once_and_lose_nothing(
    repository: TaskRepository, user_id: str, limit: int
) -> None:
    """They move what was not told yet behind the page, take away what was, and write several at one revision."""
    numbers = random.Random(limit)
    copy, late = Copy(repository, user_id), Copy(repository, user_id)
    for step in range(30):
        tasks = list((await live(repository, user_id)).values())
        chosen = numbers.sample(tasks, min(3, len(tasks)))
        new = [uuid4() for _ in range(numbers.randrange(4))]
        ids = [task.id for task in chosen[1:]]
        await repository.edit(user_id, [*new, *ids], creating_and_deleting(new, ids), now=later(step))
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
