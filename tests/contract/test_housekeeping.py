"""What housekeeping purges and what it keeps; the same for every storage.

Housekeeping purges all users, so these tests have their own database.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from tests.codecs import AsBytes
from tests.domain.builders import NOW, START, a_task, later
from tests.storages import Storage

from todo_api.adapters.sqlalchemy.driver import DatabaseConfig
from todo_api.adapters.sqlalchemy.engine import FairEngine, create_engine
from todo_api.domain.changes import SyncPoint
from todo_api.domain.errors import ForgottenRevisionError, QuotaExceededError
from todo_api.domain.idempotency import IdempotencyKey
from todo_api.domain.listing import Order, TaskQuery
from todo_api.domain.selection import Selection
from todo_api.domain.task import Task
from todo_api.domain.workspace import Workspace

MANY = 1000


@pytest.fixture(scope="module")
async def engine(own_database: str) -> AsyncIterator[FairEngine]:
    engine = create_engine(DatabaseConfig(url=own_database))
    yield engine
    await engine.dispose()


@pytest.fixture(autouse=True)
async def nothing_from_before(storage: Storage) -> None:
    for purge in (
        storage.housekeeping.purge_trash,
        storage.housekeeping.purge_tombstones,
        storage.housekeeping.purge_idempotency_keys,
    ):
        await purge(NOW + timedelta(days=999), MANY)


async def deleted(storage: Storage, user_id: str, *ages: float) -> list[Task]:
    """Tasks that were deleted so many seconds ago."""
    tasks = [await storage.tasks.add(a_task(user_id)) for _ in ages]
    for task, age in zip(tasks, ages, strict=True):
        assert await storage.tasks.remove(user_id, task.id, now=later(-age))
    return tasks


async def in_trash(storage: Storage, user_id: str) -> set[UUID]:
    return {task.id for task in (await storage.tasks.trash(user_id, MANY)).tasks}


async def told(storage: Storage, user_id: str, since: SyncPoint) -> list[UUID]:
    return [gone.id for gone in (await storage.tasks.changes(user_id, since, MANY)).deleted]


async def test_the_oldest_of_the_trash_goes_first(storage: Storage, new_user_id: Callable[[], str]) -> None:
    ada, bob = new_user_id(), new_user_id()
    a = await deleted(storage, ada, 5, 40, 10)
    b = await deleted(storage, bob, 20, 30)
    alive = await storage.tasks.add(a_task(ada))
    start = SyncPoint(START + 1)

    assert await storage.housekeeping.purge_trash(later(-10), 2) == 2
    assert await in_trash(storage, ada) == {a[0].id, a[2].id}
    assert await in_trash(storage, bob) == {b[0].id}
    assert await storage.housekeeping.purge_trash(later(-10), 2) == 1
    assert await storage.housekeeping.purge_trash(later(-10), 2) == 0

    assert await in_trash(storage, ada) == {a[0].id, a[2].id}
    assert await in_trash(storage, bob) == set()
    assert await storage.tasks.restore(ada, a[1].id) is None
    assert await storage.tasks.get(ada, alive.id) == alive
    assert (await storage.accounts.account(ada, NOW)).revision == START + 7
    assert set(await told(storage, ada, start)) == {task.id for task in a}
    assert set(await told(storage, bob, start)) == {task.id for task in b}


async def test_a_purge_does_not_free_quota(storage: Storage, user_id: str) -> None:
    await deleted(storage, user_id, 10)
    await storage.tasks.add(a_task(user_id), 2)
    assert await storage.housekeeping.purge_trash(NOW, MANY) == 1
    await storage.tasks.add(a_task(user_id), 2)
    with pytest.raises(QuotaExceededError):
        await storage.tasks.add(a_task(user_id), 2)


async def test_a_client_behind_a_purged_tombstone_loads_everything_again(storage: Storage, user_id: str) -> None:
    *old, first, second = await deleted(storage, user_id, 30, 20, 10, 5)  # at the revisions 5 to 8
    points = {revision: SyncPoint(START + revision) for revision in range(1, 9)}

    assert await storage.housekeeping.purge_tombstones(later(-10), MANY) == 2
    assert await storage.housekeeping.purge_tombstones(later(-10), MANY) == 0

    for revision in (1, 4, 5):
        with pytest.raises(ForgottenRevisionError):
            await storage.tasks.changes(user_id, points[revision], MANY)
    for revision, ids in {6: [first.id, second.id], 7: [second.id], 8: []}.items():
        assert await told(storage, user_id, points[revision]) == ids
    assert await told(storage, user_id, SyncPoint()) == [first.id, second.id]
    assert {task.id for task in old} < await in_trash(storage, user_id)
    assert (await storage.accounts.account(user_id, NOW)).revision == START + 8


async def test_the_oldest_tombstones_go_first_and_the_floor_never_sinks(
    storage: Storage, new_user_id: Callable[[], str]
) -> None:
    ada, bob = new_user_id(), new_user_id()
    await deleted(storage, ada, 30, 40)  # the clock stepped back in between: revision 4 has the older tombstone
    await deleted(storage, bob, 35)

    for purged, forgotten in ((1, {ada: 3, bob: 0}), (2, {ada: 3, bob: 1})):
        assert await storage.housekeeping.purge_tombstones(NOW, purged) == purged
        for user_id, last in forgotten.items():
            current = (await storage.accounts.account(user_id, NOW)).revision
            for revision in range(START + 1, current + 1):
                if revision <= START + last:
                    with pytest.raises(ForgottenRevisionError):
                        await storage.tasks.changes(user_id, SyncPoint(revision), MANY)
                else:
                    await storage.tasks.changes(user_id, SyncPoint(revision), MANY)


async def test_a_first_load_goes_on_while_tombstones_are_purged(storage: Storage, user_id: str) -> None:
    tasks = [await storage.tasks.add(a_task(user_id)) for _ in range(4)]
    await deleted(storage, user_id, 30)
    page = await storage.tasks.changes(user_id, SyncPoint(), 2)
    assert await storage.housekeeping.purge_tombstones(NOW, MANY) == 1

    rest = await storage.tasks.changes(user_id, page.next, MANY)
    assert [*page.tasks, *rest.tasks] == tasks

    await storage.tasks.remove(user_id, tasks[0].id, now=later(-1))  # which the copy has by now
    assert await storage.housekeeping.purge_tombstones(NOW, MANY) == 1
    with pytest.raises(ForgottenRevisionError):
        await storage.tasks.changes(user_id, page.next, MANY)


async def test_a_task_outlives_its_tombstone_in_the_trash(storage: Storage, user_id: str) -> None:
    (task,) = await deleted(storage, user_id, 30)
    since = SyncPoint((await storage.accounts.account(user_id, NOW)).revision)
    assert await storage.housekeeping.purge_tombstones(NOW, MANY) == 1

    restored = await storage.tasks.restore(user_id, task.id)
    assert restored
    changes = await storage.tasks.changes(user_id, since, MANY)
    assert (changes.tasks, changes.deleted) == ([restored], [])


async def test_a_tombstone_is_as_old_as_the_last_deletion(storage: Storage, user_id: str) -> None:
    again, adopted = *(await deleted(storage, user_id, 30)), a_task(user_id).discard(now=later(-30))
    await storage.tasks.restore(user_id, again.id)
    await storage.tasks.remove(user_id, again.id, now=NOW)

    def adopt(workspace: Workspace) -> bytes:
        return bytes(workspace.adopt(adopted))

    await storage.tasks.edit(user_id, Selection.of(adopted.id), adopt, now=NOW, new_id=uuid4)
    assert await storage.housekeeping.purge_tombstones(NOW, MANY) == 0
    assert await storage.housekeeping.purge_trash(NOW, MANY) == 1
    assert await in_trash(storage, user_id) == {again.id}
    assert await storage.housekeeping.purge_tombstones(later(1), MANY) == 2


async def test_stored_results_are_purged_by_age(storage: Storage, user_id: str) -> None:
    async def send(name: str, at: datetime) -> bool:
        key = IdempotencyKey(name, b"request", codec=AsBytes())
        return (
            await storage.tasks.edit(user_id, Selection(), lambda _: b"done", now=at, new_id=uuid4, key=key)
        ).replayed

    await storage.tasks.add(a_task(user_id))
    for name, age in {"a": 30, "b": 10, "c": 20, "d": 40}.items():
        assert not await send(name, later(-age))

    for purged in (2, 1, 0):
        assert await storage.housekeeping.purge_idempotency_keys(later(-10), 2) == purged
    assert await send("b", NOW)
    for name in ("a", "c", "d"):
        assert not await send(name, NOW)


async def raise_all(storage: Storage, limit: int) -> list[str]:
    found: list[str] = []
    while some := await storage.housekeeping.raise_revisions(found[-1] if found else "", limit):
        assert len(some) <= limit
        found += some
    return found


async def test_every_revision_is_raised_once_in_the_order_of_the_ids(
    storage: Storage, new_user_id: Callable[[], str]
) -> None:
    user_ids = [new_user_id() for _ in range(5)]
    for user_id in user_ids:
        await storage.tasks.add(a_task(user_id))

    raised = await raise_all(storage, 2)

    assert raised == sorted(set(raised))
    assert set(user_ids) <= set(raised)
    for user_id in user_ids:
        assert (await storage.accounts.account(user_id, NOW)).revision == START + 2


async def test_whoever_has_seen_an_earlier_revision_loads_everything_again(storage: Storage, user_id: str) -> None:
    tasks = [await storage.tasks.add(a_task(user_id)) for _ in range(3)]
    began = (await storage.tasks.changes(user_id, SyncPoint(), 1)).next
    last = (await storage.tasks.changes(user_id, SyncPoint(), MANY)).next

    for _ in range(2):
        await raise_all(storage, MANY)
        for point in (began, last, SyncPoint(tasks[0].revision)):
            with pytest.raises(ForgottenRevisionError):
                await storage.tasks.changes(user_id, point, MANY)
        page = await storage.tasks.page(user_id, TaskQuery(order=Order.ASC), [last.revision])
        assert {task.id for task in page.tasks} == {task.id for task in tasks}
        afresh = await storage.tasks.changes(user_id, SyncPoint(), MANY)
        assert afresh.tasks == tasks
        assert (await storage.tasks.changes(user_id, afresh.next, MANY)).tasks == []


async def test_the_present_identity_is_recorded_first(storage: Storage) -> None:
    for _ in range(2):
        found = await storage.housekeeping.identity()
        assert found
        assert not found.has_changed


async def test_a_recorded_identity_stays_until_another_is_recorded(storage: Storage) -> None:
    before = await storage.housekeeping.identity()
    assert before
    await storage.housekeeping.record_identity("another storage")
    for _ in range(2):
        assert await storage.housekeeping.identity() == replace(before, recorded="another storage")
    await storage.housekeeping.record_identity(before.present)
    assert await storage.housekeeping.identity() == before


async def test_writers_go_on_while_revisions_are_raised(storage: Storage, user_id: str) -> None:
    added, _ = await asyncio.gather(
        asyncio.gather(*(storage.tasks.add(a_task(user_id)) for _ in range(20))),
        asyncio.gather(*(raise_all(storage, MANY) for _ in range(5))),
    )

    revisions = {task.revision for task in added}
    assert len(revisions) == 20
    assert max(revisions) <= (await storage.accounts.account(user_id, NOW)).revision
    assert {task.id for task in (await storage.tasks.changes(user_id, SyncPoint(), MANY)).tasks} == {
        task.id for task in added
    }
