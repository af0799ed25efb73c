"""The operations of a batch: each is one step of an edit."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from todo_api.domain.task import Task, TaskChanges
from todo_api.domain.workspace import Workspace


class Operation(Protocol):
    """One step of an edit."""

    @property
    def task_id(self) -> UUID | None:
        """The task to load before the edit, if any."""
        ...

    def apply(self, workspace: Workspace) -> Task | None:
        """Return the resulting task, or None if it was deleted. Raises the errors of the workspace's methods."""
        ...


@dataclass(frozen=True, slots=True)
class Create:
    """Create a task under `new_id`. `is_fresh` means that the id was just generated, so no task can have it."""

    new_id: UUID
    values: TaskChanges
    is_fresh: bool = False

    @property
    def task_id(self) -> UUID | None:
        """The task that may exist already."""
        return None if self.is_fresh else self.new_id

    def apply(self, workspace: Workspace) -> Task:
        return workspace.create(self.new_id, self.values)


@dataclass(frozen=True, slots=True)
class Change:
    """Change some fields of a task."""

    task_id: UUID
    changes: TaskChanges
    if_revisions: Collection[int] | None = None

    def apply(self, workspace: Workspace) -> Task:
        return workspace.change(self.task_id, self.changes, self.if_revisions)


@dataclass(frozen=True, slots=True)
class Complete:
    """Complete or reopen a task; None toggles."""

    task_id: UUID
    completed: bool | None = None
    if_revisions: Collection[int] | None = None

    def apply(self, workspace: Workspace) -> Task:
        return workspace.complete(self.task_id, self.completed, self.if_revisions)


@dataclass(frozen=True, slots=True)
class Delete:
    """Move a task to the trash."""

    task_id: UUID
    if_revisions: Collection[int] | None = None

    def apply(self, workspace: Workspace) -> None:
        workspace.delete(self.task_id, self.if_revisions)


@dataclass(frozen=True, slots=True)
class Restore:
    """Restore a task from the trash."""

    task_id: UUID
    if_revisions: Collection[int] | None = None

    def apply(self, workspace: Workspace) -> Task:
        return workspace.restore(self.task_id, self.if_revisions)


@dataclass(frozen=True, slots=True)
class Purge:
    """Delete a task in the trash permanently."""

    task_id: UUID
    if_revisions: Collection[int] | None = None

    def apply(self, workspace: Workspace) -> None:
        workspace.purge(self.task_id, self.if_revisions)


@dataclass(frozen=True, slots=True)
class EmptyTrash:
    """Delete all tasks in the trash permanently."""

    @property
    def task_id(self) -> None:
        """No task is loaded."""
        return None

    def apply(self, workspace: Workspace) -> None:
        workspace.empty_trash()
