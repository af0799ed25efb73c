"""Housekeeping in memory."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from heapq import nsmallest
from typing import TypeVar
from uuid import UUID

from todo_api.adapters.memory.store import KINDS, Kind, Store, StoredAccount
from todo_api.domain.identity import StorageIdentity
from todo_api.domain.task import TrashedTask
from todo_api.domain.task_list import TrashedList

Key = TypeVar("Key")


def _deletions(account: StoredAccount) -> dict[tuple[Kind, UUID], datetime]:
    trashed = (task for task in account.tasks.trash.values() if isinstance(task, TrashedTask))
    lists = (task_list for task_list in account.lists.trash.values() if isinstance(task_list, TrashedList))
    tasks: dict[tuple[Kind, UUID], datetime] = {("tasks", task.id): task.deleted_at for task in trashed}
    return tasks | {("lists", task_list.id): task_list.deleted_at for task_list in lists}


class InMemoryHousekeeping:
    """A Housekeeping over a store that it shares with the repositories."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def purge_trash(self, deleted_before: datetime, limit: int) -> int:
        await asyncio.sleep(0)
        old = self._oldest(_deletions, deleted_before, limit)
        for account, (kind, item_id) in old:
            account.shelf(kind).purge([item_id])
        return len(old)

    async def purge_tombstones(self, deleted_before: datetime, limit: int) -> int:
        await asyncio.sleep(0)
        old = self._oldest(
            lambda account: {
                (kind, item_id): instant for kind in KINDS for item_id, instant in account.shelf(kind).buried_at.items()
            },
            deleted_before,
            limit,
        )
        for account, (kind, item_id) in old:
            shelf = account.shelf(kind)
            del shelf.buried_at[item_id]
            account.floor = max(account.floor, shelf.buried.pop(item_id))
        return len(old)

    async def index_words(self, limit: int) -> int:  # noqa: ARG002 - searches read the tasks themselves
        return 0

    async def purge_idempotency_keys(self, created_before: datetime, limit: int) -> int:
        await asyncio.sleep(0)
        old = self._oldest(
            lambda account: {key: kept.created_at for key, kept in account.results.items()}, created_before, limit
        )
        for account, key in old:
            del account.results[key]
        return len(old)

    async def raise_revisions(self, after: str, limit: int) -> list[str]:
        await asyncio.sleep(0)
        user_ids = nsmallest(limit, (user_id for user_id in self._store.accounts if user_id > after))
        for account in map(self._store.account, user_ids):
            account.revision = account.floor = account.next_revision
        return user_ids

    async def identity(self) -> StorageIdentity | None:
        await asyncio.sleep(0)
        store = self._store
        store.recorded_identity = store.recorded_identity or store.identity
        return StorageIdentity(recorded=store.recorded_identity, present=store.identity)

    async def record_identity(self, identity: str) -> None:
        await asyncio.sleep(0)
        self._store.recorded_identity = identity

    def _oldest(
        self, ages: Callable[[StoredAccount], Mapping[Key, datetime]], before: datetime, limit: int
    ) -> list[tuple[StoredAccount, Key]]:
        """Return the oldest entries from before the instant, as pairs of account and key."""
        every: Iterable[tuple[datetime, StoredAccount, Key]] = (
            (instant, account, key)
            for account in self._store.accounts.values()
            for key, instant in ages(account).items()
            if instant < before
        )
        return [(account, key) for _, account, key in nsmallest(limit, every, key=lambda thing: thing[0])]
