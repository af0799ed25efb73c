"""The task repository in memory: an equal of PostgreSQL's, held to the same contract."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from todo_api.domain.changes import Changes, Tombstone
from todo_api.domain.errors import ForgottenRevisionError, TaskExistsError, TaskNotFoundError
from todo_api.domain.listing import Order, Position, TaskPage, TaskQuery, TrashPage
from todo_api.domain.task import Task, TrashedTask


@dataclass(slots=True)
class _Account:
    revision: int = 0
    tasks: dict[UUID, Task] = field(default_factory=dict)
    trash: dict[UUID, TrashedTask] = field(default_factory=dict)
    tombstones: dict[UUID, Tombstone] = field(default_factory=dict)

    def stamp(self, task: Task) -> Task:
        self.revision += 1
        self.tasks[task.id] = stamped = replace(task, revision=self.revision)
        self.tombstones.pop(task.id, None)
        return stamped

    def bury(self, task_id: UUID, now: datetime) -> None:
        self.revision += 1
        task = replace(self.tasks.pop(task_id), revision=self.revision)
        self.trash[task_id] = TrashedTask(**_fields(task), deleted_at=now)
        self.tombstones[task_id] = Tombstone(task_id, self.revision)

    def raise_up(self, task_id: UUID) -> Task:
        return self.stamp(Task(**_fields(self.trash.pop(task_id))))

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
        account = self._accounts.setdefault(task.user_id, _Account())
        if taken := account.tasks.get(task.id) or account.trash.get(task.id):
            raise TaskExistsError(taken.revision)
        return account.stamp(task)

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

    async def remove(self, user_id: str, task_id: UUID, revision: int | None = None, *, now: datetime) -> bool:
        """Remove the task where it is as expected."""
        await asyncio.sleep(0)
        account = self._account(user_id)
        if not account.holds(task_id, revision):
            return False
        account.bury(task_id, now)
        return True

    async def restore(self, user_id: str, task_id: UUID) -> Task | None:
        """Take the task out of the trash."""
        await asyncio.sleep(0)
        account = self._account(user_id)
        return account.raise_up(task_id) if task_id in account.trash else None

    async def trash(self, user_id: str, limit: int, after: Position | None = None) -> TrashPage:
        """Return a page of the trash."""
        await asyncio.sleep(0)
        places = {(task.deleted_at, task.id): task for task in self._account(user_id).trash.values()}
        later = [place for place in sorted(places, reverse=True) if after is None or place < (after.key, after.id)]
        return TrashPage.of([places[place] for place in later[: limit + 1]], limit)

    async def purge(self, user_id: str, task_id: UUID | None = None) -> int:
        """Forget what is in the trash."""
        await asyncio.sleep(0)
        trash = self._account(user_id).trash
        doomed = list(trash) if task_id is None else [task_id] if task_id in trash else []
        for doomed_id in doomed:
            del trash[doomed_id]
        return len(doomed)

    async def changes(self, user_id: str, since: int, limit: int) -> Changes:
        """Return what is of later revisions."""
        await asyncio.sleep(0)
        account = self._account(user_id)
        if since > account.revision:
            raise ForgottenRevisionError
        every: list[Task | Tombstone] = [*account.tasks.values(), *account.tombstones.values()]
        found = sorted((item for item in every if item.revision > since), key=lambda item: item.revision)
        return Changes.page(found[: limit + 1], limit, account.revision)

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


def _fields(task: Task) -> dict[str, Any]:
    return {field.name: getattr(task, field.name) for field in fields(Task)}


def _place(task: Task, query: TaskQuery) -> tuple[object, UUID]:
    position = query.position(task)
    return position.key, position.id


def _is_after(task: Task, query: TaskQuery) -> bool:
    if query.after is None:
        return True
    place, after = _place(task, query), (query.after.key, query.after.id)
    return place > after if query.order is Order.ASC else place < after
