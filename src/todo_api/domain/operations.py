"""The operations of a batch: each is one step of an edit."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeAlias
from uuid import UUID

from todo_api.domain import list_operations, tag_operations
from todo_api.domain.records import After, Before, End, Place
from todo_api.domain.selection import Selection
from todo_api.domain.task import Task
from todo_api.domain.task_changes import UNSET, TaskChanges, Unset
from todo_api.domain.task_list import ListChanges, TaskList
from todo_api.domain.workspace import Workspace

Result: TypeAlias = Task | TaskList | None


class Operation(Protocol):
    """One step of an edit."""

    @property
    def selection(self) -> Selection:
        """What to load before the edit."""
        ...

    def apply(self, workspace: Workspace) -> Result:
        """Return the resulting task or list, or None if it was deleted. Raises the errors of the workspace."""
        ...


def _task(task_id: UUID, list_id: UUID | None | Unset = UNSET) -> Selection:
    """Return the selection of a task, and of the list that it is to be in."""
    lists = frozenset({list_id}) if isinstance(list_id, UUID) else frozenset()
    return Selection(tasks=frozenset({task_id}), lists=lists)


@dataclass(frozen=True, slots=True)
class _OneTask:
    """Do something with one task, at one of these revisions where they are given."""

    task_id: UUID
    if_revisions: Collection[int] | None = None

    @property
    def selection(self) -> Selection:
        return _task(self.task_id)


@dataclass(frozen=True, slots=True)
class Create:
    """Create a task under `new_id`. `is_fresh` means that the id was just generated, so no task can have it."""

    new_id: UUID
    values: TaskChanges
    is_fresh: bool = False

    @property
    def selection(self) -> Selection:
        selection = _task(self.new_id, self.values.list_id) | Selection(at_end=frozenset({self.new_id}))
        return Selection(lists=selection.lists) if self.is_fresh else selection

    def apply(self, workspace: Workspace) -> Task:
        return workspace.create(self.new_id, self.values)


@dataclass(frozen=True, slots=True)
class Change:
    """Change some fields of a task."""

    task_id: UUID
    changes: TaskChanges
    if_revisions: Collection[int] | None = None

    @property
    def selection(self) -> Selection:
        return _task(self.task_id, self.changes.list_id)

    def change(self, task: Task, *, now: datetime) -> Task:
        return task.change(self.changes, now=now)

    def apply(self, workspace: Workspace) -> Task:
        return workspace.change(self.task_id, self.changes, self.if_revisions)


@dataclass(frozen=True, slots=True)
class Complete:
    """Complete or reopen a task; None toggles."""

    task_id: UUID
    completed: bool | None = None
    if_revisions: Collection[int] | None = None

    @property
    def selection(self) -> Selection:
        return _task(self.task_id)

    def change(self, task: Task, *, now: datetime) -> Task:
        return task.complete(self.completed, now=now)

    def apply(self, workspace: Workspace) -> Task:
        return workspace.complete(self.task_id, self.completed, self.if_revisions)


@dataclass(frozen=True, slots=True)
class Skip(_OneTask):
    """Move an occurrence of a series to the trash, and create the next one, which is the result."""

    def apply(self, workspace: Workspace) -> Task:
        return workspace.skip(self.task_id, self.if_revisions)


@dataclass(frozen=True, slots=True)
class Move:
    """Move a task in the manual order, and into a list."""

    task_id: UUID
    place: Place
    list_id: UUID | None | Unset = UNSET
    if_revisions: Collection[int] | None = None

    @property
    def selection(self) -> Selection:
        at_end = frozenset({self.task_id} if self.place is End.END else ())
        return _task(self.task_id, self.list_id) | _neighbours(self.place) | Selection(at_end=at_end)

    def apply(self, workspace: Workspace) -> Task:
        return workspace.move(self.task_id, self.place, self.list_id, self.if_revisions)


def _neighbours(place: Place) -> Selection:
    if isinstance(place, Before | After):
        return Selection(tasks=frozenset({place.id}), around=frozenset({place.id}))
    return Selection(first=place is End.START)


@dataclass(frozen=True, slots=True)
class Delete(_OneTask):
    """Move a task to the trash."""

    def apply(self, workspace: Workspace) -> None:
        workspace.delete(self.task_id, self.if_revisions)


@dataclass(frozen=True, slots=True)
class Restore(_OneTask):
    """Restore a task from the trash."""

    def apply(self, workspace: Workspace) -> Task:
        return workspace.restore(self.task_id, self.if_revisions)


@dataclass(frozen=True, slots=True)
class Purge(_OneTask):
    """Delete a task in the trash permanently."""

    def apply(self, workspace: Workspace) -> None:
        workspace.purge(self.task_id, self.if_revisions)


@dataclass(frozen=True, slots=True)
class EmptyTrash:
    """Delete all tasks in the trash permanently."""

    @property
    def selection(self) -> Selection:
        return Selection()

    def apply(self, workspace: Workspace) -> None:
        workspace.empty_trash()


@dataclass(frozen=True, slots=True)
class Retag:
    """Rename the tag with this key on all tasks outside the trash, or remove it if `name` is None."""

    key: str
    name: str | None

    @property
    def selection(self) -> Selection:
        return Selection(tagged=frozenset({self.key}))

    def apply(self, workspace: Workspace) -> None:
        tag_operations.retag(workspace, self.key, self.name)


@dataclass(frozen=True, slots=True)
class CreateList:
    """Create a list under `list_id`."""

    list_id: UUID
    values: ListChanges

    @property
    def selection(self) -> Selection:
        return Selection(lists=frozenset({self.list_id}), all_lists=True)

    def apply(self, workspace: Workspace) -> TaskList:
        return list_operations.create_list(workspace, self.list_id, self.values)


@dataclass(frozen=True, slots=True)
class ChangeList:
    """Change some fields of a list."""

    list_id: UUID
    changes: ListChanges
    if_revisions: Collection[int] | None = None

    @property
    def selection(self) -> Selection:
        return Selection(lists=frozenset({self.list_id}))

    def apply(self, workspace: Workspace) -> TaskList:
        return list_operations.change_list(workspace, self.list_id, self.changes, self.if_revisions)


@dataclass(frozen=True, slots=True)
class DeleteList:
    """Move a list to the trash with its tasks, or the tasks to the inbox."""

    list_id: UUID
    keep_tasks: bool = False
    if_revisions: Collection[int] | None = None

    @property
    def selection(self) -> Selection:
        return Selection(lists=frozenset({self.list_id}), in_lists=frozenset({self.list_id}))

    def apply(self, workspace: Workspace) -> None:
        list_operations.delete_list(workspace, self.list_id, keep_tasks=self.keep_tasks, if_revisions=self.if_revisions)


@dataclass(frozen=True, slots=True)
class RestoreList:
    """Restore a list from the trash, with the tasks that went with it."""

    list_id: UUID
    if_revisions: Collection[int] | None = None

    @property
    def selection(self) -> Selection:
        return Selection(lists=frozenset({self.list_id}), in_lists=frozenset({self.list_id}), all_lists=True)

    def apply(self, workspace: Workspace) -> TaskList:
        return list_operations.restore_list(workspace, self.list_id, self.if_revisions)


@dataclass(frozen=True, slots=True)
class MoveList:
    """Move a list in the manual order of the lists."""

    list_id: UUID
    place: Place
    if_revisions: Collection[int] | None = None

    @property
    def selection(self) -> Selection:
        return Selection(lists=frozenset({self.list_id}), all_lists=True)

    def apply(self, workspace: Workspace) -> TaskList:
        return list_operations.move_list(workspace, self.list_id, self.place, self.if_revisions)
