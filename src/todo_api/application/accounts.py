"""Use cases of the account: figures, export, import and erasure."""

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TypeAlias, TypeVar
from uuid import UUID

from todo_api.application.change_feed import ChangeFeed
from todo_api.domain.account import Account
from todo_api.domain.changes import next_revision
from todo_api.domain.errors import IncompleteImportError, QuotaExceededError, TodoError
from todo_api.domain.list_operations import adopt_list
from todo_api.domain.overview import Counts, DueViews, TagCount
from todo_api.domain.ports import AccountRepository, TaskRepository
from todo_api.domain.positions import position_at
from todo_api.domain.selection import Selection
from todo_api.domain.series import occurrence_key
from todo_api.domain.task import Task, TrashedTask
from todo_api.domain.task_list import TaskList, TrashedList
from todo_api.domain.workspace import Workspace

Item: TypeAlias = Task | TaskList
T = TypeVar("T", Task, TaskList)

# The number of tasks of an export or import that are in memory at the same time.
CHUNK = 200


@dataclass(frozen=True, slots=True)
class Export:
    """All lists and tasks of a user, including the trash, in pages ordered by id.

    Iterating the pages raises RepositoryUnavailableError if the storage cannot be reached.
    """

    exported_at: datetime
    lists: AsyncIterator[list[TaskList]]
    tasks: AsyncIterator[list[Task]]


@dataclass(slots=True)
class Imported:
    """How many tasks and lists were imported, and how many were skipped because one with their id exists."""

    imported: int = 0
    skipped: int = 0
    imported_lists: int = 0
    skipped_lists: int = 0

    def count(self, items: "Sequence[Item]", adopted: Sequence[bool]) -> None:
        """Add the items that were tried; each was adopted or skipped."""
        for item, is_new in zip(items, adopted, strict=False):  # after a refusal, some were not tried
            if isinstance(item, TaskList):
                self.imported_lists += is_new
                self.skipped_lists += not is_new
            else:
                self.imported += is_new
                self.skipped += not is_new


class AccountService:
    """Use cases of the account. Each acts for the user whose id is the first argument."""

    def __init__(
        self,
        accounts: AccountRepository,
        tasks: TaskRepository,
        feed: ChangeFeed,
        *,
        clock: Callable[[], datetime],
        new_id: Callable[[], UUID],
        quota: int | None = None,
    ) -> None:
        self._accounts = accounts
        self._tasks = tasks
        self._announce = feed.announce
        self._clock = clock
        self._new_id = new_id
        self._quota = quota

    async def account(self, user_id: str) -> Account:
        """Return the figures of the account."""
        return await self._accounts.account(user_id, self._clock())

    async def counts(self, user_id: str, time_zone: str) -> Counts:
        """Return the numbers of tasks, with days as they are in the time zone.

        Raises:
            InvalidValueError: There is no such time zone.
        """
        return await self._accounts.counts(user_id, DueViews.at(self._clock(), time_zone))

    async def tags(self, user_id: str) -> list[TagCount]:
        """Return the tags in use, in the order of their keys."""
        return await self._accounts.tags(user_id)

    async def erase(self, user_id: str) -> None:
        """Permanently delete the user and everything that belongs to the user."""
        await self._accounts.erase(user_id)
        self._announce(user_id)

    async def export(self, user_id: str) -> Export:
        """Start an export."""
        exported_at = self._clock()
        lists = await self._accounts.export_lists(user_id, CHUNK)
        tasks = await self._accounts.export(user_id, CHUNK)
        return Export(
            exported_at,
            lists=_pages(lists, partial(self._accounts.export_lists, user_id, CHUNK)),
            tasks=_pages(tasks, partial(self._accounts.export, user_id, CHUNK)),
        )

    async def import_all(self, user_id: str, items: AsyncIterable[Item]) -> Imported:
        """Store the lists and tasks as they are; skip those whose ids exist. What exists never changes.

        Raises:
            IncompleteImportError: Something could not be stored, or `items` raised an error. Earlier items are kept.
        """
        done = Imported()
        try:
            async for chunk in _chunks(items):
                await self._adopt(user_id, chunk, done)
        except TodoError as error:
            raise IncompleteImportError(
                error,
                done.imported,
                done.skipped,
                imported_lists=done.imported_lists,
                skipped_lists=done.skipped_lists,
            ) from error
        return done

    async def _adopt(self, user_id: str, chunk: list[Item], done: Imported) -> None:
        """Store and count the new ones; raise QuotaExceededError after storing those within the quota."""
        now = self._clock()
        adopted: list[bool] = []
        refusal: QuotaExceededError | None = None

        def decide(workspace: Workspace) -> None:
            nonlocal refusal
            refusal = None
            adopted.clear()
            try:
                end = position_at(next_revision(workspace.revision, now))
                for item in chunk:
                    adopted.append(_adopt(workspace, _until(now, end, item)))  # noqa: PERF401 - stops at an error
            except QuotaExceededError as error:
                refusal = error

        await self._tasks.edit(user_id, _selection(chunk), decide, now=now, new_id=self._new_id, quota=self._quota)
        done.count(chunk, adopted)
        if any(adopted):
            self._announce(user_id)
        if refusal:
            raise refusal


async def _pages(page: list[T], read: Callable[[UUID], Awaitable[list[T]]]) -> AsyncIterator[list[T]]:
    """Yield the first page, and those after it."""
    while page:
        yield page
        page = await read(page[-1].id) if len(page) == CHUNK else []


def _selection(chunk: list[Item]) -> Selection:
    tasks = [item for item in chunk if isinstance(item, Task)]
    lists = {item.id for item in chunk if isinstance(item, TaskList)}
    return Selection(
        tasks=frozenset(task.id for task in tasks),
        occurrences=frozenset(key for task in tasks if (key := occurrence_key(task))),
        lists=frozenset(lists | {task.list_id for task in tasks if task.list_id is not None}),
        all_lists=bool(lists),
    )


def _adopt(workspace: Workspace, item: Item) -> bool:
    return workspace.adopt(item) if isinstance(item, Task) else adopt_list(workspace, item)


def _until(now: datetime, end: str, item: Item) -> Item:
    """Return the item with nothing that is ahead of the account.

    A deletion in the future would never be purged: it is dated now. A position beyond the end would be there for good,
    and the end would not be the end.
    """
    if isinstance(item, TrashedTask | TrashedList) and item.deleted_at > now:
        item = replace(item, deleted_at=now)
    return replace(item, position="") if item.position > end else item


async def _chunks(items: AsyncIterable[Item]) -> AsyncIterator[list[Item]]:
    """Yield the items in lists. An error of `items` is raised after those before it were yielded."""
    chunk: list[Item] = []
    failure: TodoError | None = None
    try:
        async for item in items:
            chunk.append(item)
            if len(chunk) == CHUNK:
                yield chunk
                chunk = []
    except TodoError as error:
        failure = error
    if chunk:
        yield chunk
    if failure:
        raise failure
