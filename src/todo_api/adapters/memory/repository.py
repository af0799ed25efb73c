"""The task repository in memory: an equal of PostgreSQL's, held to the same contract."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from uuid import UUID

from todo_api.domain.errors import TaskNotFoundError
from todo_api.domain.listing import Order, TaskPage, TaskQuery
from todo_api.domain.task import Task


@dataclass(slots=True)
class _Account:
    revision: int = 0
    tasks: dict[UUID, Task] = field(default_factory=dict)

    def stamp(self, task: Task) -> Task:
        self.revision += 1
        self.tasks[task.id] = stamped = replace(task, revision=self.revision)
        return stamped

    def holds(self, task_id: UUID, revision: int | None) -> bool:
        task = self.tasks.get(task_id)
        return task is not None and revision in {None, task.revision}


class InMemoryTaskRepository:
    """Keeps tasks for as long as it lives.

    Every call gives way to others once, as a call to a database does, and is atomic after that.
    """

    def __init__(self) -> None:
        """Start empty."""
        self._accounts: dict[str, _Account] = {}

    async def add(self, task: Task) -> Task:
        """Keep a new task."""
        await asyncio.sleep(0)
        return self._accounts.setdefault(task.user_id, _Account()).stamp(task)

    async def get(self, user_id: str, task_id: UUID) -> Task:
        """Return the task."""
        await asyncio.sleep(0)
        task = self._account(user_id).tasks.get(task_id)
        if task is None:
            raise TaskNotFoundError
        return task

    async def save(self, task: Task) -> Task | None:
        """Replace the task where nobody else has."""
        await asyncio.sleep(0)
        account = self._account(task.user_id)
        return account.stamp(task) if account.holds(task.id, task.revision) else None

    async def remove(self, user_id: str, task_id: UUID, revision: int | None = None) -> bool:
        """Remove the task where it is as expected."""
        await asyncio.sleep(0)
        account = self._account(user_id)
        if not account.holds(task_id, revision):
            return False
        account.revision += 1
        del account.tasks[task_id]
        return True

    async def page(self, user_id: str, query: TaskQuery, known: Collection[int] = ()) -> TaskPage:
        """Return a page of the list."""
        await asyncio.sleep(0)
        account = self._account(user_id)
        if account.revision in known:
            return TaskPage([], account.revision, None)
        tasks = [task for task in account.tasks.values() if query.status.admits(task) and _is_after(task, query)]
        tasks.sort(key=lambda task: _place(task, query), reverse=query.order is Order.DESC)
        return query.page(tasks[: query.limit + 1], account.revision)

    async def check(self) -> None:
        """Memory is always there."""

    def _account(self, user_id: str) -> _Account:
        return self._accounts.get(user_id) or _Account()


def _place(task: Task, query: TaskQuery) -> tuple[object, UUID]:
    position = query.position(task)
    return position.key, position.id


def _is_after(task: Task, query: TaskQuery) -> bool:
    if query.after is None:
        return True
    place, after = _place(task, query), (query.after.key, query.after.id)
    return place > after if query.order is Order.ASC else place < after
