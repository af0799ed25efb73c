"""The task: one thing that a user plans to do."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import Enum
from typing import Any, Final, Literal, TypeAlias
from uuid import UUID

from todo_api.domain.due_date import DueDate, is_over
from todo_api.domain.errors import InvalidValueError
from todo_api.domain.text import clean_description, clean_title


class Unset(Enum):
    """The absence of a value, for fields where None is a value."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET
_Unset: TypeAlias = Literal[Unset.UNSET]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskChanges:
    """The fields that a user can write: UNSET keeps the value of a field, None clears it."""

    title: str | _Unset = UNSET
    description: str | None | _Unset = UNSET
    completed: bool | _Unset = UNSET
    due_date: DueDate | None | _Unset = UNSET

    def given(self) -> Mapping[str, Any]:
        """Return the fields that are set."""
        values = ((name, getattr(self, name)) for name in WRITABLE_FIELDS)
        return {name: value for name, value in values if value is not UNSET}


WRITABLE_FIELDS: Final = tuple(field.name for field in fields(TaskChanges))

# How the text of a field is checked and normalized before it is written.
_CLEAN: Mapping[str, Callable[[str], str]] = {"title": clean_title, "description": clean_description}


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task at one revision. No field has a default, so that adapters cannot omit one.

    Attributes:
        id: A UUID; version 7 if this service created it.
        user_id: The owner, 1 to 255 code points.
        title: 1 to 500 code points, without surrounding white space.
        description: Up to 10,000 code points.
        completed: Whether it is completed.
        completed_at: When it was completed; None unless it is.
        due_date: A day, a floating local time or an instant.
        created_at: An instant in UTC, like `completed_at` and `updated_at`.
        updated_at: When it last changed; never before `created_at`.
        revision: The owner's revision when it last changed; 0 until a repository has stored it.
    """

    id: UUID
    user_id: str
    title: str
    description: str | None
    completed: bool
    completed_at: datetime | None
    due_date: DueDate | None
    created_at: datetime
    updated_at: datetime
    revision: int

    @classmethod
    def create(cls, *, task_id: UUID, user_id: str, values: TaskChanges, now: datetime) -> "Task":
        """Return a new task; fields that are UNSET get their defaults.

        Raises:
            InvalidValueError: There is no title, or a value breaks a rule.
        """
        given = dict(_cleaned(values))
        if "title" not in given:
            raise InvalidValueError("must have a title")
        completed = given.get("completed", False)
        return cls(
            id=task_id,
            user_id=user_id,
            title=given["title"],
            description=given.get("description"),
            completed=completed,
            completed_at=now if completed else None,
            due_date=given.get("due_date"),
            created_at=now,
            updated_at=now,
            revision=0,
        )

    def change(self, changes: TaskChanges, *, now: datetime) -> "Task":
        """Return the task with the changes applied, or the same object if they change nothing.

        Raises:
            InvalidValueError: A value breaks a rule.
        """
        changed = {name: value for name, value in _cleaned(changes) if value != getattr(self, name)}
        if not changed:
            return self
        now = max(now, self.updated_at)  # clocks can step back, updated_at must not
        if "completed" in changed:
            changed["completed_at"] = now if changed["completed"] else None
        return replace(self, **changed, updated_at=now)

    def complete(self, completed: bool | None, *, now: datetime) -> "Task":  # noqa: FBT001 - it is the state itself
        """Return the task completed or not; None toggles."""
        return self.change(TaskChanges(completed=not self.completed if completed is None else completed), now=now)

    def is_overdue(self, now: datetime) -> bool:
        """Return whether the task is pending and past its due date at `now` (UTC)."""
        return not self.completed and self.due_date is not None and is_over(self.due_date, now)

    def discard(self, *, now: datetime) -> "TrashedTask":
        """Return the task as it is stored in the trash."""
        return TrashedTask(**_values(self), deleted_at=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrashedTask(Task):
    """A task in the trash, deleted at `deleted_at` (UTC) and not yet purged."""

    deleted_at: datetime

    def restore(self) -> Task:
        """Return the task as it was before it was deleted."""
        return Task(**_values(self))


def _cleaned(changes: TaskChanges) -> list[tuple[str, Any]]:
    return [
        (name, value if value is None or name not in _CLEAN else _CLEAN[name](value))
        for name, value in changes.given().items()
    ]


def _values(task: Task) -> dict[str, Any]:
    return {field.name: getattr(task, field.name) for field in fields(Task)}
