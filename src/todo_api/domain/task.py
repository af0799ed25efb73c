"""The task: one thing that a user plans to do."""

from dataclasses import dataclass, fields, make_dataclass, replace
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

from todo_api.domain.checklist import Checklist, unticked
from todo_api.domain.due_date import DueDate, is_over
from todo_api.domain.errors import InvalidFieldError, InvalidValueError
from todo_api.domain.recurrence import Recurrence
from todo_api.domain.repetition import Repetition
from todo_api.domain.tags import Tags
from todo_api.domain.task_changes import Priority, TaskChanges, cleaned


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
        list_id: The list that the task is in; None for the inbox.
        priority: How important it is.
        tags: Up to 20 texts, unique by `tag_key`, in the user's order.
        checklist: Up to 100 steps.
        position: Its place in the manual order of the user's tasks; "" until a repository has stored it.
        recurrence: How it repeats; None for most tasks. Such a task has a due date.
        series_id: The first task of its series.
        previous_id: The occurrence that it came of.
        next_id: The occurrence that came of it.
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
    list_id: UUID | None
    priority: Priority
    tags: Tags
    checklist: Checklist
    position: str
    recurrence: Repetition | None
    series_id: UUID | None
    previous_id: UUID | None
    next_id: UUID | None
    created_at: datetime
    updated_at: datetime
    revision: int

    @staticmethod
    def create(*, task_id: UUID, user_id: str, values: TaskChanges, now: datetime) -> "Task":
        """Return a new task; fields that are UNSET get their defaults.

        Raises:
            InvalidValueError: There is no title, or a value breaks a rule.
        """
        given = cleaned(values)
        if "title" not in given:
            raise InvalidValueError("must have a title")
        completed = given.get("completed", False)
        recurrence = _started(given.get("recurrence"), given.get("due_date"))
        return build_task(
            id=task_id,
            user_id=user_id,
            title=given["title"],
            description=given.get("description"),
            completed=completed,
            completed_at=now if completed else None,
            due_date=given.get("due_date"),
            list_id=given.get("list_id"),
            priority=given.get("priority", Priority.NONE),
            tags=given.get("tags", ()),
            checklist=given.get("checklist", ()),
            position="",
            recurrence=recurrence,
            series_id=None if recurrence is None else task_id,
            previous_id=None,
            next_id=None,
            created_at=now,
            updated_at=now,
            revision=0,
        )

    def change(self, changes: TaskChanges, *, now: datetime) -> "Task":
        """Return the task with the changes applied, or the same object if they change nothing.

        Raises:
            InvalidValueError: A value breaks a rule.
        """
        given = cleaned(changes)
        if "recurrence" in given:
            given |= self._repeated(given["recurrence"], given.get("due_date", self.due_date))
        changed = {name: value for name, value in given.items() if value != getattr(self, name)}
        if not changed:
            return self
        if changed.get("due_date", self.due_date) is None and changed.get("recurrence", self.recurrence) is not None:
            raise InvalidFieldError("due_date", "must not be null while the task has a recurrence; clear both")
        now = max(now, self.updated_at)  # clocks can step back, updated_at must not
        if "completed" in changed:
            changed["completed_at"] = now if changed["completed"] else None
        return self._with(**changed, updated_at=now)

    def stored(self, revision: int, position: str | None = None) -> "Task":
        """Return the task as it is stored: at this revision, and at this position if that is given."""
        return self._with(revision=revision, position=self.position if position is None else position)

    def _with(self, **changed: Any) -> "Task":
        """Do what `replace` does, in a quarter of its time."""
        values = list(_values_of(self))
        for name, value in changed.items():
            values[_PLACES[name]] = value
        return build_task(*values)

    def _repeated(self, recurrence: Recurrence | None, due_date: DueDate | None) -> dict[str, Any]:
        """Return the fields to change for this recurrence; one that the task has already keeps its pattern."""
        old = self.recurrence
        if recurrence is None:
            return {"recurrence": None}
        if old is not None and old.recurrence == recurrence:
            return {"recurrence": old}
        if old is None:
            return {"recurrence": _started(recurrence, due_date), "series_id": self.id}
        new = _started(recurrence, due_date, old.occurrence.sequence)
        return {"recurrence": new and Repetition(recurrence, new.occurrence, old.spawned_at)}

    def complete(self, completed: bool | None, *, now: datetime) -> "Task":  # noqa: FBT001 - it is the state itself
        """Return the task completed or not; None toggles."""
        return self.change(TaskChanges(completed=not self.completed if completed is None else completed), now=now)

    def spawn(self, successor_id: UUID, *, now: datetime) -> "tuple[Task, Task] | None":
        """Return the task with `next_id`, and the next occurrence; None if none follows, or one has come of it before.

        Args:
            successor_id: The id of the next occurrence.
            now: When this one was completed or skipped (UTC).
        """
        if self.recurrence is None or self.due_date is None or self.next_id is not None:
            return None
        found = self.recurrence.following(self.due_date, now)
        if found is None:
            return None
        recurrence, due_date = found
        successor = replace(
            self,
            id=successor_id,
            completed=False,
            completed_at=None,
            due_date=due_date,
            checklist=unticked(self.checklist),
            position="",
            recurrence=recurrence,
            previous_id=self.id,
            created_at=now,
            updated_at=now,
            revision=0,
        )
        return replace(self, next_id=successor_id), successor

    def upcoming(self, count: int, *, now: datetime) -> list[DueDate]:
        """Return up to `count` due dates that follow this one; none without a recurrence."""
        if self.recurrence is None or self.due_date is None:
            return []
        return self.recurrence.upcoming(self.due_date, now, count)

    def restarted(self) -> "Task":
        """Return the task as the first of a series of its own, at the same place of the pattern."""
        old = self.recurrence
        first = old and Repetition(old.recurrence, replace(old.occurrence, sequence=1))
        return replace(self, recurrence=first, series_id=self.id, previous_id=None)

    def spawned_at(self, revision: int) -> "Task":
        """Return the task, which is to be stored at the revision at which it came of the one before it."""
        old = self.recurrence
        return replace(self, recurrence=old and Repetition(old.recurrence, old.occurrence, revision))

    def is_as_spawned(self) -> bool:
        """Return whether nobody has changed the task since it came of the one before it."""
        return self.recurrence is not None and self.recurrence.spawned_at == self.revision

    def is_overdue(self, now: datetime) -> bool:
        """Return whether the task is pending and past its due date at `now` (UTC)."""
        return not self.completed and self.due_date is not None and is_over(self.due_date, now)

    def discard(self, *, now: datetime) -> "TrashedTask":
        """Return the task as it is stored in the trash."""
        return TrashedTask(**dict(zip(_NAMES, _values_of(self), strict=True)), deleted_at=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrashedTask(Task):
    """A task in the trash, deleted at `deleted_at` (UTC) and not yet purged."""

    deleted_at: datetime

    def restore(self) -> Task:
        """Return the task as it was before it was deleted."""
        return build_task(*_values_of(self))


_NAMES = [field.name for field in fields(Task)]
_PLACES = {name: place for place, name in enumerate(_NAMES)}
_values_of = attrgetter(*_NAMES)
# The same fields without protection: see docs/decisions/building-tasks.md.
_Draft = make_dataclass("_Draft", _NAMES, slots=True)


def build_task(*values: Any, **named: Any) -> Task:
    """Return the task with these values, in the order of its fields or by name. The caller vouches for their types."""
    draft: Any = _Draft(*values, **named)
    draft.__class__ = Task  # the classes have the same slots
    return draft  # type: ignore[no-any-return] # it is a Task now


def _started(recurrence: Recurrence | None, due_date: DueDate | None, sequence: int = 1) -> Repetition | None:
    """Return the repetition that starts at the due date."""
    if recurrence is None:
        return None
    if due_date is None:
        raise InvalidFieldError("recurrence", "must have a due date to start from: send due_date too")
    try:
        return Repetition.start(recurrence, due_date, sequence)
    except InvalidValueError as error:
        raise InvalidFieldError("recurrence.rule", str(error).removeprefix("rule ")) from error
