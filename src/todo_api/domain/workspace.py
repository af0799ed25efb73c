"""Edits: several tasks of one user that are changed together, at one revision, all or nothing."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from todo_api.domain.errors import (
    QuotaExceededError,
    RevisionMismatchError,
    TaskExistsError,
    TaskNotFoundError,
    TaskNotInTrashError,
)
from todo_api.domain.task import Task, TaskChanges, TrashedTask


class Workspace:
    """The tasks that an edit is about, as they are while nobody else may change them, and what it makes of them.

    A method that raises an error has changed nothing.
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
        """Take those of the tasks that there are, in the trash or not.

        Args:
            user_id: Whose they are.
            tasks: The tasks.
            revision: The revision that the user is at.
            next_revision: The one that the edit brings about.
            live_tasks: How many tasks the user has, all in all, without those in the trash.
            quota: How many they may be; None for any number.
            now: The time in UTC.
        """
        self.user_id = user_id
        self.live_tasks = live_tasks
        self._revision = revision
        self._next_revision = next_revision
        self._quota = quota
        self._now = now
        self._tasks = {task.id: task for task in tasks}
        self._written: dict[UUID, Task] = {}

    @property
    def written(self) -> Mapping[UUID, Task]:
        """What the edit has made: tasks at the new revision, those that it deleted as TrashedTask."""
        return self._written

    @property
    def revision(self) -> int:
        """The user's revision after the edit: the next one, if anything was written."""
        return self._next_revision if self._written else self._revision

    def create(self, task_id: UUID, values: TaskChanges) -> Task:
        """Return a new task of these values.

        Raises:
            InvalidValueError: There is no title, or a value breaks a rule.
            TaskExistsError: The user has a task of this id, perhaps in the trash.
            QuotaExceededError: The user has too many tasks.
        """
        if taken := self._tasks.get(task_id):
            raise TaskExistsError(taken.revision)
        task = Task.create(task_id=task_id, user_id=self.user_id, values=values, now=self._now)
        return self._add(task)

    def adopt(self, task: Task) -> bool:
        """Add a task as it is, in the trash or not, unless there is one of its id; say whether there was none.

        Raises:
            QuotaExceededError: The user has too many tasks.
        """
        if task.id in self._tasks:
            return False
        if isinstance(task, TrashedTask):
            self._write(task)
        else:
            self._add(task)
        return True

    def change(self, task_id: UUID, changes: TaskChanges, if_revisions: Collection[int] | None = None) -> Task:
        """Return the task with the changes applied.

        Raises:
            InvalidValueError: A value breaks a rule.
            TaskNotFoundError: The user has no such task.
            RevisionMismatchError: It is at none of `if_revisions`.
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
        """Return the task in this state of completion, or in the other one for None; raises what `change` does."""
        state = self._live(task_id, if_revisions).completed
        return self.change(task_id, TaskChanges(completed=not state if completed is None else completed), if_revisions)

    def delete(self, task_id: UUID, if_revisions: Collection[int] | None = None) -> None:
        """Move the task to the trash.

        Raises:
            TaskNotFoundError: The user has no such task.
            RevisionMismatchError: It is at none of `if_revisions`.
        """
        self._write(self._live(task_id, if_revisions).discard(now=self._now))
        self.live_tasks -= 1

    def restore(self, task_id: UUID) -> Task:
        """Take the task out of the trash and return it.

        Raises:
            TaskNotFoundError: The user has no such task, nor had one that is not purged.
            TaskNotInTrashError: The task was not deleted.
            QuotaExceededError: The user has too many tasks.
        """
        task = self._tasks.get(task_id)
        if isinstance(task, TrashedTask):
            return self._add(task.restore())
        raise TaskNotFoundError if task is None else TaskNotInTrashError

    def _live(self, task_id: UUID, if_revisions: Collection[int] | None) -> Task:
        task = self._tasks.get(task_id)
        if task is None or isinstance(task, TrashedTask):
            raise TaskNotFoundError
        if if_revisions is not None and task.revision not in if_revisions:
            raise RevisionMismatchError(task.revision)
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
