"""Completing, reopening and skipping occurrences of a series; the same for every storage."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from tests.contract.doing import DAILY, TODAY, a_list, a_series, complete, do, in_order, service_of, trashed
from tests.domain.builders import NOW, START, later
from tests.storages import Storage

from todo_api.domain.changes import SyncPoint
from todo_api.domain.checklist import ChecklistItem
from todo_api.domain.due_date import DueDate
from todo_api.domain.errors import QuotaExceededError
from todo_api.domain.listing import TaskQuery
from todo_api.domain.operations import (
    Change,
    Complete,
    Create,
    Delete,
    Move,
    Operation,
    Purge,
)
from todo_api.domain.positions import position_at
from todo_api.domain.records import End
from todo_api.domain.recurrence import Recurrence
from todo_api.domain.repetition import Repetition
from todo_api.domain.task_changes import Priority, TaskChanges

both_ways = pytest.mark.parametrize("in_batch", [False, True], ids=["alone", "in a batch"])


@both_ways
async def test_the_next_occurrence_comes_at_the_same_revision(
    storage: Storage, user_id: str, *, in_batch: bool
) -> None:
    made = await a_list(storage, user_id)
    steps = [ChecklistItem(id=uuid4(), title="Fill", completed=True)]
    values: dict[str, Any] = {"list_id": made.id, "priority": Priority.HIGH, "tags": ["Home", "b"], "checklist": steps}
    first = await a_series(storage, user_id, description="All of them", **values)

    done = await complete(storage, user_id, first, in_batch=in_batch)

    assert (done.revision, done.completed, done.completed_at, done.recurrence) == (
        START + 3,
        True,
        later(1),
        first.recurrence,
    )
    assert done.next_id
    assert await storage.tasks.get(user_id, first.id) == done
    successor = await storage.tasks.get(user_id, done.next_id)
    assert first.recurrence
    following = first.recurrence.following(TODAY, later(1))
    assert following
    assert successor == replace(
        first,
        id=done.next_id,
        due_date=TODAY + timedelta(1),
        checklist=(replace(steps[0], completed=False),),
        position=position_at(START + 3),
        recurrence=Repetition(DAILY, following[0].occurrence, START + 3),
        previous_id=first.id,
        created_at=later(1),
        updated_at=later(1),
        revision=START + 3,
    )
    assert successor.is_as_spawned()
    assert successor.series_id == first.id
    changes = await storage.tasks.changes(user_id, SyncPoint(START + 2), 10)
    assert {task.id for task in changes.tasks} == {first.id, successor.id}
    assert changes.next == SyncPoint(START + 3)
    account = await storage.accounts.account(user_id, NOW)
    assert (account.pending, account.completed) == (1, 1)


@pytest.mark.parametrize(
    ("due_date", "zone", "wanted"),
    [
        (date(2026, 5, 31), "UTC", date(2026, 6, 30)),
        (datetime(2026, 5, 31, 9, 0, 0, 1), "UTC", datetime(2026, 6, 30, 9, 0, 0, 1)),  # noqa: DTZ001 - floating
        (
            datetime(2026, 5, 31, 9, tzinfo=UTC),
            "Australia/Lord_Howe",
            datetime(2026, 6, 30, 9, tzinfo=UTC),
        ),
    ],
    ids=["day", "floating", "instant"],
)
@both_ways
async def test_a_series_goes_on_over_many_occurrences(
    storage: Storage, user_id: str, due_date: DueDate, zone: str, wanted: DueDate, *, in_batch: bool
) -> None:
    monthly = Recurrence.parse("FREQ=MONTHLY;COUNT=4", time_zone=zone)
    task = await a_series(storage, user_id, monthly, due_date)
    found = []
    while (task := await complete(storage, user_id, task, in_batch=in_batch)).next_id:
        task = await storage.tasks.get(user_id, task.next_id)
        found.append(task.due_date)
    assert found[0] == wanted
    assert type(found[0]) is type(wanted)
    assert len(found) == 3
    assert [task.completed for task in await in_order(storage, user_id)] == [True] * 4


@both_ways
async def test_completing_again_spawns_nothing(storage: Storage, user_id: str, *, in_batch: bool) -> None:
    task = await a_series(storage, user_id)
    first = await complete(storage, user_id, task, in_batch=in_batch)
    assert await complete(storage, user_id, task, in_batch=in_batch) == first
    assert await complete(storage, user_id, task, in_batch=not in_batch) == first
    assert len(await in_order(storage, user_id)) == 2


async def test_completing_at_once_spawns_once(storage: Storage, user_id: str) -> None:
    task = await a_series(storage, user_id)
    await asyncio.gather(*(complete(storage, user_id, task, in_batch=number % 2 > 0) for number in range(8)))
    tasks = await in_order(storage, user_id)
    assert [one.previous_id for one in tasks] == [None, task.id]
    assert tasks[0].next_id == tasks[1].id


@both_ways
async def test_reopening_removes_a_successor_that_nobody_changed(
    storage: Storage, user_id: str, *, in_batch: bool
) -> None:
    task = await a_series(storage, user_id)
    done = await complete(storage, user_id, task, in_batch=in_batch)
    assert done.next_id

    reopened = await complete(storage, user_id, task, in_batch=in_batch, completed=False)

    assert reopened == replace(task, updated_at=later(1), revision=START + 3)
    assert await in_order(storage, user_id) == [reopened]
    assert await trashed(storage, user_id) == set()
    changes = await storage.tasks.changes(user_id, SyncPoint(START + 2), 10)
    assert [(gone.id, gone.revision) for gone in changes.deleted] == [(done.next_id, START + 3)]
    again = await complete(storage, user_id, task, in_batch=in_batch)
    assert again.next_id not in {None, done.next_id}
    account = await storage.accounts.account(user_id, NOW)
    assert (account.pending, account.completed, account.trash) == (1, 1, 0)


@pytest.mark.parametrize("way", ["changed", "moved", "deleted", "purged", "completed"])
@both_ways
async def test_reopening_leaves_a_successor_that_has_changed(
    storage: Storage, user_id: str, way: str, *, in_batch: bool
) -> None:
    task = await a_series(storage, user_id)
    done = await complete(storage, user_id, task, in_batch=in_batch)
    assert done.next_id
    operations: dict[str, list[Operation]] = {
        "changed": [Change(done.next_id, TaskChanges(title="Other"))],
        "moved": [Move(done.next_id, End.START)],
        "deleted": [Delete(done.next_id)],
        "purged": [Delete(done.next_id), Purge(done.next_id)],
        "completed": [Complete(done.next_id, completed=True)],
    }
    await do(storage, user_id, *operations[way])
    before = {one.id for one in await in_order(storage, user_id)}, await trashed(storage, user_id)

    reopened = await complete(storage, user_id, task, in_batch=in_batch, completed=False)
    again = await complete(storage, user_id, task, in_batch=in_batch)

    assert reopened.next_id == again.next_id == done.next_id
    assert ({one.id for one in await in_order(storage, user_id)}, await trashed(storage, user_id)) == before


async def test_one_batch_may_complete_reopen_and_complete(storage: Storage, user_id: str) -> None:
    task = await a_series(storage, user_id)
    for _ in range(2):  # the second time, the successor is a stored one
        toggles = [Complete(task.id), Complete(task.id), Complete(task.id)]
        *_, done = await do(storage, user_id, *toggles, now=later(1))
        assert {one.id for one in await in_order(storage, user_id)} == {task.id, done.next_id}
        assert await trashed(storage, user_id) == set()
        await do(storage, user_id, Complete(task.id), Complete(task.id), now=later(1))
        await do(storage, user_id, Complete(task.id), now=later(1))
    assert (await storage.accounts.account(user_id, NOW)).pending == 1


@both_ways
async def test_an_occurrence_needs_room(storage: Storage, user_id: str, *, in_batch: bool) -> None:
    task = await a_series(storage, user_id)
    completing = (
        do(storage, user_id, Complete(task.id), quota=1)
        if in_batch
        else service_of(storage, quota=1).complete(user_id, task.id, completed=True)
    )
    with pytest.raises(QuotaExceededError):
        await completing
    assert await in_order(storage, user_id) == [task]
    values = TaskChanges(title="Done", due_date=TODAY, recurrence=DAILY, completed=True)
    with pytest.raises(QuotaExceededError):
        await do(storage, user_id, Create(uuid4(), values), quota=2)
    assert (await storage.tasks.page(user_id, TaskQuery())).revision == task.revision


async def test_a_lost_save_spawns_nothing(storage: Storage, user_id: str) -> None:
    task = await a_series(storage, user_id)
    changed = await storage.tasks.save(replace(task, title="Other"))
    done = replace(task, completed=True, completed_at=later(1), updated_at=later(1))
    spawned = done.spawn(uuid4(), now=later(1))
    assert spawned
    assert await storage.tasks.save(*spawned) is None
    assert await storage.tasks.save(*spawned, quota=1) is None
    assert await in_order(storage, user_id) == [changed]
