"""Filters of lists: which tasks a list contains, beside its status."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, reduce
from operator import and_
from typing import Final
from uuid import UUID

from todo_api.domain.due_date import BEGINNING_OF_TIME, DueDate
from todo_api.domain.due_views import DueRange, DueView, due_before, due_from, due_range
from todo_api.domain.search import matches, query_words, words
from todo_api.domain.tags import tag_key
from todo_api.domain.task import Task
from todo_api.domain.task_changes import UNSET, Priority, Unset
from todo_api.domain.time_zones import zone

_TIMED = frozenset({DueView.OVERDUE, DueView.TODAY, DueView.UPCOMING})


@dataclass(frozen=True, kw_only=True)
class TaskFilter:
    """The conditions of a list; a task must meet all of them.

    Attributes:
        list_id: The list; None for the inbox, UNSET for any.
        tags: The keys of tags (`tags.tag_key`) that a task must have, all of them.
        priorities: The priorities of which a task must have one; empty for any.
        due: The view of due dates that a task must be in.
        due_from: The earliest due date.
        due_before: The due date before which a task must be due.
        time_zone: The name of the zone in which due dates are compared with each other and with the clock.
        q: What the words of a task must begin with; None without a search.
        now: The time (UTC) that `due` is about; repositories need it if `needs_clock`.
    """

    list_id: UUID | None | Unset = UNSET
    tags: tuple[str, ...] = ()
    priorities: tuple[Priority, ...] = ()
    due: DueView | None = None
    due_from: DueDate | None = None
    due_before: DueDate | None = None
    time_zone: str = "UTC"
    q: str | None = None
    now: datetime = BEGINNING_OF_TIME

    @property
    def needs_clock(self) -> bool:
        """Whether the same tasks may give another list later."""
        return self.due in _TIMED

    @cached_property
    def beginnings(self) -> tuple[str, ...] | None:
        """The beginnings of words to look for; None without a search. If there are none, no task is found."""
        return None if self.q is None else query_words(self.q)

    @cached_property
    def due_dates(self) -> DueRange | None:
        """The due dates that a task may have; None if it needs none. Without a due date, it is in no range."""
        local = zone(self.time_zone)
        ranges = [] if self.due_from is None else [due_from(self.due_from, local)]
        if self.due_before is not None:
            ranges.append(due_before(self.due_before, local))
        if self.due is not None and self.due is not DueView.NONE:
            view = due_range(self.due, local, self.now)
            ranges += [] if view is None else [view]
        return reduce(and_, ranges) if ranges else None

    def admits(self, task: Task) -> bool:
        """Return whether the task meets all conditions."""
        return (
            (self.list_id is UNSET or task.list_id == self.list_id)
            and (not self.tags or set(self.tags) <= set(map(tag_key, task.tags)))
            and (not self.priorities or task.priority in self.priorities)
            and self._is_due(task)
            and (self.beginnings is None or matches(search_words(task), self.beginnings))
        )

    def _is_due(self, task: Task) -> bool:
        if self.due is DueView.NONE and task.due_date is not None:
            return False
        if self.due is DueView.OVERDUE and task.completed:
            return False
        return self.due_dates is None or (task.due_date is not None and task.due_date in self.due_dates)


NO_FILTER: Final = TaskFilter()


def search_words(task: Task) -> str:
    """Return the words by which a search finds the task, as `search.words` does."""
    return words(task.title, task.description or "", *task.tags, *[item.title for item in task.checklist])
