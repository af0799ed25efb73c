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

from todo_api.domain.errors import TaskExistsError, TaskNotFoundError
from todo_api.domain.listing import TaskQuery
from todo_api.domain.ports import TaskRepository
from todo_api.domain.selection import Selection
from todo_api.domain.task import TaskChanges
from todo_api.domain.workspace import Workspace

WRITES = 60
IDS = [UUID(int=number << 64) for number in range(1, 25)]  # few, so that many writers write each of them

# The changes that a first load gets now, read without the tested code.
COMMITTED = """
SELECT revision, id FROM tasks WHERE user_id = $1 AND deleted_at IS NULL
UNION ALL
SELECT revision, id FROM tombstones AS stone WHERE user_id = $1 AND NOT EXISTS (
    SELECT FROM tasks WHERE user_id = $1 AND tasks.id = stone.id AND deleted_at IS NULL)
"""


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
        ]
        for _ in range(WRITES):
            with suppress(TaskExistsError, TaskNotFoundError):
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
        assert table.revision == START + sum(writer.written for writer in writers)
        for copy in copies:
            assert copy.tasks == {task.id: task for task in table.tasks}
            assert copy.told == sorted(set(copy.told))
            assert set(copy.told) >= await committed()
