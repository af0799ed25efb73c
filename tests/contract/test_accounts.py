"""The account: figures, export and erasure; the same for every storage."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from tests.codecs import AsBytes
from tests.domain.builders import NOW, START, a_task, later
from tests.storages import Storage

from todo_api.domain.account import Account
from todo_api.domain.errors import TaskNotFoundError
from todo_api.domain.idempotency import IdempotencyKey
from todo_api.domain.listing import TaskQuery
from todo_api.domain.selection import Selection
from todo_api.domain.task import Task


async def exported(storage: Storage, user_id: str, limit: int) -> list[Task]:
    found: list[Task] = []
    while page := await storage.accounts.export(user_id, limit, found[-1].id if found else None):
        assert len(page) <= limit
        found += page
        assert len(found) < 100, "it never ends"
    return found


async def test_a_user_who_never_wrote_has_nothing(storage: Storage, user_id: str) -> None:
    assert await storage.accounts.account(user_id, NOW) == Account(user_id=user_id)
    assert await storage.accounts.export(user_id, 10) == []


async def test_an_account_counts_its_own_tasks(storage: Storage, user_id: str) -> None:
    for completed in (False, True, True, False, False):
        task = await storage.tasks.add(a_task(user_id, completed=completed))
    await storage.tasks.remove(user_id, task.id, now=NOW)
    await storage.tasks.add(a_task(f"{user_id}-2", created_at=later(9)))

    assert await storage.accounts.account(user_id, later(1)) == Account(
        user_id=user_id, first_seen_at=NOW, revision=START + 6, pending=2, completed=2, overdue=0, trash=1
    )


@pytest.mark.parametrize(
    ("due_date", "last", "first"),
    [
        # The last time at which a task is not overdue, and the first at which it is.
        (date(2026, 6, 1), datetime(2026, 6, 1, 23, 59, 59, 999999, UTC), datetime(2026, 6, 2, tzinfo=UTC)),
        (datetime(2026, 6, 1, 17), datetime(2026, 6, 1, 17, tzinfo=UTC), datetime(2026, 6, 1, 17, 0, 0, 1, UTC)),  # noqa: DTZ001
        (NOW, NOW, NOW + timedelta(microseconds=1)),
        (datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 6, 1, 1, tzinfo=UTC)),
    ],
)
async def test_a_task_is_overdue_when_its_due_date_is_over(
    storage: Storage, user_id: str, due_date: date, last: datetime, first: datetime
) -> None:
    await storage.tasks.add(a_task(user_id, due_date=due_date))
    await storage.tasks.add(a_task(user_id, due_date=due_date, completed=True))
    trashed = await storage.tasks.add(a_task(user_id, due_date=due_date))
    await storage.tasks.remove(user_id, trashed.id, now=NOW)

    assert [(await storage.accounts.account(user_id, now)).overdue for now in (last, first)] == [0, 1]


async def test_an_export_has_every_task_once_in_the_order_of_the_ids(storage: Storage, user_id: str) -> None:
    ids = [UUID(int=0), *(UUID(int=number << 96) for number in (3, 1, 2, 200)), UUID(int=2**128 - 1)]
    tasks = {task_id: await storage.tasks.add(a_task(user_id, task_id=task_id)) for task_id in ids}
    for number, task_id in enumerate(ids[1:3]):
        await storage.tasks.remove(user_id, task_id, now=later(number))
        tasks[task_id] = (await storage.tasks.trash(user_id, 1)).tasks[0]
    await storage.tasks.add(a_task(f"{user_id}-2"))

    for limit in (1, 2, 6, 7):
        assert await exported(storage, user_id, limit) == sorted(tasks.values(), key=lambda task: task.id)


async def test_nothing_is_left_of_a_user_who_was_erased(storage: Storage, user_id: str) -> None:
    stranger = f"{user_id}-2"
    for owner in (stranger, user_id):
        kept, gone = [await storage.tasks.add(a_task(owner)) for _ in range(2)]
        await storage.tasks.remove(owner, gone.id, now=NOW)
    key = IdempotencyKey("k", b"request", codec=AsBytes())
    await storage.tasks.edit(user_id, Selection(), lambda _: b"first", now=NOW, new_id=uuid4, key=key)

    await storage.accounts.erase(stranger)
    await storage.accounts.erase(stranger)

    assert await storage.accounts.account(stranger, NOW) == Account(user_id=stranger)
    assert await storage.accounts.export(stranger, 10) == []
    assert (await storage.tasks.page(stranger, TaskQuery())).tasks == []
    assert (await storage.tasks.trash(stranger, 10)).tasks == []
    assert (await storage.accounts.account(user_id, NOW)).pending == 1
    assert (
        await storage.tasks.edit(user_id, Selection(), lambda _: b"second", now=NOW, new_id=uuid4, key=key)
    ).replayed

    await storage.accounts.erase(user_id)
    with pytest.raises(TaskNotFoundError):
        await storage.tasks.get(user_id, kept.id)
    assert not (
        await storage.tasks.edit(user_id, Selection(), lambda _: b"second", now=NOW, new_id=uuid4, key=key)
    ).replayed
