"""Many concurrent writers of one user, and readers that follow them in small pages."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from uuid import UUID, uuid4

import asyncpg
from tests.copies import Copy
from tests.domain.builders import NOW, START, a_task
from tests.pooler import direct

from todo_api.domain.errors import (
    InvalidFieldError,
    ListNotFoundError,
    ListNotInTrashError,
    NeighbourNotFoundError,
    OccurrenceExistsError,
    TaskExistsError,
    TaskNotFoundError,
)
from todo_api.domain.listing import TaskQuery
from todo_api.domain.operations import (
    Change,
    Complete,
    CreateList,
    DeleteList,
    Move,
    MoveList,
    Operation,
    RestoreList,
)
from todo_api.domain.ports import TaskRepository
from todo_api.domain.records import After, Before, End, Place
from todo_api.domain.recurrence import Recurrence
from todo_api.domain.selection import Selection
from todo_api.domain.task_changes import TaskChanges
from todo_api.domain.task_list import ListChanges
from todo_api.domain.workspace import Workspace

WRITES = 60
IDS = [UUID(int=number << 64) for number in range(1, 25)]  # few, so that many writers write each of them
LISTS = [UUID(int=number << 64) for number in range(31, 34)]
DAILY = TaskChanges(due_date=NOW.date(), recurrence=Recurrence.parse("FREQ=DAILY"))

# The changes that a first load gets now, read without the tested code.
COMMITTED = " UNION ALL ".join(
    f"""
SELECT revision, id FROM {table} WHERE user_id = $1 AND deleted_at IS NULL
UNION ALL
SELECT revision, id FROM {tombstones} AS stone WHERE user_id = $1 AND NOT EXISTS (
    SELECT FROM {table} WHERE user_id = $1 AND id = stone.id AND deleted_at IS NULL)
"""
    for table, tombstones in (("tasks", "tombstones"), ("lists", "list_tombstones"))
)

# What the state at the time of a write can refuse.
REFUSALS = (
    InvalidFieldError,
    ListNotFoundError,
    ListNotInTrashError,
    NeighbourNotFoundError,
    OccurrenceExistsError,
    TaskExistsError,
    TaskNotFoundError,
)


class Writer:
    """Makes random changes to tasks, and counts the acknowledged writes."""

    def __init__(self, repository: TaskRepository, user_id: str, seed: int) -> None:
        self._repository = repository
        self._user_id = user_id
        self._numbers = random.Random(seed)
        self.written = 0

    async def run(self) -> None:
        ways: list[Callable[[UUID], Awaitable[bool]]] = [
            self._create,
            self._change,
            self._delete,
            self._restore,
            self._delete_or_restore,
            self._purge,
            self._move,
            self._move_into_list,
            self._repeat,
            self._complete,
            self._change_lists,
        ]
        for _ in range(WRITES):
            with suppress(*REFUSALS):
                self.written += await self._numbers.choice(ways)(self._numbers.choice(IDS))

    async def _create(self, task_id: UUID) -> bool:
        return bool(await self._repository.add(a_task(self._user_id, task_id=task_id)))

    async def _change(self, task_id: UUID) -> bool:
        task = await self._repository.get(self._user_id, task_id)
        return bool(await self._repository.save(replace(task, title=f"{self._numbers.random()}")))

    async def _delete(self, task_id: UUID) -> bool:
        return await self._repository.remove(self._user_id, task_id, now=NOW)

    async def _restore(self, task_id: UUID) -> bool:
        return bool(await self._repository.restore(self._user_id, task_id))

    async def _delete_or_restore(self, task_id: UUID) -> bool:
        task_ids = {task_id, *self._numbers.sample(IDS, 3)}

        def decide(workspace: Workspace) -> bytes:
            for one in task_ids:
                delete_or_restore(workspace, one)
            return b""

        return bool(await self._repository.edit(self._user_id, Selection.of(*task_ids), decide, now=NOW, new_id=uuid4))

    async def _move(self, task_id: UUID) -> bool:
        neighbour = self._numbers.choice(IDS)
        places: list[Place] = [Before(neighbour), After(neighbour), End.START, End.END]
        return await self._edit(Move(task_id, self._numbers.choice(places)))

    async def _move_into_list(self, task_id: UUID) -> bool:
        return await self._edit(Change(task_id, TaskChanges(list_id=self._numbers.choice(LISTS))))

    async def _repeat(self, task_id: UUID) -> bool:
        return await self._edit(Change(task_id, DAILY))

    async def _complete(self, task_id: UUID) -> bool:
        task = await self._repository.get(self._user_id, task_id)
        done = task.complete(None, now=NOW)
        if not (task.recurrence and done.completed):
            return await self._edit(Complete(task_id, None))
        return bool(await self._repository.save(*(done.spawn(uuid4(), now=NOW) or (done, None))))

    async def _change_lists(self, _: UUID) -> bool:
        list_id = self._numbers.choice(LISTS)
        ways: list[Operation] = [
            CreateList(list_id, ListChanges(name="Errands")),
            MoveList(list_id, End.START),
            DeleteList(list_id),
            RestoreList(list_id),
        ]
        return await self._edit(self._numbers.choice(ways))

    async def _edit(self, operation: Operation) -> bool:
        def decide(workspace: Workspace) -> bool:
            operation.apply(workspace)
            return workspace.has_changes

        edited = await self._repository.edit(self._user_id, operation.selection, decide, now=NOW, new_id=uuid4)
        return edited.result

    async def _purge(self, task_id: UUID) -> bool:
        await self._repository.purge(self._user_id, task_id)
        return False  # not a write for delta sync


def delete_or_restore(workspace: Workspace, task_id: UUID) -> None:
    """Delete the task if it exists; otherwise restore or create it."""
    try:
        workspace.delete(task_id)
    except TaskNotFoundError:
        try:
            workspace.restore(task_id)
        except TaskNotFoundError:
            workspace.create(task_id, TaskChanges(title="New"))


async def follow_many_writers(
    database_url: str, user_id: str, writing: Sequence[TaskRepository], reading: TaskRepository, limits: Sequence[int]
) -> None:
    """Run a writer for each repository and a copy for each limit; assert that no copy misses a change."""
    writers = [Writer(repository, user_id, seed) for seed, repository in enumerate(writing)]
    copies = [Copy(reading, user_id) for _ in limits]
    async with asyncpg.create_pool(direct(database_url), min_size=1, max_size=len(copies)) as pool:

        async def committed() -> set[tuple[int, UUID]]:
            return {tuple(row) for row in await pool.fetch(COMMITTED, user_id)}

        async def follow(copy: Copy, limit: int) -> None:
            over, more = False, True
            while more or not over:
                over = all(task.done() for task in storm)
                more = (await copy.follow(limit)).more
                passed = {place for place in await committed() if place <= (copy.since.revision, copy.since.id)}
                assert passed <= set(copy.told)

        async with asyncio.TaskGroup() as group:
            storm = [group.create_task(writer.run()) for writer in writers]
            for copy, limit in zip(copies, limits, strict=True):
                group.create_task(follow(copy, limit))

        table = await reading.page(user_id, TaskQuery())
        assert table.next is None
        assert table.revision == START + sum(writer.written for writer in writers)
        for copy in copies:
            assert copy.tasks == {task.id: task for task in table.tasks}
            assert {task.list_id for task in table.tasks} <= {None, *copy.lists}
            assert copy.told == sorted(set(copy.told))
            assert set(copy.told) >= await committed()
