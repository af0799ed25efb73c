"""The unit of work of an edit: tasks and lists of one user, changed together at one revision, all or nothing."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from todo_api.domain import series
from todo_api.domain.errors import (
    InvalidFieldError,
    NotRecurringError,
    QuotaExceededError,
    TaskExistsError,
    TaskInTrashError,
    TaskNotFoundError,
    TaskNotInTrashError,
)
from todo_api.domain.records import After, Before, Place, Records, require_revision
from todo_api.domain.task import Task, TrashedTask
from todo_api.domain.task_changes import UNSET, TaskChanges, Unset
from todo_api.domain.task_list import TaskList, TrashedList

NO_SUCH_LIST = "must be null, for the inbox, or the id of one of your lists"


class Workspace:
    """The tasks and lists of an edit while they are locked, and the changes made to them so far.

    A method that raises has changed nothing. The changes of lists are in `list_operations.py`,
    those of tags in `tag_operations.py`.
    """

    def __init__(
        self,
        user_id: str,
        tasks: Iterable[Task],
        lists: Iterable[TaskList] = (),
        *,
        revision: int,
        next_revision: int,
        live_tasks: int,
        quota: int | None,
        now: datetime,
        new_id: Callable[[], UUID],
    ) -> None:
        """Start an edit.

        Args:
            user_id: The owner of the tasks.
            tasks: The selected tasks that exist, in the trash or not.
            lists: The selected lists that exist, in the trash or not.
            revision: The user's current revision.
            next_revision: The revision that the edit writes.
            live_tasks: How many tasks the user has outside the trash, including those that were not selected.
            quota: The maximum of `live_tasks`; None for no limit.
            now: The current time (UTC).
            new_id: Returns the ids of tasks that come of others.
        """
        self.user_id = user_id
        self.live_tasks = live_tasks
        self.now = now
        self.new_id = new_id
        self.tasks = series.TaskRecords(tasks, next_revision)
        self.lists = Records(lists, next_revision)
        self._revision = revision
        self._next_revision = next_revision
        self._quota = quota
        self._is_trash_emptied = False
        # A list with a task outside the trash exists, also if it was not selected.
        self._lists_in_use = {task.list_id for task in self.tasks.all() if not isinstance(task, TrashedTask)}

    @property
    def has_changes(self) -> bool:
        """Whether anything was written."""
        return bool(self.tasks.written or self.lists.written)

    @property
    def is_trash_emptied(self) -> bool:
        """Whether all tasks in the trash are deleted permanently, after what was written."""
        return self._is_trash_emptied

    @property
    def revision(self) -> int:
        """The user's revision after the edit; it only changes if something was written."""
        return self._next_revision if self.has_changes else self._revision

    def create(self, task_id: UUID, values: TaskChanges) -> Task:
        """Create a task and return it.

        Raises:
            InvalidValueError: There is no title, or a value breaks a rule.
            TaskExistsError: The user has a task with this id, perhaps in the trash.
            QuotaExceededError: The user has reached the quota.
        """
        if taken := self.tasks.find(task_id):
            raise (TaskInTrashError if isinstance(taken, TrashedTask) else TaskExistsError)(taken.revision)
        self.require_list(values.list_id)
        task = Task.create(task_id=task_id, user_id=self.user_id, values=values, now=self.now)
        return self._store(task, is_new=True)

    def adopt(self, task: Task) -> bool:
        """Add a task unchanged, in the trash or not; return False if a task with its id exists.

        A task of a list that does not exist comes into the inbox.

        Raises:
            QuotaExceededError: The user has reached the quota.
        """
        if self.tasks.find(task.id):
            return False
        if isinstance(task, TrashedTask):
            self.tasks.write(task)
        else:
            self.add(self.listed(task))
        return True

    def change(self, task_id: UUID, changes: TaskChanges, if_revisions: Collection[int] | None = None) -> Task:
        """Apply the changes to a task and return it.

        Completing an occurrence of a series creates the next one. Reopening it deletes that permanently, unless it has
        been changed.

        Raises:
            InvalidValueError: A value breaks a rule.
            TaskNotFoundError: The user has no such task.
            RevisionMismatchError: It is at none of `if_revisions`, where they are given.
            QuotaExceededError: There is no room for the next occurrence.
        """
        task = self.live_task(task_id, if_revisions)
        changed = task.change(changes, now=self.now)
        if changed is task:
            return task
        if changed.list_id != task.list_id:
            self.require_list(changed.list_id)
        if task.completed and not changed.completed:
            changed = self._without_successor(changed)
        elif changed.completed and not task.completed:
            return self._store(changed)
        return self.tasks.write(changed)

    def complete(
        self,
        task_id: UUID,
        completed: bool | None,  # noqa: FBT001 - it is the state itself
        if_revisions: Collection[int] | None = None,
    ) -> Task:
        """Complete or reopen a task and return it; None toggles. Raises the errors of `change`."""
        state = self.live_task(task_id, if_revisions).completed
        return self.change(task_id, TaskChanges(completed=not state if completed is None else completed), if_revisions)

    def skip(self, task_id: UUID, if_revisions: Collection[int] | None = None) -> Task:
        """Move an occurrence to the trash, create the next one, and return that.

        Raises:
            TaskNotFoundError: The user has no such task.
            RevisionMismatchError: It is at none of `if_revisions`, where they are given.
            NotRecurringError: It has no recurrence, is completed, or is the last of its series.
        """
        task = self.live_task(task_id, if_revisions)
        if task.recurrence is None or task.completed:
            raise NotRecurringError("only an open occurrence of a series can be skipped")
        skipped, successor = series.follow(task, self.tasks, self.new_id, self.now)
        if successor is None:
            raise NotRecurringError("no occurrence follows, or it exists already; delete or complete the task instead")
        self.discard(skipped)
        return self._write_successor(successor)

    def move(
        self,
        task_id: UUID,
        place: Place,
        list_id: UUID | None | Unset = UNSET,
        if_revisions: Collection[int] | None = None,
    ) -> Task:
        """Move a task in the manual order, into the list of its new neighbour unless another is given; return it.

        Raises:
            TaskNotFoundError: The user has no such task.
            RevisionMismatchError: It is at none of `if_revisions`, where they are given.
            InvalidFieldError: There is no such list, or the task is to be moved next to itself.
            NeighbourNotFoundError: The neighbour does not exist, or is in the trash.
        """
        task = self.live_task(task_id, if_revisions)
        if list_id is not UNSET:
            self.require_list(list_id)
        elif isinstance(place, Before | After) and (neighbour := self.tasks.find(place.id)):
            list_id = neighbour.list_id
        moved = task.change(TaskChanges(list_id=list_id), now=self.now)
        placed = self.tasks.move(moved, place)
        return self.tasks.write(moved) if placed is moved and moved is not task else placed

    def delete(self, task_id: UUID, if_revisions: Collection[int] | None = None) -> None:
        """Move the task to the trash.

        Raises:
            TaskNotFoundError: The user has no such task.
            RevisionMismatchError: It is at none of `if_revisions`, where they are given.
        """
        self.discard(self.live_task(task_id, if_revisions))

    def restore(self, task_id: UUID, if_revisions: Collection[int] | None = None) -> Task:
        """Restore a task from the trash and return it; without its list, it comes into the inbox.

        Raises:
            TaskNotFoundError: The user has no such task, or it has been purged.
            TaskNotInTrashError: The task is not in the trash.
            RevisionMismatchError: It is at none of `if_revisions`, where they are given.
            QuotaExceededError: The user has reached the quota.
        """
        task = self.tasks.find(task_id)
        if not isinstance(task, TrashedTask):
            raise TaskNotFoundError if task is None else TaskNotInTrashError
        require_revision(task, if_revisions)
        return self.add(self.listed(task.restore()))

    def purge(self, task_id: UUID, if_revisions: Collection[int] | None = None) -> None:
        """Delete a task in the trash permanently.

        Raises:
            TaskNotFoundError: The user has no such task, or it is not in the trash.
            RevisionMismatchError: It is at none of `if_revisions`, where they are given.
        """
        task = self.tasks.find(task_id)
        if not isinstance(task, TrashedTask):
            raise TaskNotFoundError
        require_revision(task, if_revisions)
        self.tasks.purge(task_id)

    def empty_trash(self) -> None:
        """Delete all tasks in the trash permanently, including those that were not selected."""
        self._is_trash_emptied = True
        for task in self.tasks.all():
            if isinstance(task, TrashedTask):
                self.tasks.purge(task.id)

    def live_task(self, task_id: UUID, if_revisions: Collection[int] | None = None) -> Task:
        """Return a task that is not in the trash, or raise TaskNotFoundError or RevisionMismatchError."""
        task = self.tasks.find(task_id)
        if task is None or isinstance(task, TrashedTask):
            raise TaskNotFoundError
        require_revision(task, if_revisions)
        return task

    def add(self, task: Task) -> Task:
        """Store a task that was not there, or was in the trash, or raise QuotaExceededError."""
        self.require_room(1)
        self.live_tasks += 1
        return self.tasks.write(series.in_own_series(task, self.tasks))

    def require_room(self, tasks: int) -> None:
        """Raise QuotaExceededError if there is no room for so many more tasks."""
        if self._quota is not None and tasks and self.live_tasks + tasks > self._quota:
            raise QuotaExceededError(self._quota)

    def discard(self, task: Task, now: datetime | None = None) -> None:
        """Move the task to the trash, at the time of the edit unless another is given."""
        self.tasks.write(task.discard(now=now or self.now))
        self.live_tasks -= 1

    def listed(self, task: Task) -> Task:
        """Return the task, in the inbox if its list is not there."""
        return task if task.list_id is None or self._has_list(task.list_id) else replace(task, list_id=None)

    def require_list(self, list_id: UUID | None | Unset) -> None:
        """Raise InvalidFieldError unless this is one of the user's lists, or none."""
        if isinstance(list_id, UUID) and not self._has_list(list_id):
            raise InvalidFieldError("list_id", NO_SUCH_LIST)

    def _has_list(self, list_id: UUID) -> bool:
        found = self.lists.find(list_id)
        return list_id in self._lists_in_use if found is None else not isinstance(found, TrashedList)

    def _store(self, task: Task, *, is_new: bool = False) -> Task:
        """Store a new or just completed task, and the next occurrence if there is one."""
        successor = None
        if task.completed:
            task, successor = series.follow(task, self.tasks, self.new_id, self.now)
        self.require_room(is_new + (successor is not None))
        self.live_tasks += is_new
        if successor is not None:
            self._write_successor(successor)
        return self.tasks.write(task)

    def _write_successor(self, successor: Task) -> Task:
        self.live_tasks += 1
        return self.tasks.write(successor.spawned_at(self._next_revision))

    def _without_successor(self, task: Task) -> Task:
        """Return the reopened task; permanently delete what came of it, if nobody has changed that."""
        successor = series.unchanged_successor(task, self.tasks)
        if successor is None:
            return task
        self.discard(successor)
        self.tasks.purge(successor.id)
        return replace(task, next_id=None)
