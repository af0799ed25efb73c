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
        """The task to look at before, if any."""
        ...

    def apply(self, workspace: Workspace) -> Task | None:
        """Return the task as it is afterwards, None for a deleted one; raises what the workspace's methods do."""
        ...


@dataclass(frozen=True, slots=True)
class Create:
    """Create a task under this id, which is fresh where it was made for the purpose: then there is none to look at."""

    new_id: UUID
    values: TaskChanges
    is_fresh: bool = False

    @property
    def task_id(self) -> UUID | None:
        """The task that may be there already."""
        return None if self.is_fresh else self.new_id

    def apply(self, workspace: Workspace) -> Task:
        """Return the new task."""
        return workspace.create(self.new_id, self.values)


@dataclass(frozen=True, slots=True)
class Change:
    """Change some fields of the task."""

    task_id: UUID
    changes: TaskChanges
    if_revisions: Collection[int] | None = None

    def apply(self, workspace: Workspace) -> Task:
        """Return the changed task."""
        return workspace.change(self.task_id, self.changes, self.if_revisions)


@dataclass(frozen=True, slots=True)
class Complete:
    """Set whether the task is done, or turn that around for None."""

    task_id: UUID
    completed: bool | None = None
    if_revisions: Collection[int] | None = None

    def apply(self, workspace: Workspace) -> Task:
        """Return the task."""
        return workspace.complete(self.task_id, self.completed, self.if_revisions)


@dataclass(frozen=True, slots=True)
class Delete:
    """Move the task to the trash."""

    task_id: UUID
    if_revisions: Collection[int] | None = None

    def apply(self, workspace: Workspace) -> None:
        """Return nothing: the task is gone."""
        workspace.delete(self.task_id, self.if_revisions)


@dataclass(frozen=True, slots=True)
class Restore:
    """Take the task out of the trash."""

    task_id: UUID

    def apply(self, workspace: Workspace) -> Task:
        """Return the restored task."""
        return workspace.restore(self.task_id)
