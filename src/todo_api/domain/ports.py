"""The port that the domain asks its storage to fill."""

from collections.abc import Collection
from datetime import datetime
from typing import Protocol
from uuid import UUID

from todo_api.domain.changes import Changes
from todo_api.domain.listing import Position, TaskPage, TaskQuery, TrashPage
from todo_api.domain.task import Task


class TaskRepository(Protocol):
    """Keeps the tasks of all users apart.

    Every call is atomic, and durable when it returns. Each write raises its user's revision by one and stamps the task
    with it; writes of one user are ordered by their revisions, so whoever has seen revision N has seen all up to N.
    Another user's task does not exist. Calls raise RepositoryUnavailableError when the storage cannot be reached in
    time; a write may then have happened, unless the message says that it has not.
    """

    async def add(self, task: Task) -> Task:
        """Keep a new task and return it with its revision; the user comes to be with the first one.

        Raises:
            TaskExistsError: The user has a task of this id, perhaps in the trash.
        """
        ...

    async def get(self, user_id: str, task_id: UUID) -> Task:
        """Return the task, or raise TaskNotFoundError."""
        ...

    async def save(self, task: Task) -> Task | None:
        """Replace the kept task if it is still at `task.revision`, and return it with its new revision.

        None means that it is not: another change or a removal came first, and nothing was written.
        """
        ...

    async def remove(self, user_id: str, task_id: UUID, revision: int | None = None, *, now: datetime) -> bool:
        """Move the task to the trash if it is there and still at the revision, where one is given; say whether it was.

        A task in the trash is not there for any call but those about the trash. It leaves a tombstone.
        """
        ...

    async def restore(self, user_id: str, task_id: UUID) -> Task | None:
        """Take the task out of the trash and return it with its new revision; None if it is not in the trash."""
        ...

    async def trash(self, user_id: str, limit: int, after: Position | None = None) -> TrashPage:
        """Return a page of the user's trash, the task that was deleted last first."""
        ...

    async def purge(self, user_id: str, task_id: UUID | None = None) -> int:
        """Forget the task that is in the trash, or all that are, for good; return how many there were.

        Their tombstones stay, and so does the revision: nothing has changed for those who sync.
        """
        ...

    async def changes(self, user_id: str, since: int, limit: int) -> Changes:
        """Return what has happened after the revision, which is 0 for a copy that is empty.

        Raises:
            ForgottenRevisionError: Later tombstones were purged since, or the user never was at the revision.
        """
        ...

    async def page(self, user_id: str, query: TaskQuery, known: Collection[int] = ()) -> TaskPage:
        """Return a page of the user's tasks as they were at one revision.

        At one of the `known` revisions the page comes without its tasks. A user who never wrote is at revision 0.
        """
        ...

    async def check(self) -> None:
        """Raise RepositoryUnavailableError unless the storage answers and is of the shape that this program needs."""
        ...
