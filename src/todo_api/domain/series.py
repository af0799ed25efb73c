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


def holder(tasks: Records[Task], key: OccurrenceKey | None) -> Task | None:
    """Return the task outside the trash that is this occurrence."""
    return None if key is None else next((task for task in tasks.live() if occurrence_key(task) == key), None)


def follow(task: Task, tasks: Records[Task], new_id: Callable[[], UUID], now: datetime) -> tuple[Task, Task | None]:
    """Return a completed or skipped task with its `next_id`, and the next occurrence if it has to be created."""
    if task.next_id is None and (existing := holder(tasks, occurrence_key(task, ahead=1))):
        return replace(task, next_id=existing.id), None
    return task.spawn(new_id(), now=now) or (task, None)


def unchanged_successor(task: Task, tasks: Records[Task]) -> Task | None:
    """Return the task that came of this one, if nobody has changed it since."""
    successor = None if task.next_id is None else tasks.find(task.next_id)
    if successor is None or isinstance(successor, TrashedTask) or not successor.is_as_spawned():
        return None
    return successor


def in_own_series(task: Task, tasks: Records[Task]) -> Task:
    """Return a task that is added; it starts a series of its own if another task is the same occurrence."""
    other = holder(tasks, occurrence_key(task))
    return task if other is None or other.id == task.id else task.restarted()
