"""The account repository in memory."""

import asyncio
from collections import Counter
from datetime import datetime
from heapq import nsmallest
from uuid import UUID

from todo_api.adapters.memory.store import Store
from todo_api.domain.account import Account
from todo_api.domain.task import Task


class InMemoryAccountRepository:
    """An AccountRepository over a store that it shares with the task repository."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def account(self, user_id: str, now: datetime) -> Account:
        await asyncio.sleep(0)
        account = self._store.account(user_id)
        done = Counter(task.completed for task in account.tasks.values())
        return Account(
            user_id=user_id,
            first_seen_at=account.created_at,
            revision=account.revision,
            pending=done[False],
            completed=done[True],
            overdue=sum(task.is_overdue(now) for task in account.tasks.values()),
            trash=len(account.trash),
        )

    async def export(self, user_id: str, limit: int, after: UUID | None = None) -> list[Task]:
        await asyncio.sleep(0)
        account = self._store.account(user_id)
        every: list[Task] = [*account.tasks.values(), *account.trash.values()]
        later = (task for task in every if after is None or task.id > after)
        return nsmallest(limit, later, key=lambda task: task.id)

    async def erase(self, user_id: str) -> None:
        await asyncio.sleep(0)
        self._store.accounts.pop(user_id, None)
