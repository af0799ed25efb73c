"""The use cases: what a user can do with tasks."""

import asyncio
import random
from collections.abc import Callable, Collection
from datetime import datetime
from uuid import UUID

from todo_api.application.change_feed import ChangeFeed
from todo_api.application.turns import Turns
from todo_api.domain.changes import Changes, SyncPoint
from todo_api.domain.errors import ContentionError, RevisionMismatchError, TaskNotFoundError, TaskNotInTrashError
from todo_api.domain.listing import Position, TaskPage, TaskQuery, TrashPage
from todo_api.domain.ports import TaskRepository
from todo_api.domain.task import Task, TaskChanges

# Within a process changes of a task take turns, so a race is lost to other processes only: one wins each round.
_ATTEMPTS = 30
_LONGEST_PAUSE = 0.05
_PATIENCE = 5.0


class TaskService:
    """The use cases; every one acts for one user, whose id comes first.

    `if_revisions` is what the caller believes: the change happens only if the task is at one of these revisions, or
    at any for None. All raise RepositoryUnavailableError, and those that change a task ContentionError, when nothing
    is wrong with the request and it may be sent again later.
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
        """Take the storage, whom to tell of changes, the time in UTC, a source of version 7 UUIDs and the quota."""
        self._repository = repository
        self._announce = feed.announce
        self._quota = quota
        self._clock = clock
        self._new_id = new_id
        self._turns = Turns(_PATIENCE)

    async def page(self, user_id: str, query: TaskQuery, known: Collection[int] = ()) -> TaskPage:
        """Return a page of the user's tasks; it has none if the user is at one of the known revisions."""
        return await self._repository.page(user_id, query, known)

    async def get(self, user_id: str, task_id: UUID) -> Task:
        """Return the task, or raise TaskNotFoundError."""
        return await self._repository.get(user_id, task_id)

    async def create(self, user_id: str, values: TaskChanges, task_id: UUID | None = None) -> Task:
        """Create a task of these values and return it; the caller may choose the id, to name tasks while offline.

        Raises:
            InvalidValueError: There is no title, or a value breaks a rule.
            TaskExistsError: The user has a task of this id, perhaps in the trash.
            QuotaExceededError: The user has too many tasks.
        """
        task = Task.create(task_id=task_id or self._new_id(), user_id=user_id, values=values, now=self._clock())
        task = await self._repository.add(task, self._quota)
        self._announce(user_id)
        return task

    async def change(
        self, user_id: str, task_id: UUID, changes: TaskChanges, if_revisions: Collection[int] | None = None
    ) -> Task:
        """Change some fields of the task and return it; others that change other fields lose nothing.

        Raises:
            InvalidValueError: A value breaks a rule.
            TaskNotFoundError: The user has no such task.
            RevisionMismatchError: It is at none of `if_revisions`.
        """
        return await self._apply(user_id, task_id, lambda task: task.change(changes, now=self._clock()), if_revisions)

    async def complete(
        self,
        user_id: str,
        task_id: UUID,
        completed: bool | None,  # noqa: FBT001 - it is the state itself
        if_revisions: Collection[int] | None = None,
    ) -> Task:
        """Set whether the task is done, or turn that around for None, and return the task.

        Raises:
            TaskNotFoundError: The user has no such task.
            RevisionMismatchError: It is at none of `if_revisions`.
        """
        return await self._apply(
            user_id, task_id, lambda task: task.complete(completed, now=self._clock()), if_revisions
        )

    async def delete(self, user_id: str, task_id: UUID, if_revisions: Collection[int] | None = None) -> None:
        """Move the task to the trash.

        Raises:
            TaskNotFoundError: The user has no such task.
            RevisionMismatchError: It is at none of `if_revisions`.
        """
        if if_revisions is None:
            if not await self._repository.remove(user_id, task_id, now=self._clock()):
                raise TaskNotFoundError
            self._announce(user_id)
            return
        # A removal that loses a race finds, on the next round, a revision that was not asked for.
        for _ in range(_ATTEMPTS):
            task = await self._load(user_id, task_id, if_revisions)
            if await self._repository.remove(user_id, task_id, task.revision, now=self._clock()):
                self._announce(user_id)
                return
        raise ContentionError("this task changes too fast; nothing was deleted")

    async def restore(self, user_id: str, task_id: UUID) -> Task:
        """Take the task out of the trash and return it.

        Raises:
            TaskNotFoundError: The user has no such task, nor had one that is not purged.
            TaskNotInTrashError: The task was not deleted.
            QuotaExceededError: The user has too many tasks.
        """
        if restored := await self._repository.restore(user_id, task_id, self._quota):
            self._announce(user_id)
            return restored
        await self._repository.get(user_id, task_id)
        raise TaskNotInTrashError

    async def trash(self, user_id: str, limit: int, after: Position | None = None) -> TrashPage:
        """Return a page of the user's trash, newest first."""
        return await self._repository.trash(user_id, limit, after)

    async def purge(self, user_id: str, task_id: UUID) -> None:
        """Forget a task that is in the trash, for good, or raise TaskNotFoundError."""
        if not await self._repository.purge(user_id, task_id):
            raise TaskNotFoundError

    async def empty_trash(self, user_id: str) -> None:
        """Forget everything that is in the trash, for good."""
        await self._repository.purge(user_id)

    async def changes(self, user_id: str, since: SyncPoint, limit: int) -> Changes:
        """Return what has happened to the user's tasks after the point, oldest first.

        Raises:
            ForgottenRevisionError: It is too long ago; load everything afresh, from the point of an empty copy.
        """
        return await self._repository.changes(user_id, since, limit)

    async def _apply(
        self,
        user_id: str,
        task_id: UUID,
        decide: Callable[[Task], Task],
        if_revisions: Collection[int] | None,
    ) -> Task:
        async with self._turns.take((user_id, task_id)):
            for _ in range(_ATTEMPTS):
                task = await self._load(user_id, task_id, if_revisions)
                changed = decide(task)
                if changed is task:
                    return task
                if saved := await self._repository.save(changed):
                    self._announce(user_id)
                    return saved
                await asyncio.sleep(random.uniform(0, _LONGEST_PAUSE))  # noqa: S311 - apart from the others, not secret
        raise ContentionError("this task changes too fast; nothing was changed")

    async def _load(self, user_id: str, task_id: UUID, if_revisions: Collection[int] | None) -> Task:
        task = await self._repository.get(user_id, task_id)
        if if_revisions is not None and task.revision not in if_revisions:
            raise RevisionMismatchError(task.revision)
        return task
