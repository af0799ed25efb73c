"""The list repository in memory."""

import asyncio
from heapq import nlargest
from uuid import UUID

from todo_api.adapters.memory.store import Store
from todo_api.domain.errors import ListNotFoundError
from todo_api.domain.task_list import TaskList, TrashedList


class InMemoryListRepository:
    """A ListRepository over a store that it shares with the task repository."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def lists(self, user_id: str) -> tuple[list[TaskList], int]:
        await asyncio.sleep(0)
        account = self._store.account(user_id)
        return sorted(account.lists.live.values(), key=lambda item: (item.position, item.id)), account.revision

    async def get_list(self, user_id: str, list_id: UUID) -> TaskList:
        await asyncio.sleep(0)
        found = self._store.account(user_id).lists.live.get(list_id)
        if found is None:
            raise ListNotFoundError
        return found

    async def trashed_lists(self, user_id: str, limit: int) -> list[TrashedList]:
        await asyncio.sleep(0)
        trash = (item for item in self._store.account(user_id).lists.trash.values() if isinstance(item, TrashedList))
        return nlargest(limit, trash, key=lambda item: (item.deleted_at, item.id))
