"""The repositories that the domain needs."""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Protocol, TypeVar
from uuid import UUID

from todo_api.domain.account import Account
from todo_api.domain.changes import Changes, SyncPoint
from todo_api.domain.idempotency import Edited, IdempotencyKey
from todo_api.domain.identity import StorageIdentity
from todo_api.domain.listing import Position, TaskPage, TaskQuery, TrashPage
from todo_api.domain.overview import Counts, DueViews, TagCount
from todo_api.domain.selection import Selection
from todo_api.domain.task import Task
from todo_api.domain.task_list import TaskList, TrashedList
from todo_api.domain.workspace import Workspace

T = TypeVar("T")


class TaskRepository(Protocol):
    """Stores tasks, separately for each user.

    Atomicity: every call is atomic, and durable when it returns.

    Order: each write raises its user's revision to `next_revision`, by the clock of the storage, and stamps the task
    with it. The order of a user's revisions is the order of the commits, so a reader who has seen revision N has seen
    every change up to N. An account is created with the user's first task; a user without an account is at revision 0.

    Ownership: another user's task does not exist.

    Errors: every call raises RepositoryUnavailableError if the storage cannot be reached in time. A write may then have
    happened, unless the message says that nothing was changed.
    """

    async def add(self, task: Task, quota: int | None = None) -> Task:
        """Store a new task and return it with its revision, and its position at the end of the manual order.

        Raises:
            InvalidFieldError: Its list does not exist.
            TaskExistsError: The user has a task with this id, perhaps in the trash.
            QuotaExceededError: The user has `quota` tasks outside the trash already.
        """
        ...

    async def get(self, user_id: str, task_id: UUID) -> Task:
        """Return the task.

        Raises:
            TaskNotFoundError: The user has no such task, or it is in the trash.
        """
        ...

    async def save(self, task: Task, successor: Task | None = None, quota: int | None = None) -> Task | None:
        """Replace the stored task if it is still at `task.revision`, and return it with its new revision.

        Its position stays as it is stored. A new task that came of it is stored at the same revision, as by `add`.
        Returns None if another change or a removal came first; then nothing was written.

        Raises:
            InvalidFieldError: Its list does not exist.
            QuotaExceededError: There is a successor, and the user has `quota` tasks outside the trash already.
        """
        ...

    async def remove(self, user_id: str, task_id: UUID, revision: int | None = None, *, now: datetime) -> bool:
        """Move the task to the trash, if it exists and is at `revision`, if that is given; return whether it was moved.

        The task leaves a tombstone. From now on, only the calls for the trash see it.
        """
        ...

    async def restore(self, user_id: str, task_id: UUID, quota: int | None = None) -> Task | None:
        """Restore the task from the trash and return it with its new revision; None if it is not in the trash.

        A task whose list does not exist any more moves to the inbox.

        Raises:
            OccurrenceExistsError: Another task is this occurrence of its series; an edit makes it a series of its own.
            QuotaExceededError: The user has `quota` tasks outside the trash already.
        """
        ...

    async def trash(self, user_id: str, limit: int, after: Position | None = None) -> TrashPage:
        """Return a page of the trash, the most recently deleted task first."""
        ...

    async def purge(self, user_id: str, task_id: UUID | None = None) -> int:
        """Permanently delete one task, or all, from the trash; return how many were deleted.

        Tombstones and the revision stay: nothing changes for clients that sync.
        """
        ...

    async def edit(
        self,
        user_id: str,
        selection: Selection,
        decide: Callable[[Workspace], T],
        *,
        now: datetime,
        new_id: Callable[[], UUID],
        quota: int | None = None,
        key: IdempotencyKey[T] | None = None,
    ) -> Edited[T]:
        """Change several tasks and lists together: all or nothing, at one revision.

        Args:
            user_id: The owner of the tasks.
            selection: The tasks and lists to load into the workspace.
            decide: Changes the workspace and returns the result. The user's tasks are locked while it runs. It may be
                called again with a new workspace. If it raises, nothing is written.
            now: The current time (UTC).
            new_id: Returns the ids of tasks that come of others.
            quota: How many tasks the user may have outside the trash.
            key: The idempotency key of the request, if it has one. The result is stored in the same transaction.
                For KEY_LIFETIME, every later request with this key gets this result and changes nothing.

        Raises:
            IdempotencyKeyReusedError: The key was used for another request.
            IdempotencyKeyInUseError: The first request with this key is still running.
        """
        ...

    async def changes(self, user_id: str, since: SyncPoint, limit: int) -> Changes:
        """Return the changes after a point, ordered by revision and id.

        Raises:
            ForgottenRevisionError: Later tombstones have been purged, or the user was never at this revision.
        """
        ...

    async def page(self, user_id: str, query: TaskQuery, known: Collection[int] = ()) -> TaskPage:
        """Return a page of the user's tasks as they are at one revision.

        Args:
            user_id: The owner of the tasks.
            query: Which page.
            known: Revisions at which the caller already has the page. If the user is still at one of them, the page is
                returned without tasks, which avoids reading them.
        """
        ...

    async def check(self) -> None:
        """Raise RepositoryUnavailableError unless the storage can be reached and has the schema of this version."""
        ...


class ListRepository(Protocol):
    """Reads lists, over the same storage as TaskRepository and with the same errors. Edits change them."""

    async def lists(self, user_id: str) -> tuple[list[TaskList], int]:
        """Return the user's lists in their manual order, and the user's revision."""
        ...

    async def get_list(self, user_id: str, list_id: UUID) -> TaskList:
        """Return the list.

        Raises:
            ListNotFoundError: The user has no such list, or it is in the trash.
        """
        ...

    async def trashed_lists(self, user_id: str, limit: int) -> list[TrashedList]:
        """Return up to `limit` lists in the trash, the most recently deleted first."""
        ...


class AccountRepository(Protocol):
    """Counts, reads and erases whole accounts, over the same storage as TaskRepository and with the same errors."""

    async def account(self, user_id: str, now: datetime) -> Account:
        """Return the figures of the user's account at `now` (UTC)."""
        ...

    async def counts(self, user_id: str, views: DueViews) -> Counts:
        """Return how many tasks the user has in each view, list and tag."""
        ...

    async def tags(self, user_id: str) -> list[TagCount]:
        """Return the tags of the tasks outside the trash, in the order of their keys."""
        ...

    async def export(self, user_id: str, limit: int, after: UUID | None = None) -> list[Task]:
        """Return up to `limit` tasks with ids above `after`, ordered by id; those in the trash as TrashedTask.

        Tasks that are written between two calls may or may not be included.
        """
        ...

    async def export_lists(self, user_id: str, limit: int, after: UUID | None = None) -> list[TaskList]:
        """Return up to `limit` lists with ids above `after`, as `export` does; those in the trash as TrashedList."""
        ...

    async def erase(self, user_id: str) -> None:
        """Delete the user and everything that belongs to the user, immediately and permanently."""
        ...


class Housekeeping(Protocol):
    """Deletes expired entries, makes clients load everything again, and tells when that is needed.

    Each purge deletes up to `limit` entries that are older than an instant (UTC), the oldest first, and returns how
    many it deleted. It skips entries that others are changing, so any number of processes may call it at the same time.
    Errors are those of TaskRepository.
    """

    async def purge_trash(self, deleted_before: datetime, limit: int) -> int:
        """Delete tasks and lists from the trash; their tombstones stay."""
        ...

    async def purge_tombstones(self, deleted_before: datetime, limit: int) -> int:
        """Delete tombstones; a client that has not seen them gets ForgottenRevisionError."""
        ...

    async def purge_idempotency_keys(self, created_before: datetime, limit: int) -> int:
        """Delete the stored results of requests."""
        ...

    async def index_words(self, limit: int) -> int:
        """Make up to `limit` tasks searchable that an earlier version wrote; return how many there were."""
        ...

    async def raise_revisions(self, after: str, limit: int) -> list[str]:
        """Raise the revisions of up to `limit` users with ids above `after`; return the ids, in order.

        The users' tasks stay as they are. A client that has seen an earlier revision gets ForgottenRevisionError.
        Writes of these users wait for the call.
        """
        ...

    async def identity(self) -> StorageIdentity | None:
        """Return the recorded and the present identity of the storage, or None if it cannot tell.

        If no identity was recorded yet, the present one is.
        """
        ...

    async def record_identity(self, identity: str) -> None:
        """Record an identity in place of the recorded one."""
        ...
