"""Use cases of single tasks and lists."""

import asyncio
import random
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from todo_api.application.change_feed import ChangeFeed
from todo_api.application.locks import KeyedLocks
from todo_api.domain.changes import Changes, SyncPoint
from todo_api.domain.due_date import DueDate
from todo_api.domain.errors import (
    ContentionError,
    OccurrenceExistsError,
    RevisionMismatchError,
    TaskNotFoundError,
    TaskNotInTrashError,
)
from todo_api.domain.listing import Position, TaskPage, TaskQuery, TrashPage
from todo_api.domain.operations import Change, Complete, Create, Restore
from todo_api.domain.ports import TaskRepository
from todo_api.domain.task import Task
from todo_api.domain.task_changes import TaskChanges

# Changes of a task are serialized within a process, so only other processes can win a race. One wins each round.
_ATTEMPTS = 30
_MAX_PAUSE = 0.05  # seconds
_LOCK_TIMEOUT = 5.0  # seconds


class TaskService:
    """Use cases of tasks. Each acts for the user whose id is the first argument.

    `if_revisions` is a precondition: the change happens only if the task is at one of these revisions; None allows any.
    Every method may raise RepositoryUnavailableError, and those that change a task ContentionError; both mean that the
    caller may retry later.
    """

    def __init__(
        self,
        repository: TaskRepository,
        feed: ChangeFeed,
        *,
        clock: Callable[[], datetime],
        new_id: Callable[[], UUID],
        quota: int | None = None,
    ) -> None:
        self._repository = repository
        self._announce = feed.announce
        self._quota = quota
        self._clock = clock
        self._new_id = new_id
        self._locks = KeyedLocks(_LOCK_TIMEOUT)

    async def page(self, user_id: str, query: TaskQuery, known: Collection[int] = ()) -> TaskPage:
        """Return a page of the user's tasks, without tasks if the user is still at one of the `known` revisions."""
        if query.filter.needs_clock:
            query = replace(query, filter=replace(query.filter, now=self._clock()))
        return await self._repository.page(user_id, query, known)

    async def get(self, user_id: str, task_id: UUID) -> Task:
        """Return the task, or raise TaskNotFoundError."""
        return await self._repository.get(user_id, task_id)

    async def create(self, user_id: str, values: TaskChanges, task_id: UUID | None = None) -> Task:
        """Create a task and return it; clients that work offline choose the id.

        Raises:
            InvalidValueError: There is no title, or a value breaks a rule.
            TaskExistsError: The user has a task with this id, perhaps in the trash.
            QuotaExceededError: The user has reached the quota.
        """
        task = Task.create(task_id=task_id or self._new_id(), user_id=user_id, values=values, now=self._clock())
        if task.completed and task.recurrence:  # the next occurrence comes with it
            return await self._edit(user_id, Create(task.id, values))
        task = await self._repository.add(task, self._quota)
        self._announce(user_id)
        return task

    async def change(
        self, user_id: str, task_id: UUID, changes: TaskChanges, if_revisions: Collection[int] | None = None
    ) -> Task:
        """Change some fields of a task and return it. Concurrent changes of other fields are kept.

        Completing and reopening an occurrence of a series does what `Workspace.change` says.

        Raises:
            InvalidValueError: A value breaks a rule.
            TaskNotFoundError: The user has no such task.
            RevisionMismatchError: The task is at none of `if_revisions`.
            QuotaExceededError: There is no room for the next occurrence.
        """
        return await self._apply(user_id, Change(task_id, changes, if_revisions))

    async def complete(
        self,
        user_id: str,
        task_id: UUID,
        completed: bool | None,  # noqa: FBT001 - it is the state itself
        if_revisions: Collection[int] | None = None,
    ) -> Task:
        """Complete or reopen a task and return it; None toggles.

        Raises:
            TaskNotFoundError: The user has no such task.
            RevisionMismatchError: The task is at none of `if_revisions`.
        """
        return await self._apply(user_id, Complete(task_id, completed, if_revisions))

    async def delete(self, user_id: str, task_id: UUID, if_revisions: Collection[int] | None = None) -> None:
        """Move a task to the trash.

        Raises:
            TaskNotFoundError: The user has no such task.
            RevisionMismatchError: The task is at none of `if_revisions`.
        """
        if if_revisions is None:
            if not await self._repository.remove(user_id, task_id, now=self._clock()):
                raise TaskNotFoundError
            self._announce(user_id)
            return
        # After a lost race, the next round finds a revision that does not meet the precondition.
        for _ in range(_ATTEMPTS):
            task = await self._load(user_id, task_id, if_revisions)
            if await self._repository.remove(user_id, task_id, task.revision, now=self._clock()):
                self._announce(user_id)
                return
        raise ContentionError("this task changes too fast; nothing was deleted")

    async def restore(self, user_id: str, task_id: UUID) -> Task:
        """Restore a task from the trash and return it.

        Raises:
            TaskNotFoundError: The user has no such task, or it has been purged.
            TaskNotInTrashError: The task is not in the trash.
            QuotaExceededError: The user has reached the quota.
        """
        try:
            restored = await self._repository.restore(user_id, task_id, self._quota)
        except OccurrenceExistsError:
            return await self._edit(user_id, Restore(task_id))
        if restored:
            self._announce(user_id)
            return restored
        await self._repository.get(user_id, task_id)
        raise TaskNotInTrashError

    async def trash(self, user_id: str, limit: int, after: Position | None = None) -> TrashPage:
        """Return a page of the user's trash, newest first."""
        return await self._repository.trash(user_id, limit, after)

    async def purge(self, user_id: str, task_id: UUID) -> None:
        """Permanently delete a task in the trash, or raise TaskNotFoundError."""
        if not await self._repository.purge(user_id, task_id):
            raise TaskNotFoundError

    async def empty_trash(self, user_id: str) -> None:
        """Permanently delete everything in the trash."""
        await self._repository.purge(user_id)

    async def changes(self, user_id: str, since: SyncPoint, limit: int) -> Changes:
        """Return the changes after a point, oldest first.

        Raises:
            ForgottenRevisionError: The point is too old; the client must load everything again.
        """
        return await self._repository.changes(user_id, since, limit)

    async def occurrences(self, user_id: str, task_id: UUID, count: int) -> list[DueDate]:
        """Return up to `count` due dates that follow the task's own, none if it has no recurrence.

        Raises:
            TaskNotFoundError: The user has no such task.
        """
        task = await self._repository.get(user_id, task_id)
        return task.upcoming(count, now=self._clock())

    async def _apply(self, user_id: str, operation: Change | Complete) -> Task:
        async with self._locks.hold((user_id, operation.task_id)):
            for _ in range(_ATTEMPTS):
                task = await self._load(user_id, operation.task_id, operation.if_revisions)
                now = self._clock()
                changed = operation.change(task, now=now)
                if changed is task:
                    return task
                if task.completed and not changed.completed and task.next_id:  # what came of it may have to go
                    return await self._edit(user_id, operation)
                is_completed = changed.completed and not task.completed
                spawned = changed.spawn(self._new_id(), now=now) if is_completed and changed.recurrence else None
                changed, successor = spawned or (changed, None)
                if saved := await self._repository.save(changed, successor, self._quota):
                    self._announce(user_id)
                    return saved
                await asyncio.sleep(random.uniform(0, _MAX_PAUSE))  # noqa: S311 - jitter, not a secret
        raise ContentionError("this task changes too fast; nothing was changed")

    async def _edit(self, user_id: str, operation: Create | Change | Complete | Restore) -> Task:
        edited = await self._repository.edit(
            user_id,
            operation.selection,
            operation.apply,
            now=self._clock(),
            new_id=self._new_id,
            quota=self._quota,
        )
        self._announce(user_id)
        return edited.result

    async def _load(self, user_id: str, task_id: UUID, if_revisions: Collection[int] | None) -> Task:
        task = await self._repository.get(user_id, task_id)
        if if_revisions is not None and task.revision not in if_revisions:
            raise RevisionMismatchError(task.revision)
        return task
