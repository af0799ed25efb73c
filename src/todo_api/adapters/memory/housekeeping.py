"""Housekeeping in memory."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from heapq import nsmallest
from typing import TypeVar

from todo_api.adapters.memory.store import Store, StoredAccount
from todo_api.domain.identity import StorageIdentity

Key = TypeVar("Key")


class InMemoryHousekeeping:
    """A Housekeeping over a store that it shares with the repositories."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def purge_trash(self, deleted_before: datetime, limit: int) -> int:
        await asyncio.sleep(0)
        old = self._oldest(
            lambda account: {task_id: task.deleted_at for task_id, task in account.trash.items()}, deleted_before, limit
        )
        for account, task_id in old:
            del account.trash[task_id]
        return len(old)

    async def purge_tombstones(self, deleted_before: datetime, limit: int) -> int:
        await asyncio.sleep(0)
        old = self._oldest(lambda account: account.buried_at, deleted_before, limit)
        for account, task_id in old:
            del account.buried_at[task_id]
            account.floor = max(account.floor, account.tombstones.pop(task_id).revision)
        return len(old)

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
