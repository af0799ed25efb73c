"""The task: one thing that one user means to do."""

from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import Enum
from typing import Any, Final, Literal, TypeAlias
from uuid import UUID

from todo_api.domain.due_date import DueDate, is_over
from todo_api.domain.errors import InvalidValueError
from todo_api.domain.text import clean_description, clean_title


class Unset(Enum):
    """The absence of a value, where None is a value."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET
_Unset: TypeAlias = Literal[Unset.UNSET]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskChanges:
    """What to change of a task: fields that are UNSET keep their value, None clears."""

    title: str | _Unset = UNSET
    description: str | None | _Unset = UNSET
    completed: bool | _Unset = UNSET
    due_date: DueDate | None | _Unset = UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task as it was at one revision.

    Attributes:
        id: A UUID, version 7 where this service chose it.
        user_id: Its owner, 1 to 255 code points.
        title: 1 to 500 code points, without white space around them.
        description: Up to 10,000 code points.
        completed: Whether it is done.
        completed_at: Since when; None unless it is done.
        due_date: A day, a floating local time or an instant.
        created_at: An instant in UTC, as are `completed_at` and `updated_at`.
        updated_at: When it last changed; never before `created_at`.
        revision: The owner's revision when it last changed; 0 until the repository has kept it.
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
        """Return a new task of these values; those that are UNSET get their defaults.

        Raises:
            InvalidValueError: There is no title, or a value breaks a rule.
        """
        if values.title is UNSET:
            raise InvalidValueError("must have a title")
        blank = cls(
            id=task_id,
            user_id=user_id,
            title="",
            description=None,
            completed=False,
            completed_at=None,
            due_date=None,
            created_at=now,
            updated_at=now,
            revision=0,
        )
        return blank.change(values, now=now)

    def change(self, changes: TaskChanges, *, now: datetime) -> "Task":
        """Return the task with the changes applied, or this very task where they change nothing.

        Raises:
            InvalidValueError: A new title or description breaks a rule.
        """
        title = self.title if changes.title is UNSET else clean_title(changes.title)
        description = self.description if changes.description is UNSET else changes.description
        if description is not None and description is not self.description:
            description = clean_description(description)
        due_date = self.due_date if changes.due_date is UNSET else changes.due_date
        completed = self.completed if changes.completed is UNSET else changes.completed
        # Python never calls a day, a floating time and an instant equal, so a change of the kind alone counts as one.
        if (title, description, completed, due_date) == (self.title, self.description, self.completed, self.due_date):
            return self
        now = max(now, self.updated_at)  # clocks step back; a task never does
        completed_at = self.completed_at if completed == self.completed else now if completed else None
        return replace(
            self,
            title=title,
            description=description,
            completed=completed,
            completed_at=completed_at,
            due_date=due_date,
            updated_at=now,
        )

    def complete(self, completed: bool | None, *, now: datetime) -> "Task":  # noqa: FBT001 - it is the state itself
        """Return the task in this state of completion, or in the other one for None."""
        return self.change(TaskChanges(completed=not self.completed if completed is None else completed), now=now)

    def is_overdue(self, now: datetime) -> bool:
        """Say whether the task should have been done by this instant of UTC, and is not."""
        return not self.completed and self.due_date is not None and is_over(self.due_date, now)

    def discard(self, *, now: datetime) -> "TrashedTask":
        """Return the task as it is in the trash."""
        return TrashedTask(**_values(self), deleted_at=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrashedTask(Task):
    """A task in the trash: deleted at this instant of UTC, and not yet purged."""

    deleted_at: datetime

    def restore(self) -> Task:
        """Return the task as it was before it was deleted."""
        return Task(**_values(self))


def _values(task: Task) -> dict[str, Any]:
    return {field.name: getattr(task, field.name) for field in fields(Task)}
