"""The list: a group of tasks with a name, such as a project."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from todo_api.domain.errors import InvalidValueError
from todo_api.domain.task_changes import UNSET, Unset
from todo_api.domain.text import LIST_NAME_MAX_LENGTH, clean_visible

MAX_LISTS = 500
COLOR_PATTERN = "#[0-9a-fA-F]{6}"


def clean_name(name: str) -> str:
    """Return the name without surrounding white space.

    Raises:
        InvalidValueError: It has no visible character, is longer than 100 code points, or contains NUL or a lone
            surrogate.
    """
    return clean_visible(name, LIST_NAME_MAX_LENGTH)


def clean_color(color: str) -> str:
    """Return the color, `#` and six hexadecimal digits, or raise InvalidValueError."""
    if not re.fullmatch(COLOR_PATTERN, color):
        raise InvalidValueError("must be # and six hexadecimal digits, such as #1e90ff")
    return color


@dataclass(frozen=True, slots=True, kw_only=True)
class ListChanges:
    """The fields of a list that a user can write: UNSET keeps the value of a field, None clears it."""

    name: str | Unset = UNSET
    color: str | None | Unset = UNSET

    def given(self) -> Mapping[str, Any]:
        """Return the fields that are set."""
        values = ((name, getattr(self, name)) for name in WRITABLE_LIST_FIELDS)
        return {name: value for name, value in values if value is not UNSET}


WRITABLE_LIST_FIELDS: Final = tuple(field.name for field in fields(ListChanges))
_CLEAN: Mapping[str, Callable[[str], str]] = {"name": clean_name, "color": clean_color}


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskList:
    """A list at one revision. No field has a default, so that adapters cannot omit one.

    Attributes:
        id: A UUID; version 7 if this service created it.
        user_id: The owner.
        name: 1 to 100 code points. Several lists may have the same name.
        color: `#` and six hexadecimal digits, or None.
        position: Its place in the manual order of the user's lists; "" until a repository has stored it.
        created_at: An instant in UTC, like `updated_at`.
        updated_at: When its name or color last changed.
        revision: The owner's revision when it last changed; 0 until a repository has stored it.
    """

    id: UUID
    user_id: str
    name: str
    color: str | None
    position: str
    created_at: datetime
    updated_at: datetime
    revision: int

    @classmethod
    def create(cls, *, list_id: UUID, user_id: str, values: ListChanges, now: datetime) -> "TaskList":
        """Return a new list.

        Raises:
            InvalidValueError: There is no name, or a value breaks a rule.
        """
        given = _cleaned(values)
        if "name" not in given:
            raise InvalidValueError("must have a name")
        return cls(
            id=list_id,
            user_id=user_id,
            name=given["name"],
            color=given.get("color"),
            position="",
            created_at=now,
            updated_at=now,
            revision=0,
        )

    def change(self, changes: ListChanges, *, now: datetime) -> "TaskList":
        """Return the list with the changes applied, or the same object if they change nothing.

        Raises:
            InvalidValueError: A value breaks a rule.
        """
        changed = {name: value for name, value in _cleaned(changes).items() if value != getattr(self, name)}
        return replace(self, **changed, updated_at=max(now, self.updated_at)) if changed else self

    def discard(self, *, now: datetime) -> "TrashedList":
        """Return the list as it is stored in the trash."""
        return TrashedList(**_values(self), deleted_at=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrashedList(TaskList):
    """A list in the trash, deleted at `deleted_at` (UTC) and not yet purged."""

    deleted_at: datetime

    def restore(self) -> TaskList:
        """Return the list as it was before it was deleted."""
        return TaskList(**_values(self))


def _cleaned(changes: ListChanges) -> dict[str, Any]:
    return {name: value if value is None else _CLEAN[name](value) for name, value in changes.given().items()}


def _values(task_list: TaskList) -> dict[str, Any]:
    return {field.name: getattr(task_list, field.name) for field in fields(TaskList)}
