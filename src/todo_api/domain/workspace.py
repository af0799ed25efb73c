"""The unit of work of an edit: several tasks of one user, changed together at one revision, all or nothing."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from todo_api.domain.errors import (
    QuotaExceededError,
    RevisionMismatchError,
    TaskExistsError,
    TaskInTrashError,
    TaskNotFoundError,
    TaskNotInTrashError,
)
from todo_api.domain.task import Task, TaskChanges, TrashedTask


class Workspace:
    """The tasks of an edit while they are locked, and the changes made to them so far.

    A method that raises has changed nothing.
    """

    def __init__(
        self,
        user_id: str,
        tasks: Iterable[Task],
        *,
        revision: int,
        next_revision: int,
        live_tasks: int,
        quota: int | None,
        now: datetime,
    ) -> None:
        """Start an edit.

        Args:
            user_id: The owner of the tasks.
            tasks: The requested tasks that exist, in the trash or not.
            revision: The user's current revision.
            next_revision: The revision that the edit writes.
            live_tasks: How many tasks the user has outside the trash, including those that were not requested.
            quota: The maximum of `live_tasks`; None for no limit.
            now: The current time (UTC).
        """
        self.user_id = user_id
        self.live_tasks = live_tasks
        self._revision = revision
        self._next_revision = next_revision
        self._quota = quota
        self._now = now
        self._tasks = {task.id: task for task in tasks}
        self._written: dict[UUID, Task] = {}
        self._purged: set[UUID] = set()
        self._is_trash_emptied = False

    @property
    def written(self) -> Mapping[UUID, Task]:
        """The changed tasks at the new revision; deleted ones are TrashedTask."""
        return self._written

    @property
    def purged(self) -> Collection[UUID]:
        """The ids of the tasks that are deleted permanently, after `written` has been written."""
        return self._purged

    @property
    def is_trash_emptied(self) -> bool:
        """Whether all tasks in the trash are deleted permanently, after `written` has been written."""
        return self._is_trash_emptied

    @property
    def revision(self) -> int:
        """The user's revision after the edit; it only changes if a task was written."""
        return self._next_revision if self._written else self._revision

    def create(self, task_id: UUID, values: TaskChanges) -> Task:
        """Create a task and return it.

        Raises:
            InvalidValueError: There is no title, or a value breaks a rule.
            TaskExistsError: The user has a task with this id, perhaps in the trash.
            QuotaExceededError: The user has reached the quota.
        """
        if taken := self._tasks.get(task_id):
            raise (TaskInTrashError if isinstance(taken, TrashedTask) else TaskExistsError)(taken.revision)
        task = Task.create(task_id=task_id, user_id=self.user_id, values=values, now=self._now)
        return self._add(task)

    def adopt(self, task: Task) -> bool:
        """Add a task unchanged, in the trash or not; return False if a task with its id exists.

        Raises:
            QuotaExceededError: The user has reached the quota.
        """
        if task.id in self._tasks:
            return False
        if isinstance(task, TrashedTask):
            self._write(task)
        else:
            self._add(task)
        return True

    def change(self, task_id: UUID, changes: TaskChanges, if_revisions: Collection[int] | None = None) -> Task:
        """Apply the changes to a task and return it.

        Raises:
            InvalidValueError: A value breaks a rule.
            TaskNotFoundError: The user has no such task.
            RevisionMismatchError: It is at none of `if_revisions`, where they are given.
        """
        task = self._live(task_id, if_revisions)
        changed = task.change(changes, now=self._now)
        return task if changed is task else self._write(changed)

    def complete(
        self,
        task_id: UUID,
        completed: bool | None,  # noqa: FBT001 - it is the state itself
        if_revisions: Collection[int] | None = None,
    ) -> Task:
        """Complete or reopen a task and return it; None toggles. Raises the errors of `change`."""
        state = self._live(task_id, if_revisions).completed
        return self.change(task_id, TaskChanges(completed=not state if completed is None else completed), if_revisions)

    def delete(self, task_id: UUID, if_revisions: Collection[int] | None = None) -> None:
        """Move the task to the trash.

        Raises:
            TaskNotFoundError: The user has no such task.
            RevisionMismatchError: It is at none of `if_revisions`, where they are given.
        """
        self._write(self._live(task_id, if_revisions).discard(now=self._now))
        self.live_tasks -= 1

    def restore(self, task_id: UUID, if_revisions: Collection[int] | None = None) -> Task:
        """Restore a task from the trash and return it.

        Raises:
            TaskNotFoundError: The user has no such task, or it has been purged.
            TaskNotInTrashError: The task is not in the trash.
            RevisionMismatchError: It is at none of `if_revisions`, where they are given.
            QuotaExceededError: The user has reached the quota.
        """
        task = self._tasks.get(task_id)
        if not isinstance(task, TrashedTask):
            raise TaskNotFoundError if task is None else TaskNotInTrashError
        _require_revision(task, if_revisions)
        return self._add(task.restore())

    def purge(self, task_id: UUID, if_revisions: Collection[int] | None = None) -> None:
        """Delete a task in the trash permanently.

        Raises:
            TaskNotFoundError: The user has no such task, or it is not in the trash.
            RevisionMismatchError: It is at none of `if_revisions`, where they are given.
        """
        task = self._tasks.get(task_id)
        if not isinstance(task, TrashedTask):
            raise TaskNotFoundError
        _require_revision(task, if_revisions)
        self._purged.add(task_id)
        del self._tasks[task_id]

    def empty_trash(self) -> None:
        """Delete all tasks in the trash permanently, including those that were not requested."""
        self._is_trash_emptied = True
        self._tasks = {task_id: task for task_id, task in self._tasks.items() if not isinstance(task, TrashedTask)}

    def _live(self, task_id: UUID, if_revisions: Collection[int] | None) -> Task:
        task = self._tasks.get(task_id)
        if task is None or isinstance(task, TrashedTask):
            raise TaskNotFoundError
        _require_revision(task, if_revisions)
        return task

    def _add(self, task: Task) -> Task:
        if self._quota is not None and self.live_tasks >= self._quota:
            raise QuotaExceededError(self._quota)
        self.live_tasks += 1
        return self._write(task)

    def _write(self, task: Task) -> Task:
        task = replace(task, revision=self._next_revision)
        self._tasks[task.id] = self._written[task.id] = task
        return task


def _require_revision(task: Task, if_revisions: Collection[int] | None) -> None:
    if if_revisions is not None and task.revision not in if_revisions:
        raise RevisionMismatchError(task.revision)
