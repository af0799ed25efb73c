"""Map tasks to rows and back, by name.

A field of Task is the column of the same name, so a new field needs no change here. Only due dates take two columns.
"""

from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from todo_api.adapters.sqlalchemy.tables import tasks
from todo_api.domain.changes import Tombstone
from todo_api.domain.due_date import DueDate, DueKind, due_date_from, due_instant, due_kind
from todo_api.domain.task import Task, TrashedTask
from todo_api.domain.text import sort_key

_PLAIN_FIELDS = tuple(field.name for field in fields(Task) if field.name != "due_date")
# A frozen dataclass's constructor takes twice as long as its field descriptors: a fifth of the CPU time of a page.
_SETTERS = {field.name: getattr(Task, field.name).__set__ for field in fields(Task)}
_PLAIN_SETTERS = [(name, _SETTERS[name]) for name in _PLAIN_FIELDS]

_PARAMETERS = {column.name: f"new_{column.name}" for column in tasks.c}

# The columns that make a task.
TASK_COLUMNS = [*(tasks.c[name] for name in _PLAIN_FIELDS), tasks.c.due_at, tasks.c.due_kind]


def to_row(task: Task) -> dict[str, Any]:
    """Return a value for each column."""
    due_date = task.due_date
    return {
        **{name: getattr(task, name) for name in _PLAIN_FIELDS},
        "title_key": sort_key(task.title),
        "due_at": None if due_date is None else due_instant(due_date),
        "due_kind": None if due_date is None else due_kind(due_date).value,
        "deleted_at": task.deleted_at if isinstance(task, TrashedTask) else None,
    }


def to_parameters(task: Task) -> dict[str, Any]:
    """Return a value for each `new_<column>` parameter of a statement that writes a task."""
    return {_PARAMETERS[name]: value for name, value in to_row(task).items()}


def to_task(row: Mapping[str, Any]) -> Task:
    """Return the task of a row of TASK_COLUMNS, which may have further columns."""
    task = object.__new__(Task)
    for name, set_field in _PLAIN_SETTERS:
        set_field(task, row[name])
    due_at = row["due_at"]
    _SETTERS["due_date"](task, None if due_at is None else _due_date(due_at, DueKind(row["due_kind"])))
    return task


def to_stored_task(row: Mapping[str, Any]) -> Task:
    """Return the task of a row that has `deleted_at` too: a TrashedTask if it is in the trash."""
    return to_task(row) if row["deleted_at"] is None else to_trashed_task(row)


def to_trashed_task(row: Mapping[str, Any]) -> TrashedTask:
    return to_task(row).discard(now=row["deleted_at"])


def to_change(row: Mapping[str, Any]) -> Task | Tombstone:
    """Return the task of a row of `statements.CHANGES`, or the tombstone, which has no title."""
    return Tombstone(row["id"], row["revision"]) if row["title"] is None else to_task(row)


def _due_date(due_at: datetime, kind: DueKind) -> DueDate:
    # asyncpg writes datetime.min and datetime.max as infinities, and returns infinities without a time zone.
    return due_date_from(due_at if due_at.tzinfo else due_at.replace(tzinfo=UTC), kind)
