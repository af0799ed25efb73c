"""Map tasks and lists to rows and back, by name.

A field is the column of the same name, so a new field needs no change here, unless its value is stored in another form:
see `_OTHERS`. Only due dates take two columns.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from itertools import islice
from operator import attrgetter
from typing import Any
from uuid import UUID

from todo_api.adapters.sqlalchemy.tables import lists, manual_position, tasks
from todo_api.domain.changes import Change, ListTombstone, Tombstone
from todo_api.domain.checklist import Checklist, ChecklistItem
from todo_api.domain.due_date import DueDate, DueKind, due_date_from, due_instant, due_kind
from todo_api.domain.filters import search_words
from todo_api.domain.repetition import Repetition
from todo_api.domain.tags import tag_key
from todo_api.domain.task import Task, TrashedTask, build_task
from todo_api.domain.task_changes import PRIORITIES
from todo_api.domain.task_list import TaskList, TrashedList
from todo_api.domain.text import sort_key


def _checklist_to_json(items: Checklist) -> str:
    return json.dumps([{"id": str(item.id), "title": item.title, "completed": item.completed} for item in items])


def _checklist_from_json(items: Iterable[Mapping[str, Any]]) -> Checklist:
    return tuple(ChecklistItem(id=UUID(item["id"]), title=item["title"], completed=item["completed"]) for item in items)


_FIELDS = tuple(field.name for field in fields(Task))
# Those that are stored in another form.
_OTHERS = ("due_date", "priority", "tags", "checklist", "recurrence")
_PLAIN_FIELDS = tuple(name for name in _FIELDS if name not in _OTHERS)
_plain_values = attrgetter(*_PLAIN_FIELDS)
_DUE_DATE, _PRIORITY, _TAGS, _CHECKLIST, _RECURRENCE = map(_FIELDS.index, _OTHERS)

# The columns that make a task, in the order of its fields; the kind of the due date comes last.
TASK_COLUMNS = [
    *(
        manual_position.label("position") if name == "position" else tasks.c["due_at" if name == "due_date" else name]
        for name in _FIELDS
    ),
    tasks.c.due_kind,
]


def to_row(task: Task) -> dict[str, Any]:
    """Return a value for each column."""
    return dict(zip(_COLUMNS, _stored_values(task), strict=True))


def to_parameters(task: Task, prefix: str = "new_") -> dict[str, Any]:
    """Return a value for each `<prefix><column>` parameter of a statement that writes a task."""
    return dict(zip(_PARAMETERS[prefix], _stored_values(task), strict=True))


# The columns of the values that `_stored_values` returns.
_COLUMNS = (
    *_PLAIN_FIELDS,
    *("priority", "tags", "tag_keys", "checklist", "recurrence"),
    *("title_key", "words", "due_at", "due_kind", "deleted_at"),
)
_PARAMETERS = {prefix: tuple(prefix + name for name in _COLUMNS) for prefix in ("new_", "next_")}


def _stored_values(task: Task) -> tuple[Any, ...]:
    due_date, tags = task.due_date, task.tags
    return (
        *_plain_values(task),
        PRIORITIES.index(task.priority),
        json.dumps(tags) if tags else None,
        json.dumps([tag_key(tag) for tag in tags]) if tags else None,
        _checklist_to_json(task.checklist) if task.checklist else None,
        None if task.recurrence is None else json.dumps(task.recurrence.to_document()),
        sort_key(task.title),
        search_words(task),
        None if due_date is None else due_instant(due_date),
        None if due_date is None else due_kind(due_date).value,
        task.deleted_at if isinstance(task, TrashedTask) else None,
    )


def to_task(row: Mapping[str, Any]) -> Task:
    """Return the task of a row that begins with TASK_COLUMNS.

    This is a fifth of the CPU time of a page, so values are taken in order and not by name.
    """
    *values, kind = islice(row.values(), len(TASK_COLUMNS))
    if kind is not None:
        values[_DUE_DATE] = _due_date(values[_DUE_DATE], DueKind(kind))
    values[_PRIORITY] = PRIORITIES[values[_PRIORITY]]
    values[_TAGS] = tuple(values[_TAGS] or ())
    values[_CHECKLIST] = () if values[_CHECKLIST] is None else _checklist_from_json(values[_CHECKLIST])
    if values[_RECURRENCE] is not None:
        values[_RECURRENCE] = Repetition.from_document(values[_RECURRENCE])
    return build_task(*values)


def to_stored_task(row: Mapping[str, Any]) -> Task:
    """Return the task of a row that has `deleted_at` too: a TrashedTask if it is in the trash."""
    return to_task(row) if row["deleted_at"] is None else to_trashed_task(row)


def to_trashed_task(row: Mapping[str, Any]) -> TrashedTask:
    return to_task(row).discard(now=row["deleted_at"])


def _due_date(due_at: datetime, kind: DueKind) -> DueDate:
    # asyncpg writes datetime.min and datetime.max as infinities, and returns infinities without a time zone.
    return due_date_from(due_at if due_at.tzinfo else due_at.replace(tzinfo=UTC), kind)


_LIST_FIELDS = tuple(field.name for field in fields(TaskList))

# The columns that make a list.
LIST_COLUMNS = [lists.c[name] for name in _LIST_FIELDS]


def to_list_row(task_list: TaskList) -> dict[str, Any]:
    """Return a value for each column."""
    deleted_at = task_list.deleted_at if isinstance(task_list, TrashedList) else None
    return {name: getattr(task_list, name) for name in _LIST_FIELDS} | {"deleted_at": deleted_at}


def to_list(row: Mapping[str, Any]) -> TaskList:
    """Return the list of a row of LIST_COLUMNS, which may have further columns."""
    return TaskList(**{name: row[name] for name in _LIST_FIELDS})


def to_stored_list(row: Mapping[str, Any]) -> TaskList:
    """Return the list of a row that has `deleted_at` too: a TrashedList if it is in the trash."""
    return to_list(row) if row["deleted_at"] is None else to_trashed_list(row)


def to_trashed_list(row: Mapping[str, Any]) -> TrashedList:
    return to_list(row).discard(now=row["deleted_at"])


def to_change(row: Mapping[str, Any]) -> Change:
    """Return the task, the list or the tombstone of a row of `changes.CHANGES`."""
    match row["kind"]:
        case "task":
            return to_task(row)
        case "list":
            return to_list(row)
        case "tombstone":
            return Tombstone(row["id"], row["revision"])
        case _:
            return ListTombstone(row["id"], row["revision"])
