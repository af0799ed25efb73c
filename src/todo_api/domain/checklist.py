"""The checklist of a task: small steps, which are written as a whole."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias
from uuid import UUID

from todo_api.domain.errors import InvalidValueError
from todo_api.domain.text import clean_title

CHECKLIST_MAX_ITEMS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ChecklistItem:
    """One step. `title` has 1 to 500 code points; `id` is unique in the checklist."""

    id: UUID
    title: str
    completed: bool


Checklist: TypeAlias = tuple[ChecklistItem, ...]


def clean_checklist(items: Sequence[ChecklistItem]) -> Checklist:
    """Return the checklist with trimmed titles.

    Raises:
        InvalidValueError: There are more than 100 items, two items have the same id, or a title breaks a rule.
    """
    if len(items) > CHECKLIST_MAX_ITEMS:
        raise InvalidValueError(f"must have at most {CHECKLIST_MAX_ITEMS} items, not {len(items):,}")
    ids = [item.id for item in items]
    if len(set(ids)) < len(ids):
        raise InvalidValueError("must not have two items with the same id")
    return tuple(replace(item, title=clean_title(item.title)) for item in items)


def unticked(items: Checklist) -> Checklist:
    """Return the checklist with no item completed."""
    return tuple(replace(item, completed=False) for item in items)
