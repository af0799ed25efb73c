"""What a user can write of a task, and the rules for each value."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import Enum, StrEnum
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

from todo_api.domain.checklist import ChecklistItem, clean_checklist
from todo_api.domain.due_date import DueDate
from todo_api.domain.recurrence import Recurrence
from todo_api.domain.tags import clean_tags
from todo_api.domain.text import clean_description, clean_title


class Unset(Enum):
    """The absence of a value, for fields where None is a value."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET


class Priority(StrEnum):
    """How important a task is."""

    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"

    @property
    def rank(self) -> int:
        """Its place in an order: 0 for `none` to 3 for `high`."""
        return PRIORITIES.index(self)


PRIORITIES: Final = tuple(Priority)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskChanges:
    """The fields that a user can write: UNSET keeps the value of a field, None clears it."""

    title: str | Unset = UNSET
    description: str | None | Unset = UNSET
    completed: bool | Unset = UNSET
    due_date: DueDate | None | Unset = UNSET
    list_id: UUID | None | Unset = UNSET
    priority: Priority | None | Unset = UNSET
    tags: Sequence[str] | None | Unset = UNSET
    checklist: Sequence[ChecklistItem] | None | Unset = UNSET
    recurrence: Recurrence | None | Unset = UNSET

    def given(self) -> Mapping[str, Any]:
        """Return the fields that are set."""
        values = zip(WRITABLE_FIELDS, _writable_values(self), strict=True)
        return {name: value for name, value in values if value is not UNSET}


WRITABLE_FIELDS: Final = tuple(field.name for field in fields(TaskChanges))
_writable_values = attrgetter(*WRITABLE_FIELDS)

# How the value of a field is checked and normalized before it is written.
_CLEAN: Mapping[str, Callable[[Any], Any]] = {
    "title": clean_title,
    "description": clean_description,
    "tags": clean_tags,
    "checklist": clean_checklist,
}
# What null means for fields that always have a value.
_WITHOUT: Mapping[str, Any] = {"priority": Priority.NONE, "tags": (), "checklist": ()}


def cleaned(changes: TaskChanges) -> dict[str, Any]:
    """Return the fields that are set, in the form in which they are stored.

    Raises:
        InvalidValueError: A value breaks a rule.
    """
    return {name: _clean(name, value) for name, value in changes.given().items()}


def _clean(name: str, value: Any) -> Any:
    if value is None:
        return _WITHOUT.get(name)
    return _CLEAN[name](value) if name in _CLEAN else value
