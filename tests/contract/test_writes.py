"""Revisions, lost races and concurrent writers: no edit is ever lost."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from tests.domain.builders import NOW, START, a_task

from todo_api.domain.errors import TaskNotFoundError
from todo_api.domain.listing import TaskQuery
from todo_api.domain.ports import TaskRepository
from todo_api.domain.task import Task

CROWD = 25


async def revision_of(repository: TaskRepository, user_id: str) -> int:
    return (await repository.page(user_id, TaskQuery(limit=1))).revision


async def append(repository: TaskRepository, user_id: str, task_id: UUID, word: str) -> Task:
    """Add a word to the title; retry after each lost race."""
    while True:
        task = await repository.get(user_id, task_id)
        if saved := await repository.save(replace(task, title=f"{task.title} {word}")):
            return saved


async def test_each_write_raises_the_users_revision_by_one(repository: TaskRepository, user_id: str) -> None:
    first = await repository.add(a_task(user_id))
    second = await repository.add(a_task(user_id))
    saved = await repository.save(replace(first, title="Changed"))
    assert saved is not None
    assert await repository.remove(user_id, second.id, now=NOW)
    third = await repository.add(a_task(user_id))

    assert [task.revision - START for task in (first, second, saved, third)] == [1, 2, 3, 5]
    assert await revision_of(repository, user_id) == START + 5


async def test_reads_and_writes_of_nothing_leave_the_revision(repository: TaskRepository, user_id: str) -> None:
    task = await repository.add(a_task(user_id))
    await repository.get(user_id, task.id)
    assert await repository.save(replace(task, id=uuid4())) is None
    assert not await repository.remove(user_id, uuid4(), now=NOW)
    assert not await repository.remove(user_id, task.id, task.revision + 1, now=NOW)

    assert await revision_of(repository, user_id) == START + 1


async def test_users_have_revisions_of_their_own(repository: TaskRepository, new_user_id: Callable[[], str]) -> None:
    one, other = new_user_id(), new_user_id()
    for _ in range(3):
        await repository.add(a_task(one))
    task = await repository.add(a_task(other))

    assert task.revision == START + 1
    assert await revision_of(repository, one) == START + 3
    assert await revision_of(repository, other) == START + 1


async def test_a_save_at_a_stale_revision_writes_nothing(repository: TaskRepository, user_id: str) -> None:
    task = await repository.add(a_task(user_id))
    winner = await repository.save(replace(task, title="Winner"))

    for revision in (0, task.revision, task.revision + 2):
        assert await repository.save(replace(task, title="Loser", revision=revision)) is None
    assert await repository.get(user_id, task.id) == winner
    assert await revision_of(repository, user_id) == START + 2


async def test_a_save_is_not_disturbed_by_changes_of_other_tasks(repository: TaskRepository, user_id: str) -> None:
    task = await repository.add(a_task(user_id))
    await repository.add(a_task(user_id))

    saved = await repository.save(replace(task, title="Changed"))

    assert saved is not None
    assert saved.revision == START + 3


async def test_a_removed_task_cannot_be_saved_again(repository: TaskRepository, user_id: str) -> None:
    task = await repository.add(a_task(user_id))
    assert await repository.remove(user_id, task.id, now=NOW)

    assert await repository.save(task) is None
    assert not await repository.remove(user_id, task.id, now=NOW)
    with pytest.raises(TaskNotFoundError):
        await repository.get(user_id, task.id)
    assert (await repository.page(user_id, TaskQuery())).tasks == []
    assert await revision_of(repository, user_id) == START + 2


async def test_a_user_who_never_wrote_has_nothing_to_remove(repository: TaskRepository, user_id: str) -> None:
    assert not await repository.remove(user_id, uuid4(), now=NOW)
    assert await repository.save(a_task(user_id)) is None
    assert await revision_of(repository, user_id) == 0


async def test_a_removal_at_a_revision_happens_only_there(repository: TaskRepository, user_id: str) -> None:
    task = await repository.add(a_task(user_id))
    saved = await repository.save(replace(task, title="Changed"))
    assert saved is not None

    assert not await repository.remove(user_id, task.id, task.revision, now=NOW)
    assert await repository.get(user_id, task.id) == saved
    assert await repository.remove(user_id, task.id, saved.revision, now=NOW)


async def test_of_many_saves_of_one_revision_exactly_one_wins(repository: TaskRepository, user_id: str) -> None:
    task = await repository.add(a_task(user_id))

    results = await asyncio.gather(*(repository.save(replace(task, title=f"{n}")) for n in range(CROWD)))

    (winner,) = [result for result in results if result is not None]
    assert winner.revision == START + 2
    assert await repository.get(user_id, task.id) == winner
    assert await revision_of(repository, user_id) == START + 2


async def test_of_many_removals_exactly_one_removes(repository: TaskRepository, user_id: str) -> None:
    task = await repository.add(a_task(user_id))

    removed = await asyncio.gather(*(repository.remove(user_id, task.id, now=NOW) for _ in range(CROWD)))

    assert sorted(removed) == [False] * (CROWD - 1) + [True]
    assert await revision_of(repository, user_id) == START + 2


async def test_a_save_and_a_removal_at_once_do_not_both_happen(repository: TaskRepository, user_id: str) -> None:
    for round_number in range(10):
        task = await repository.add(a_task(user_id))
        before = task.revision
        writes = (
            repository.save(replace(task, title="Changed")),
            repository.remove(user_id, task.id, task.revision, now=NOW),
        )
        saved, removed = await asyncio.gather(*(writes if round_number % 2 else reversed(writes)))

        assert bool(saved) != bool(removed)
        assert await revision_of(repository, user_id) == before + 1


async def test_a_users_first_writes_at_once_are_all_kept(repository: TaskRepository, user_id: str) -> None:
    added = await asyncio.gather(*(repository.add(a_task(user_id)) for _ in range(CROWD)))

    assert sorted(task.revision for task in added) == list(range(START + 1, START + CROWD + 1))
    page = await repository.page(user_id, TaskQuery())
    assert {task.id: task for task in page.tasks} == {task.id: task for task in added}
    assert page.revision == START + CROWD


async def test_concurrent_writers_lose_no_edit_and_use_each_revision_once(
    repository: TaskRepository, user_id: str
) -> None:
    task = await repository.add(a_task(user_id, title="Words:"))
    doomed = [await repository.add(a_task(user_id)) for _ in range(CROWD)]
    words = [f"w{n}" for n in range(CROWD)]

    saved, added, removed = await asyncio.gather(
        asyncio.gather(*(append(repository, user_id, task.id, word) for word in words)),
        asyncio.gather(*(repository.add(a_task(user_id)) for _ in range(CROWD))),
        asyncio.gather(*(repository.remove(user_id, other.id, now=NOW) for other in doomed)),
    )

    final = await repository.get(user_id, task.id)
    assert sorted(final.title.split()[1:]) == sorted(words)
    assert all(removed)
    used = [one.revision for one in (task, *doomed, *saved, *added)]
    assert len(set(used)) == len(used)
    assert await revision_of(repository, user_id) == START + len(used) + len(removed)


async def test_readers_see_the_revisions_of_a_user_in_order(repository: TaskRepository, user_id: str) -> None:
    """A reader that has seen revision N has seen all up to N: as many tasks as writes."""

    last = START + CROWD

    async def watch() -> None:
        while (page := await repository.page(user_id, TaskQuery())).revision < last:
            assert sorted(task.revision for task in page.tasks) == list(range(START + 1, page.revision + 1))

    await asyncio.gather(watch(), watch(), *(repository.add(a_task(user_id)) for _ in range(CROWD)))
