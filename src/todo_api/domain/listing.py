"""Lists of tasks: filter, order and pages."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias, assert_never
from uuid import UUID

from todo_api.domain.due_date import BEGINNING_OF_TIME, END_OF_TIME, DueDate, due_instant
from todo_api.domain.filters import NO_FILTER, TaskFilter
from todo_api.domain.task import Task, TrashedTask
from todo_api.domain.text import sort_key

MAX_PAGE_SIZE = 1_000


class Status(StrEnum):
    """Which tasks a list contains."""

    ALL = "all"
    PENDING = "pending"
    COMPLETED = "completed"

    def admits(self, task: Task) -> bool:
        """Return whether the task belongs to the list."""
        return self is Status.ALL or task.completed == (self is Status.COMPLETED)


class Sort(StrEnum):
    """The field that a list is sorted by."""

    CREATED = "created"
    TITLE = "title"
    DUE_DATE = "due_date"
    UPDATED = "updated"
    PRIORITY = "priority"
    POSITION = "position"

    @property
    def default_order(self) -> "Order":
        """The direction by default: newest first for times, high first for the priority, else ascending."""
        return Order.DESC if self in {Sort.CREATED, Sort.UPDATED, Sort.PRIORITY} else Order.ASC

    def key(self, task: Task, order: "Order") -> "SortKey":
        """Return the value that the task is sorted by; tasks without a due date come last in either order."""
        match self:
            case Sort.CREATED:
                return task.created_at
            case Sort.TITLE:
                return sort_key(task.title)
            case Sort.DUE_DATE:
                return _due_key(task.due_date, order)
            case Sort.UPDATED:
                return task.updated_at
            case Sort.PRIORITY:
                return task.priority.rank
            case Sort.POSITION:
                return task.position
        assert_never(self)


class Order(StrEnum):
    """The direction of a list."""

    ASC = "asc"
    DESC = "desc"


def _due_key(due_date: DueDate | None, order: Order) -> datetime:
    if due_date is None:
        return END_OF_TIME if order is Order.ASC else BEGINNING_OF_TIME
    return due_instant(due_date)


SortKey: TypeAlias = datetime | str | int


@dataclass(frozen=True, slots=True)
class Position:
    """A position in a sorted list, directly after one task; it stays valid while tasks are added and removed."""

    key: SortKey
    id: UUID


@dataclass(frozen=True, slots=True)
class TaskPage:
    """A page of a list, the owner's revision at the time of reading, and the start of the next page if there is one."""

    tasks: list[Task]
    revision: int
    next: Position | None


@dataclass(frozen=True, slots=True)
class TrashPage:
    """A page of the trash, newest first, and the start of the next page if there is one."""

    tasks: list[TrashedTask]
    next: Position | None

    @classmethod
    def of(cls, tasks: list[TrashedTask], limit: int) -> "TrashPage":
        """Return the page of up to `limit` + 1 tasks in order; the extra one shows that there is a next page."""
        more, tasks = len(tasks) > limit, tasks[:limit]
        return cls(tasks, Position(tasks[-1].deleted_at, tasks[-1].id) if more else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskQuery:
    """A request for one page: at most `limit` (1 to 1,000) tasks after a position."""

    status: Status = Status.ALL
    sort: Sort = Sort.CREATED
    order: Order = Order.DESC
    limit: int = MAX_PAGE_SIZE
    after: Position | None = None
    filter: TaskFilter = NO_FILTER

    def admits(self, task: Task) -> bool:
        """Return whether the list contains the task."""
        return self.status.admits(task) and self.filter.admits(task)

    def position(self, task: Task) -> Position:
        """Return the position directly after the task. Every order ends with the id, so pages never overlap."""
        return Position(self.sort.key(task, self.order), task.id)

    def page(self, tasks: list[Task], revision: int) -> TaskPage:
        """Return the page of up to `limit` + 1 tasks in order; the extra one shows that there is a next page."""
        more = len(tasks) > self.limit
        tasks = tasks[: self.limit]
        return TaskPage(tasks, revision, self.position(tasks[-1]) if more else None)
