"""The ports that the domain asks its storage to fill."""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Protocol, TypeVar
from uuid import UUID

from todo_api.domain.account import Account
from todo_api.domain.changes import Changes, SyncPoint
from todo_api.domain.idempotency import Edited, IdempotencyKey
from todo_api.domain.listing import Position, TaskPage, TaskQuery, TrashPage
from todo_api.domain.task import Task
from todo_api.domain.workspace import Workspace

T = TypeVar("T")


class TaskRepository(Protocol):
    """Keeps the tasks of all users apart.

    Every call is atomic, and durable when it returns. Each write raises its user's revision by one and stamps the task
    with it; writes of one user are ordered by their revisions, so whoever has seen revision N has seen all up to N.
    An account comes to be with the user's first task, at `starting_revision`; the user of none is at revision 0.
    Another user's task does not exist. Calls raise RepositoryUnavailableError when the storage cannot be reached in
    time; a write may then have happened, unless the message says that it has not.
    """

    async def add(self, task: Task, quota: int | None = None) -> Task:
        """Keep a new task and return it with its revision.

        Raises:
            TaskExistsError: The user has a task of this id, perhaps in the trash.
            QuotaExceededError: The user has `quota` tasks, where one is given, that are not in the trash.
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

    async def restore(self, user_id: str, task_id: UUID, quota: int | None = None) -> Task | None:
        """Take the task out of the trash and return it with its new revision; None if it is not in the trash.

        Raises:
            QuotaExceededError: The user has `quota` tasks, where one is given, that are not in the trash.
        """
        ...

    async def trash(self, user_id: str, limit: int, after: Position | None = None) -> TrashPage:
        """Return a page of the user's trash, the task that was deleted last first."""
        ...

    async def purge(self, user_id: str, task_id: UUID | None = None) -> int:
        """Forget the task that is in the trash, or all that are, for good; return how many there were.

        Their tombstones stay, and so does the revision: nothing has changed for those who sync.
        """
        ...

    async def edit(
        self,
        user_id: str,
        task_ids: Collection[UUID],
        decide: Callable[[Workspace], T],
        *,
        now: datetime,
        quota: int | None = None,
        key: IdempotencyKey[T] | None = None,
    ) -> Edited[T]:
        """Change several tasks together: all or nothing, at one revision.

        Args:
            user_id: Whose tasks they are.
            task_ids: The tasks that `decide` may name.
            decide: What to do; its return value is the result. It is called while nobody else may change the user's
                tasks, and may be called again, with what there is then. If it raises, nothing is written.
            now: The time in UTC.
            quota: How many tasks the user may have that are not in the trash.
            key: The idempotency key of the request, if it has one. The result is kept in the same transaction, and
                every later request with this key gets it and changes nothing.

        Raises:
            IdempotencyKeyReusedError: The key was another request's.
            IdempotencyKeyInUseError: The first request with this key is still running.
        """
        ...

    async def changes(self, user_id: str, since: SyncPoint, limit: int) -> Changes:
        """Return what has happened after the point.

        Raises:
            ForgottenRevisionError: Later tombstones were purged since, or the user never was at the revision.
        """
        ...

    async def page(self, user_id: str, query: TaskQuery, known: Collection[int] = ()) -> TaskPage:
        """Return a page of the user's tasks as they were at one revision.

        At one of the `known` revisions the page comes without its tasks.
        """
        ...

    async def check(self) -> None:
        """Raise RepositoryUnavailableError unless the storage answers and is of the shape that this program needs."""
        ...


class AccountRepository(Protocol):
    """What concerns all the tasks of one user; the same tasks as the TaskRepository's.

    Calls raise RepositoryUnavailableError as those of the TaskRepository do.
    """

    async def account(self, user_id: str, now: datetime) -> Account:
        """Return the user's tasks in figures, as they are at this instant of UTC."""
        ...

    async def export(self, user_id: str, limit: int, after: UUID | None = None) -> list[Task]:
        """Return the tasks of the next ids, at most `limit`, in the order of the ids; those in the trash too.

        The latter are TrashedTask. What is written between two calls may be in what the second one returns, or not.
        """
        ...

    async def erase(self, user_id: str) -> None:
        """Forget the user and everything of theirs, at once and for good."""
        ...


class Housekeeping(Protocol):
    """Forgets what has been kept for long enough; safe to call from several places at once.

    Each call removes at most `limit` things that are from before an instant of UTC, the oldest first, and returns how
    many there were; it passes over what others are about to change. Calls raise RepositoryUnavailableError as those of
    the TaskRepository do.
    """

    async def purge_trash(self, deleted_before: datetime, limit: int) -> int:
        """Forget tasks in the trash; their tombstones stay."""
        ...

    async def purge_tombstones(self, deleted_before: datetime, limit: int) -> int:
        """Forget tombstones; whoever has not seen them must load afresh (ForgottenRevisionError)."""
        ...

    async def purge_idempotency_keys(self, created_before: datetime, limit: int) -> int:
        """Forget the answers to requests."""
        ...
