"""The account: its figures, everything out of it, everything into it, and nothing left of it."""

from collections.abc import AsyncIterable, AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import datetime

from todo_api.application.change_feed import ChangeFeed
from todo_api.domain.account import Account
from todo_api.domain.errors import IncompleteImportError, QuotaExceededError, TodoError
from todo_api.domain.ports import AccountRepository, TaskRepository
from todo_api.domain.task import Task, TrashedTask
from todo_api.domain.workspace import Workspace

# How many tasks of an export or an import are in memory at the same time.
CHUNK = 200


@dataclass(frozen=True, slots=True)
class Export:
    """Everything of one user, page by page: tasks in the order of their ids, those in the trash too.

    The pages raise RepositoryUnavailableError when the storage cannot be reached any more.
    """

    exported_at: datetime
    pages: AsyncIterator[list[Task]]


@dataclass(slots=True)
class Imported:
    """How many tasks came to be, and how many were left out because there is a task of their id."""

    imported: int = 0
    skipped: int = 0


class AccountService:
    """The use cases; every one acts for one user, whose id comes first."""

    def __init__(
        self,
        accounts: AccountRepository,
        tasks: TaskRepository,
        feed: ChangeFeed,
        *,
        clock: Callable[[], datetime],
        quota: int | None = None,
    ) -> None:
        """Take the storage, whom to tell of changes, the time in UTC and how many tasks a user may have."""
        self._accounts = accounts
        self._tasks = tasks
        self._announce = feed.announce
        self._clock = clock
        self._quota = quota

    async def account(self, user_id: str) -> Account:
        """Return the user's tasks in figures."""
        return await self._accounts.account(user_id, self._clock())

    async def erase(self, user_id: str) -> None:
        """Forget the user and everything of theirs, for good."""
        await self._accounts.erase(user_id)
        self._announce(user_id)

    async def export(self, user_id: str) -> Export:
        """Return all tasks of the user."""
        exported_at = self._clock()
        first_page = await self._accounts.export(user_id, CHUNK)
        return Export(exported_at, self._pages(user_id, first_page))

    async def _pages(self, user_id: str, page: list[Task]) -> AsyncIterator[list[Task]]:
        while page:
            yield page
            page = await self._accounts.export(user_id, CHUNK, page[-1].id) if len(page) == CHUNK else []

    async def import_tasks(self, user_id: str, tasks: AsyncIterable[Task]) -> Imported:
        """Keep the tasks as they are, but for those whose ids the user has; nothing that is there changes.

        Raises:
            IncompleteImportError: A task could not be kept, or `tasks` raised an error. Whatever came before is kept.
        """
        done = Imported()
        try:
            async for chunk in _chunks(tasks):
                await self._adopt(user_id, chunk, done)
        except TodoError as error:
            raise IncompleteImportError(error, done.imported, done.skipped) from error
        return done

    async def _adopt(self, user_id: str, chunk: list[Task], done: Imported) -> None:
        """Keep the tasks that the user has not and count them; raise QuotaExceededError after those that have room."""
        now = self._clock()
        adopted: list[bool] = []
        refusal: QuotaExceededError | None = None

        def decide(workspace: Workspace) -> None:
            nonlocal refusal
            refusal = None
            adopted.clear()
            try:
                for task in chunk:
                    adopted.append(workspace.adopt(_deleted_by(now, task)))  # noqa: PERF401 - up to an error
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
    """Return the task; one that was deleted in the future, which would never be purged, as deleted now."""
    return replace(task, deleted_at=now) if isinstance(task, TrashedTask) and task.deleted_at > now else task


async def _chunks(tasks: AsyncIterable[Task]) -> AsyncIterator[list[Task]]:
    """Yield the tasks in lists; also those right before an error, which is raised after them."""
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
