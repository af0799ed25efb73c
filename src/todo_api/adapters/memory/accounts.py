"""The account repository in memory."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from heapq import nsmallest
from uuid import UUID

from todo_api.adapters.memory.shelf import Live
from todo_api.adapters.memory.store import Store
from todo_api.domain.account import Account
from todo_api.domain.due_views import DueRange
from todo_api.domain.overview import Counts, DueViews, TagCount
from todo_api.domain.tags import tag_key
from todo_api.domain.task import Task
from todo_api.domain.task_list import TaskList


class InMemoryAccountRepository:
    """An AccountRepository over a store that it shares with the task repository."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def account(self, user_id: str, now: datetime) -> Account:
        await asyncio.sleep(0)
        account = self._store.account(user_id)
        done = Counter(task.completed for task in account.tasks.live.values())
        return Account(
            user_id=user_id,
            first_seen_at=account.created_at,
            revision=account.revision,
            pending=done[False],
            completed=done[True],
            overdue=sum(task.is_overdue(now) for task in account.tasks.live.values()),
            trash=len(account.tasks.trash),
        )

    async def export(self, user_id: str, limit: int, after: UUID | None = None) -> list[Task]:
        await asyncio.sleep(0)
        return _exported(self._store.account(user_id).tasks.all(), limit, after)

    async def export_lists(self, user_id: str, limit: int, after: UUID | None = None) -> list[TaskList]:
        await asyncio.sleep(0)
        return _exported(self._store.account(user_id).lists.all(), limit, after)

    async def counts(self, user_id: str, views: DueViews) -> Counts:
        await asyncio.sleep(0)
        account = self._store.account(user_id)
        every = list(account.tasks.live.values())
        pending = [task for task in every if not task.completed]
        in_lists, pending_in_lists = (Counter(task.list_id for task in tasks) for tasks in (every, pending))
        return Counts(
            pending=len(pending),
            completed=len(every) - len(pending),
            overdue=_count_due(pending, views.overdue),
            today=_count_due(pending, views.today),
            upcoming=_count_due(pending, views.upcoming),
            without_date=sum(task.due_date is None for task in pending),
            trash=len(account.tasks.trash),
            lists={
                list_id: (in_lists[list_id], pending_in_lists[list_id]) for list_id in (*in_lists, *account.lists.live)
            },
            tags=_count_tags(every),
        )

    async def tags(self, user_id: str) -> list[TagCount]:
        await asyncio.sleep(0)
        return _count_tags(self._store.account(user_id).tasks.live.values())

    async def erase(self, user_id: str) -> None:
        await asyncio.sleep(0)
        self._store.accounts.pop(user_id, None)


def _exported(items: list[Live], limit: int, after: UUID | None) -> list[Live]:
    later = (item for item in items if after is None or item.id > after)
    return nsmallest(limit, later, key=lambda item: item.id)


def _count_due(tasks: Iterable[Task], due_dates: DueRange) -> int:
    return sum(task.due_date is not None and task.due_date in due_dates for task in tasks)


def _count_tags(tasks: Iterable[Task]) -> list[TagCount]:
    found: dict[str, list[tuple[str, Task]]] = {}
    for task in tasks:
        for tag in task.tags:
            found.setdefault(tag_key(tag), []).append((tag, task))
    return [
        TagCount(key, min(name for name, _ in uses), len(uses), sum(not task.completed for _, task in uses))
        for key, uses in sorted(found.items())
    ]
