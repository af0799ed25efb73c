"""Tasks to test with: whatever a test does not name has a plain value."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from todo_api.domain.changes import starting_revision
from todo_api.domain.task import Task

NOW = datetime(2026, 6, 1, 12, 0, 0, 123456, tzinfo=UTC)
# The revision before the first one of an account that comes to be with a task of these.
START = starting_revision(NOW)


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def a_task(user_id: str = "ada", *, task_id: UUID | None = None, **values: Any) -> Task:
    """A task as its creator hands it to a repository; completed ones have been so since `NOW`."""
    created_at = values.get("created_at", NOW)
    fields = {
        "title": "Buy milk",
        "description": None,
        "completed": False,
        "completed_at": created_at if values.get("completed") else None,
        "due_date": None,
        "created_at": created_at,
        "updated_at": created_at,
        "revision": 0,
    }
    return Task(id=task_id or uuid4(), user_id=user_id, **(fields | values))
