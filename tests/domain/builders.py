"""Builders of test data: fields that a test does not set get default values."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from todo_api.domain.changes import next_revision
from todo_api.domain.task import Task
from todo_api.domain.task_changes import Priority

NOW = datetime(2026, 6, 1, 12, 0, 0, 123456, tzinfo=UTC)
# The revision before the first one of an account, where the storage's clock stands still at NOW.
START = next_revision(0, NOW) - 1


def running_clock() -> datetime:
    return datetime.now(UTC)


def stopped_clock() -> datetime:
    """Return NOW, so that tests can count revisions."""
    return NOW


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def a_task(user_id: str = "ada", *, task_id: UUID | None = None, **values: Any) -> Task:
    """Return a task that no repository has stored; a completed one was completed when it was created."""
    created_at = values.get("created_at", NOW)
    fields = {
        "title": "Buy milk",
        "description": None,
        "completed": False,
        "completed_at": created_at if values.get("completed") else None,
        "due_date": None,
        "list_id": None,
        "priority": Priority.NONE,
        "tags": (),
        "checklist": (),
        "position": "",
        "recurrence": None,
        "series_id": None,
        "previous_id": None,
        "next_id": None,
        "created_at": created_at,
        "updated_at": created_at,
        "revision": 0,
    }
    return Task(id=task_id or uuid4(), user_id=user_id, **(fields | values))
