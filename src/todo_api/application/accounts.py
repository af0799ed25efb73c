"""Use cases of the account: figures, export, import and erasure."""

from collections.abc import AsyncIterable, AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import datetime

from todo_api.application.change_feed import ChangeFeed
from todo_api.domain.account import Account
from todo_api.domain.errors import IncompleteImportError, QuotaExceededError, TodoError
from todo_api.domain.ports import AccountRepository, TaskRepository
from todo_api.domain.task import Task, TrashedTask
from todo_api.domain.workspace import Workspace

# The number of tasks of an export or import that are in memory at the same time.
CHUNK = 200


@dataclass(frozen=True, slots=True)
class Export:
    """All tasks of a user, including the trash, in pages ordered by id.

    Iterating the pages raises RepositoryUnavailableError if the storage cannot be reached.
    """

    exported_at: datetime
    pages: AsyncIterator[list[Task]]


@dataclass(slots=True)
class Imported:
    """How many tasks were imported, and how many were skipped because a task with their id exists."""

    imported: int = 0
    skipped: int = 0


class AccountService:
    """Use cases of the account. Each acts for the user whose id is the first argument."""

    def __init__(
        self,
        accounts: AccountRepository,
        tasks: TaskRepository,
        feed: ChangeFeed,
        *,
        clock: Callable[[], datetime],
        quota: int | None = None,
    ) -> None:
        self._accounts = accounts
        self._tasks = tasks
        self._announce = feed.announce
        self._clock = clock
        self._quota = quota

    async def account(self, user_id: str) -> Account:
        """Return the figures of the account."""
        return await self._accounts.account(user_id, self._clock())

    async def erase(self, user_id: str) -> None:
        """Permanently delete the user and everything that belongs to the user."""
        await self._accounts.erase(user_id)
        self._announce(user_id)

    async def export(self, user_id: str) -> Export:
        """Start an export."""
        exported_at = self._clock()
        first_page = await self._accounts.export(user_id, CHUNK)
        return Export(exported_at, self._pages(user_id, first_page))

    async def _pages(self, user_id: str, page: list[Task]) -> AsyncIterator[list[Task]]:
        while page:
            yield page
            page = await self._accounts.export(user_id, CHUNK, page[-1].id) if len(page) == CHUNK else []

    async def import_tasks(self, user_id: str, tasks: AsyncIterable[Task]) -> Imported:
        """Store the tasks as they are; skip those whose ids exist. Existing tasks never change.

        Raises:
            IncompleteImportError: A task could not be stored, or `tasks` raised an error. Earlier tasks are kept.
        """
        done = Imported()
        try:
            async for chunk in _chunks(tasks):
                await self._adopt(user_id, chunk, done)
        except TodoError as error:
            raise IncompleteImportError(error, done.imported, done.skipped) from error
        return done

    async def _adopt(self, user_id: str, chunk: list[Task], done: Imported) -> None:
        """Store and count the new tasks; raise QuotaExceededError after storing those within the quota."""
        now = self._clock()
        adopted: list[bool] = []
        refusal: QuotaExceededError | None = None

        def decide(workspace: Workspace) -> None:
            nonlocal refusal
            refusal = None
            adopted.clear()
            try:
                for task in chunk:
                    adopted.append(workspace.adopt(_deleted_by(now, task)))  # noqa: PERF401 - stops at an error
            except QuotaExceededError as error:
                refusal = error

        await self._tasks.edit(user_id, [task.id for task in chunk], decide, now=now, quota=self._quota)
        done.imported += sum(adopted)
        done.skipped += len(adopted) - sum(adopted)
        if any(adopted):
            self._announce(user_id)
        if refusal:
            raise refusal


def _deleted_by(now: datetime, task: Task) -> Task:
    """Return the task. A deletion in the future, which would never be purged, is dated now."""
    return replace(task, deleted_at=now) if isinstance(task, TrashedTask) and task.deleted_at > now else task


async def _chunks(tasks: AsyncIterable[Task]) -> AsyncIterator[list[Task]]:
    """Yield the tasks in lists. An error of `tasks` is raised after the tasks before it were yielded."""
    chunk: list[Task] = []
    failure: TodoError | None = None
    try:
        async for task in tasks:
            chunk.append(task)
            if len(chunk) == CHUNK:
                yield chunk
                chunk = []
    except TodoError as error:
        failure = error
    if chunk:
        yield chunk
    if failure:
        raise failure
