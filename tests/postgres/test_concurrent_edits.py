"""What several processes do at one moment: moves, completions, and tasks of a list that is deleted."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from typing import TypeAlias
from uuid import UUID, uuid4

import asyncpg
import pytest
from tests.contract.doing import a_list, a_series, do, in_order, service_of
from tests.domain.builders import NOW, a_task
from tests.postgres.running import Service
from tests.storages import Storage, in_postgres

from todo_api.domain.errors import ContentionError, InvalidFieldError, QuotaExceededError, TodoError
from todo_api.domain.listing import TaskQuery
from todo_api.domain.operations import (
    Complete,
    Create,
    CreateList,
    DeleteList,
    Move,
    Operation,
    Restore,
    RestoreList,
)
from todo_api.domain.records import After, Before, Place
from todo_api.domain.task_changes import TaskChanges
from todo_api.domain.task_list import MAX_LISTS, ListChanges

Database: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

PROCESSES = 4
# Live tasks in lists that do not exist or are in the trash, and accounts whose number of tasks is wrong.
HOMELESS = """
SELECT count(*) FROM tasks LEFT JOIN lists ON lists.user_id = tasks.user_id AND lists.id = tasks.list_id
 WHERE tasks.user_id = $1 AND tasks.deleted_at IS NULL AND tasks.list_id IS NOT NULL
   AND (lists.id IS NULL OR lists.deleted_at IS NOT NULL)
"""
MISCOUNTED = """
SELECT live_tasks - (SELECT count(*) FROM tasks WHERE user_id = users.id AND deleted_at IS NULL)
  FROM users WHERE id = $1
"""


@pytest.fixture
def processes(connect: Callable[..., Service], request: pytest.FixtureRequest) -> list[Storage]:
    fast = request.node.callspec.params["connect"] == "hot path"
    return [in_postgres(connect(pool_size=4).engine, hot_path=fast) for _ in range(PROCESSES)]


async def outcomes(*calls: Awaitable[object]) -> list[object]:
    """Run the calls at once; only the errors of the domain may come back."""
    found = await asyncio.gather(*calls, return_exceptions=True)
    for outcome in found:
        if isinstance(outcome, BaseException) and not isinstance(outcome, TodoError):
            raise outcome
    return found


async def test_moves_into_one_gap_keep_the_order_total(processes: Sequence[Storage], user_id: str) -> None:
    new = [uuid4() for _ in range(34)]
    await do(processes[0], user_id, *(Create(task_id, TaskChanges(title="New")) for task_id in new))
    first, *others, last = new
    for round_number in range(3):
        places: list[Place] = [After(first), Before(last)] if round_number % 2 else [After(first)]
        await outcomes(
            *(
                do(processes[number % PROCESSES], user_id, Move(task_id, places[number % len(places)]))
                for number, task_id in enumerate(others)
            )
        )
        tasks = await in_order(processes[0], user_id)
        assert (tasks[0].id, tasks[-1].id) == (first, last)
        assert {task.id for task in tasks} == set(new)
        assert all(low.position < high.position for low, high in pairwise(tasks))


async def test_an_occurrence_that_many_complete_at_once_spawns_once(
    processes: Sequence[Storage], user_id: str, database: Database
) -> None:
    for _ in range(5):
        task = await a_series(processes[0], user_id)
        before = {one.id for one in await in_order(processes[0], user_id)}

        async def complete(number: int, task_id: UUID) -> None:
            storage = processes[number % PROCESSES]
            if number % 2:
                await do(storage, user_id, Complete(task_id, completed=True))
            else:
                with suppress(ContentionError):
                    await service_of(storage).complete(user_id, task_id, completed=True)

        await outcomes(*(complete(number, task.id) for number in range(16)))
        tasks = await in_order(processes[0], user_id)
        spawned = [one for one in tasks if one.id not in before]
        assert [one.previous_id for one in spawned] == [task.id]
        done = await processes[0].tasks.get(user_id, task.id)
        assert (done.completed, done.next_id, done.revision) == (True, spawned[0].id, spawned[0].revision)
    assert await database.fetchval(MISCOUNTED, user_id) == 0


async def test_reopening_and_completing_at_once_leaves_one_open_occurrence(
    processes: Sequence[Storage], user_id: str, database: Database
) -> None:
    task = await a_series(processes[0], user_id)

    async def toggle(number: int) -> None:
        storage, state = processes[number % PROCESSES], number % 3 > 0
        with suppress(ContentionError):
            await service_of(storage).complete(user_id, task.id, completed=state)

    await outcomes(*(toggle(number) for number in range(30)))
    await service_of(processes[0]).complete(user_id, task.id, completed=True)
    tasks = {one.id: one for one in await in_order(processes[0], user_id)}
    done = tasks.pop(task.id)
    assert [one.id for one in tasks.values()] == [done.next_id]
    assert await database.fetchval(MISCOUNTED, user_id) == 0


@pytest.mark.parametrize("keep_tasks", [False, True])
async def test_no_task_stays_in_a_list_that_is_deleted(
    processes: Sequence[Storage], user_id: str, database: Database, *, keep_tasks: bool
) -> None:
    for _ in range(8):
        made, other = await a_list(processes[0], user_id), await a_list(processes[0], user_id)
        outside, moved, changed, gone, again = [
            await processes[0].tasks.add(a_task(user_id, list_id=list_id))
            for list_id in (None, other.id, made.id, made.id, made.id)
        ]
        await processes[0].tasks.remove(user_id, gone.id, now=NOW)
        await processes[0].tasks.remove(user_id, again.id, now=NOW)
        a, b, c, d = processes
        await outcomes(
            a.tasks.add(a_task(user_id, list_id=made.id)),
            b.tasks.save(replace(outside, list_id=made.id)),
            do(d, user_id, DeleteList(made.id, keep_tasks=keep_tasks)),
            c.tasks.restore(user_id, gone.id),
            a.tasks.save(replace(changed, title="Changed")),
            b.tasks.add(a_task(user_id, list_id=made.id)),
            do(c, user_id, Move(moved.id, Before(changed.id))),
            do(a, user_id, Restore(again.id)),
            do(b, user_id, Create(uuid4(), TaskChanges(title="New", list_id=made.id))),
        )
        assert await database.fetchval(HOMELESS, user_id) == 0
        assert await database.fetchval(MISCOUNTED, user_id) == 0


async def test_a_list_that_is_deleted_and_restored_again_and_again_keeps_its_tasks(
    processes: Sequence[Storage], user_id: str, database: Database
) -> None:
    made = await a_list(processes[0], user_id)
    inside = [await processes[0].tasks.add(a_task(user_id, list_id=made.id)) for _ in range(5)]
    operations: list[Operation] = [DeleteList(made.id), RestoreList(made.id)] * 10
    await outcomes(
        *(do(processes[number % PROCESSES], user_id, operation) for number, operation in enumerate(operations))
    )
    with suppress(TodoError):
        await do(processes[0], user_id, RestoreList(made.id))
    assert [task.id for task in await in_order(processes[0], user_id)] == [task.id for task in inside]
    assert await database.fetchval(HOMELESS, user_id) == 0
    assert await database.fetchval(MISCOUNTED, user_id) == 0


async def test_a_saved_title_never_fails_because_of_its_list(processes: Sequence[Storage], user_id: str) -> None:
    """The caller did not write `list_id`, so an error about it would be wrong."""
    for _ in range(5):
        made = await a_list(processes[0], user_id)
        task = await processes[0].tasks.add(a_task(user_id, list_id=made.id))
        found = await outcomes(
            do(processes[0], user_id, DeleteList(made.id, keep_tasks=True)),
            *(
                service_of(processes[number]).change(user_id, task.id, TaskChanges(title=f"Title {number}"))
                for number in range(1, PROCESSES)
            ),
        )
        assert not any(isinstance(outcome, InvalidFieldError) for outcome in found)
        assert (await processes[0].tasks.get(user_id, task.id)).list_id is None


async def test_the_limit_of_lists_holds_at_once(processes: Sequence[Storage], user_id: str) -> None:
    def new(count: int) -> list[CreateList]:
        return [CreateList(uuid4(), ListChanges(name="One of many")) for _ in range(count)]

    await do(processes[0], user_id, *new(MAX_LISTS - 3))
    found = await outcomes(
        *(do(processes[number % PROCESSES], user_id, operation) for number, operation in enumerate(new(12)))
    )
    assert sum(isinstance(outcome, QuotaExceededError) for outcome in found) == 9
    lists, revision = await processes[0].lists.lists(user_id)
    assert len(lists) == MAX_LISTS
    assert (await processes[0].tasks.page(user_id, TaskQuery())).revision == revision
    assert all(low.position < high.position for low, high in pairwise(lists))


async def test_a_task_for_a_list_that_comes_and_goes_is_never_refused_for_the_quota(
    processes: Sequence[Storage], user_id: str
) -> None:
    made = await a_list(processes[0], user_id)

    async def come_and_go() -> None:
        for _ in range(60):
            await do(processes[0], user_id, DeleteList(made.id))
            await do(processes[0], user_id, RestoreList(made.id))

    async def add(storage: Storage) -> list[object]:
        calls = [await outcomes(storage.tasks.add(a_task(user_id, list_id=made.id), 10_000)) for _ in range(60)]
        return [outcome for call in calls for outcome in call]

    coming = asyncio.create_task(come_and_go())
    added = await asyncio.gather(*(add(storage) for storage in processes[1:]))
    await coming
    refused = [outcome for outcomes in added for outcome in outcomes if isinstance(outcome, TodoError)]
    assert {type(error) for error in refused} <= {InvalidFieldError}
