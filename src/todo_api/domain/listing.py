"""Lists of tasks: which, in what order, from where on."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

from todo_api.domain.due_date import BEGINNING_OF_TIME, END_OF_TIME, due_instant
from todo_api.domain.task import Task, TrashedTask
from todo_api.domain.text import sort_key

MAX_PAGE_SIZE = 1_000


class Status(StrEnum):
    """Which tasks."""

    ALL = "all"
    PENDING = "pending"
    COMPLETED = "completed"

    def admits(self, task: Task) -> bool:
        """Say whether the task belongs in the list."""
        return self is Status.ALL or task.completed == (self is Status.COMPLETED)


class Sort(StrEnum):
    """By what."""

    CREATED = "created"
    TITLE = "title"
    DUE_DATE = "due_date"

    @property
    def default_order(self) -> "Order":
        """Newest first for the time of creation, ascending for the others."""
        return Order.DESC if self is Sort.CREATED else Order.ASC


class Order(StrEnum):
    """Which way."""

    ASC = "asc"
    DESC = "desc"


SortKey: TypeAlias = datetime | str


@dataclass(frozen=True, slots=True)
class Position:
    """A place between two tasks of a sorted list; it stays right while tasks come and go."""

    key: SortKey
    id: UUID


@dataclass(frozen=True, slots=True)
class TaskPage:
    """A page, the owner's revision that it shows, and where the next page starts, if there is one."""

    tasks: list[Task]
    revision: int
    next: Position | None


@dataclass(frozen=True, slots=True)
class TrashPage:
    """A page of the trash, newest first, and where the next page starts, if there is one."""

    tasks: list[TrashedTask]
    next: Position | None

    @classmethod
    def of(cls, tasks: list[TrashedTask], limit: int) -> "TrashPage":
        """Return the page of these tasks, which are in order and one more than the limit where there is more."""
        more, tasks = len(tasks) > limit, tasks[:limit]
        return cls(tasks, Position(tasks[-1].deleted_at, tasks[-1].id) if more else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskQuery:
    """One page of a list: at most `limit` (1 to 1,000) tasks that come after the position."""

    status: Status = Status.ALL
    sort: Sort = Sort.CREATED
    order: Order = Order.DESC
    limit: int = MAX_PAGE_SIZE
    after: Position | None = None

    def position(self, task: Task) -> Position:
        """Return the place right behind the task; every order ends with the id, so that pages never overlap."""
        return Position(self._key(task), task.id)

    def page(self, tasks: list[Task], revision: int) -> TaskPage:
        """Return the page of these tasks, which are in order and one more than the limit where there is more."""
        more = len(tasks) > self.limit
        tasks = tasks[: self.limit]
        return TaskPage(tasks, revision, self.position(tasks[-1]) if more else None)

    def _key(self, task: Task) -> SortKey:
        if self.sort is Sort.CREATED:
            return task.created_at
        if self.sort is Sort.TITLE:
            return sort_key(task.title)
        if task.due_date is None:
            return END_OF_TIME if self.order is Order.ASC else BEGINNING_OF_TIME
        return due_instant(task.due_date)
