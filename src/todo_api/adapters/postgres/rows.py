"""Tasks as rows: one function either way."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from asyncpg import Record

from todo_api.domain.due_date import DueDate, DueKind, due_date_from, due_instant, due_kind
from todo_api.domain.task import Task
from todo_api.domain.text import sort_key


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


def to_task(row: Record | Iterable[Any]) -> Task:
    """Return the task of a row of `statements.TASK_COLUMNS`."""
    (user_id, task_id, title, description, completed, completed_at, due_at, kind, created_at, updated_at, revision) = (
        row
    )
    return Task(
        id=task_id,
        user_id=user_id,
        title=title,
        description=description,
        completed=completed,
        completed_at=completed_at,
        due_date=None if due_at is None else _due_date(due_at, DueKind(kind)),
        created_at=created_at,
        updated_at=updated_at,
        revision=revision,
    )


def _due_date(due_at: datetime, kind: DueKind) -> DueDate:
    # asyncpg writes the first and the last instant that there are as infinities, and reads those without a time zone.
    return due_date_from(due_at if due_at.tzinfo else due_at.replace(tzinfo=UTC), kind)
