"""The rules of a series among the tasks of an edit: each occurrence exists once outside the trash."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from todo_api.domain.records import Records
from todo_api.domain.task import Task, TrashedTask

# A series, and the number of an occurrence in it.
OccurrenceKey: TypeAlias = tuple[UUID, int]


def occurrence_key(task: Task, ahead: int = 0) -> OccurrenceKey | None:
    """Return the key of the task, or of the occurrence `ahead` places after it; None if it does not repeat."""
    if task.recurrence is None or task.series_id is None:
        return None
    return task.series_id, task.recurrence.occurrence.sequence + ahead


def related_occurrences(tasks: Iterable[Task]) -> frozenset[OccurrenceKey]:
    """Return the occurrences that an edit of these tasks may create: the next ones, and those that were deleted."""
    keys = (
        occurrence_key(task, ahead=0 if isinstance(task, TrashedTask) else 1) for task in tasks if task.next_id is None
    )
    return frozenset(key for key in keys if key is not None)


class TaskRecords(Records[Task]):
    """The tasks of an edit, which are also found by their occurrences."""

    def __init__(self, items: Iterable[Task], next_revision: int) -> None:
        super().__init__(items, next_revision)
        self._holders: dict[OccurrenceKey, UUID] = {}
        for task in self.all():
            self._note(task)

    def write(self, item: Task) -> Task:
        written = super().write(item)
        self._note(written)
        return written

    def holder(self, key: OccurrenceKey | None) -> Task | None:
        """Return the task outside the trash that is this occurrence."""
        task = self.find(self._holders[key]) if key in self._holders else None
        return task if task and not isinstance(task, TrashedTask) and occurrence_key(task) == key else None

    def _note(self, task: Task) -> None:
        if (key := occurrence_key(task)) and not isinstance(task, TrashedTask):
            self._holders[key] = task.id


def follow(task: Task, tasks: TaskRecords, new_id: Callable[[], UUID], now: datetime) -> tuple[Task, Task | None]:
    """Return a completed or skipped task with its `next_id`, and the next occurrence if it has to be created."""
    if task.next_id is None and (existing := tasks.holder(occurrence_key(task, ahead=1))):
        return replace(task, next_id=existing.id), None
    return task.spawn(new_id(), now=now) or (task, None)


def unchanged_successor(task: Task, tasks: TaskRecords) -> Task | None:
    """Return the task that came of this one, if nobody has changed it since."""
    successor = None if task.next_id is None else tasks.find(task.next_id)
    if successor is None or isinstance(successor, TrashedTask) or not successor.is_as_spawned():
        return None
    return successor


def in_own_series(task: Task, tasks: TaskRecords) -> Task:
    """Return a task that is added; it starts a series of its own if another task is the same occurrence."""
    other = tasks.holder(occurrence_key(task))
    return task if other is None or other.id == task.id else task.restarted()
