"""Tasks as rows: one function either way."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from todo_api.domain.changes import Tombstone
from todo_api.domain.due_date import DueDate, DueKind, due_date_from, due_instant, due_kind
from todo_api.domain.task import Task, TrashedTask
from todo_api.domain.text import sort_key

_new = object.__new__
(
    _set_id,
    _set_user_id,
    _set_title,
    _set_description,
    _set_completed,
    _set_completed_at,
    _set_due_date,
    _set_created_at,
    _set_updated_at,
    _set_revision,
) = (getattr(Task, field.name).__set__ for field in fields(Task))


def to_parameters(task: Task) -> Mapping[str, Any]:
    """Return a value for every column."""
    due_date = task.due_date
    return {
        "user_id": task.user_id,
        "id": task.id,
        "title": task.title,
        "title_key": sort_key(task.title),
        "description": task.description,
        "completed": task.completed,
        "completed_at": task.completed_at,
        "due_at": None if due_date is None else due_instant(due_date),
        "due_kind": None if due_date is None else due_kind(due_date).value,
        "created_at": task.created_at,
        "updated_at": task.updated_at,
        "revision": task.revision,
    }


def to_task(row: Iterable[Any]) -> Task:
    """Return the task of a row of `statements.TASK_COLUMNS`.

    The constructor of a frozen dataclass sets each field by name through `object`, which takes three times as long as
    the fields' own descriptors, and more than a tenth of a page's whole time.
    """
    user_id, task_id, title, description, completed, completed_at, due_at, kind, created_at, updated_at, revision = row
    task = _new(Task)
    _set_id(task, task_id)
    _set_user_id(task, user_id)
    _set_title(task, title)
    _set_description(task, description)
    _set_completed(task, completed)
    _set_completed_at(task, completed_at)
    _set_due_date(task, None if due_at is None else _due_date(due_at, DueKind(kind)))
    _set_created_at(task, created_at)
    _set_updated_at(task, updated_at)
    _set_revision(task, revision)
    return task


def to_trashed_task(row: Any) -> TrashedTask:
    """Return the task of a row of `statements.TASK_COLUMNS` and when it was deleted."""
    return to_task(row[:-1]).discard(now=row[-1])


def to_stored_task(row: Any) -> Task:
    """Return the task of such a row; one that was not deleted, as it is."""
    return to_task(row[:-1]) if row[-1] is None else to_trashed_task(row)


def to_change(row: Any) -> Task | Tombstone:
    """Return the task of a row of `statements.CHANGES`, or the tombstone, which has no title."""
    return to_task(row) if row[2] is not None else Tombstone(row[1], row[-1])


def _due_date(due_at: datetime, kind: DueKind) -> DueDate:
    # asyncpg writes the first and the last instant that there are as infinities, and reads those without a time zone.
    return due_date_from(due_at if due_at.tzinfo else due_at.replace(tzinfo=UTC), kind)
