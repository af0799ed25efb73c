"""Figures about a user's tasks: how many there are in each view, list and tag."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from todo_api.domain.due_views import DueRange, DueView, due_range
from todo_api.domain.time_zones import zone


@dataclass(frozen=True, slots=True)
class TagCount:
    """A tag in use: its key, one of its spellings, and on how many tasks outside the trash it is."""

    key: str
    name: str
    tasks: int
    pending: int


@dataclass(frozen=True, slots=True)
class DueViews:
    """The due dates of the views at one moment in one zone."""

    overdue: DueRange
    today: DueRange
    upcoming: DueRange

    @classmethod
    def at(cls, now: datetime, time_zone: str) -> "DueViews":
        """Return the views at `now` (UTC), or raise InvalidValueError if there is no such zone."""
        local = zone(time_zone)
        ranges = (due_range(view, local, now) for view in (DueView.OVERDUE, DueView.TODAY, DueView.UPCOMING))
        return cls(*ranges)  # type: ignore[arg-type] # these views have ranges


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many tasks a user has. Tasks in the trash only count for `trash`.

    Attributes:
        pending: Tasks that are not completed.
        completed: Completed tasks.
        overdue: Pending tasks whose due date has passed.
        today: Pending tasks that are due on this day.
        upcoming: Pending tasks that are due later.
        without_date: Pending tasks without a due date.
        trash: Tasks in the trash.
        lists: By list, empty ones included, and None for the inbox if it has tasks: how many tasks, and how
            many of them are pending.
        tags: The tags in use, in the order of their keys.
    """

    pending: int
    completed: int
    overdue: int
    today: int
    upcoming: int
    without_date: int
    trash: int
    lists: Mapping[UUID | None, tuple[int, int]]
    tags: list[TagCount]
