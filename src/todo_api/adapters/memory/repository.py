"""The task repository in memory, held to the same contract as the one on PostgreSQL."""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from todo_api.adapters.memory.store import Store
from todo_api.domain.changes import Change, Changes, ListTombstone, SyncPoint, Tombstone
from todo_api.domain.errors import (
    ForgottenRevisionError,
    OccurrenceExistsError,
    TaskExistsError,
    TaskInTrashError,
    TaskNotFoundError,
)
from todo_api.domain.idempotency import Edited, IdempotencyKey
from todo_api.domain.listing import Order, Position, TaskPage, TaskQuery, TrashPage
from todo_api.domain.selection import Selection
from todo_api.domain.series import occurrence_key
from todo_api.domain.task import Task, TrashedTask
from todo_api.domain.workspace import Workspace

T = TypeVar("T")


class InMemoryTaskRepository:
    """A TaskRepository that keeps tasks for the lifetime of the process.

    Every call yields to the event loop once, as a database call does, and is then atomic.
    """

    def __init__(self, store: Store | None = None) -> None:
        """Share a store with other adapters, or create one."""
        self._store = store or Store()

    async def add(self, task: Task, quota: int | None = None) -> Task:
        await asyncio.sleep(0)
        account = self._store.account_to_write(task.user_id, task.created_at)
        if taken := account.tasks.find(task.id):
            raise (TaskInTrashError if task.id in account.tasks.trash else TaskExistsError)(taken.revision)
        account.require_list(task.list_id)
        account.require_room(quota)
        self._store.accounts[task.user_id] = account
        return account.write(replace(task, position=""))

    async def get(self, user_id: str, task_id: UUID) -> Task:
        await asyncio.sleep(0)
        task = self._store.account(user_id).tasks.live.get(task_id)
        if task is None:
            raise TaskNotFoundError
        return task

    async def save(self, task: Task, successor: Task | None = None, quota: int | None = None) -> Task | None:
        await asyncio.sleep(0)
        account = self._store.account(task.user_id)
        if not account.holds(task.id, task.revision):
            return None
        account.require_list(task.list_id)
        task = replace(task, position=account.tasks.live[task.id].position)
        if successor is not None and (existing := account.occurrence(occurrence_key(successor))):
            task, successor = replace(task, next_id=existing.id), None
        if successor is None:
            return account.write(task)
        account.require_room(quota)
        return account.write(task, successor.spawned_at(account.next_revision))

    async def remove(self, user_id: str, task_id: UUID, revision: int | None = None, *, now: datetime) -> bool:
        await asyncio.sleep(0)
        account = self._store.account(user_id)
        if not account.holds(task_id, revision):
            return False
        account.write(account.tasks.live[task_id].discard(now=now))
        return True

    async def restore(self, user_id: str, task_id: UUID, quota: int | None = None) -> Task | None:
        await asyncio.sleep(0)
        account = self._store.account(user_id)
        task = account.tasks.trash.get(task_id)
        if not isinstance(task, TrashedTask):
            return None
        account.require_room(quota)
        restored = task.restore()
        if account.occurrence(occurrence_key(restored)):
            raise OccurrenceExistsError
        return account.write(restored if task.list_id in account.lists.live else replace(restored, list_id=None))

    async def edit(
        self,
        user_id: str,
        selection: Selection,
        decide: Callable[[Workspace], T],
        *,
        now: datetime,
        new_id: Callable[[], UUID],
        quota: int | None = None,
        key: IdempotencyKey[T] | None = None,
    ) -> Edited[T]:
        await asyncio.sleep(0)
        return self._store.edit(user_id, selection, decide, now=now, new_id=new_id, quota=quota, key=key)

    async def trash(self, user_id: str, limit: int, after: Position | None = None) -> TrashPage:
        await asyncio.sleep(0)
        trash = self._store.account(user_id).tasks.trash.values()
        places = {(task.deleted_at, task.id): task for task in trash if isinstance(task, TrashedTask)}
        later = [place for place in sorted(places, reverse=True) if after is None or place < (after.key, after.id)]
        return TrashPage.of([places[place] for place in later[: limit + 1]], limit)

    async def purge(self, user_id: str, task_id: UUID | None = None) -> int:
        await asyncio.sleep(0)
        tasks = self._store.account(user_id).tasks
        return tasks.purge(tasks.trash if task_id is None else [task_id])

    async def changes(self, user_id: str, since: SyncPoint, limit: int) -> Changes:
        await asyncio.sleep(0)
        account = self._store.account(user_id)
        if since.is_forgotten(account.revision, account.floor):
            raise ForgottenRevisionError
        every: list[Change] = [*account.tasks.live.values(), *account.lists.live.values()]
        every += [Tombstone(*item) for item in account.tasks.buried.items()]
        every += [ListTombstone(*item) for item in account.lists.buried.items()]
        found = sorted(filter(since.precedes, every), key=lambda change: (change.revision, change.id))
        return Changes.page(found, limit, since, account.revision)

    async def page(self, user_id: str, query: TaskQuery, known: Collection[int] = ()) -> TaskPage:
        await asyncio.sleep(0)
        account = self._store.account(user_id)
        if account.revision in known:
            return TaskPage([], account.revision, None)
        tasks = [task for task in account.tasks.live.values() if query.admits(task) and _is_after(task, query)]
        tasks.sort(key=lambda task: _place(task, query), reverse=query.order is Order.DESC)
        return query.page(tasks[: query.limit + 1], account.revision)

    async def check(self) -> None:
        pass


def _place(task: Task, query: TaskQuery) -> tuple[object, UUID]:
    position = query.position(task)
    return position.key, position.id


def _is_after(task: Task, query: TaskQuery) -> bool:
    if query.after is None:
        return True
    place, after = _place(task, query), (query.after.key, query.after.id)
    return place > after if query.order is Order.ASC else place < after
