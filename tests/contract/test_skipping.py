"""Skipping, deleting and importing occurrences, and changing their recurrence; the same for every storage."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from tests.contract.doing import TODAY, a_series, complete, do, in_order, service_of, trashed
from tests.domain.builders import NOW, START, later
from tests.storages import Storage

from todo_api.domain.changes import SyncPoint
from todo_api.domain.errors import NotRecurringError, OccurrenceExistsError, TaskNotFoundError
from todo_api.domain.operations import (
    Complete,
    Create,
    Delete,
    Restore,
    Skip,
)
from todo_api.domain.recurrence import CountedFrom, Recurrence
from todo_api.domain.selection import Selection
from todo_api.domain.task_changes import TaskChanges
from todo_api.domain.workspace import Workspace

both_ways = pytest.mark.parametrize("in_batch", [False, True], ids=["alone", "in a batch"])


async def test_skipping_puts_the_date_in_the_trash_and_answers_with_the_next(storage: Storage, user_id: str) -> None:
    task = await a_series(storage, user_id)
    (successor,) = await do(storage, user_id, Skip(task.id), now=later(1))
    assert (successor.revision, successor.previous_id, successor.due_date) == (
        START + 2,
        task.id,
        TODAY + timedelta(1),
    )
    assert await in_order(storage, user_id) == [successor]
    (gone,) = (await storage.tasks.trash(user_id, 10)).tasks
    assert gone == replace(task, next_id=successor.id, revision=START + 2).discard(now=later(1))
    changes = await storage.tasks.changes(user_id, SyncPoint(START + 1), 10)
    assert ([one.id for one in changes.tasks], [one.id for one in changes.deleted]) == ([successor.id], [task.id])
    with pytest.raises(TaskNotFoundError):
        await do(storage, user_id, Skip(task.id))
    await storage.tasks.restore(user_id, task.id)
    done = await complete(storage, user_id, task, in_batch=False)
    assert done.next_id == successor.id
    assert len(await in_order(storage, user_id)) == 2
    await do(storage, user_id, Skip(successor.id), quota=2)  # one goes, one comes


async def test_what_is_no_open_occurrence_cannot_be_skipped(storage: Storage, user_id: str) -> None:
    (plain,) = await do(storage, user_id, Create(uuid4(), TaskChanges(title="Once")))
    last = await a_series(storage, user_id, Recurrence.parse("FREQ=DAILY;COUNT=2"))
    done = await complete(storage, user_id, last, in_batch=False)
    assert done.next_id
    for task_id in (plain.id, done.id, done.next_id):
        with pytest.raises(NotRecurringError):
            await do(storage, user_id, Skip(task_id))
    assert await trashed(storage, user_id) == set()


async def test_a_deleted_occurrence_spawns_nothing_and_goes_on_when_it_is_restored(
    storage: Storage, user_id: str
) -> None:
    task = await a_series(storage, user_id)
    await storage.tasks.remove(user_id, task.id, now=later(1))
    assert await in_order(storage, user_id) == []
    assert await storage.tasks.restore(user_id, task.id)
    done, *_ = await do(storage, user_id, Complete(task.id), Delete(task.id), Restore(task.id), now=later(1))
    assert {one.id for one in await in_order(storage, user_id)} == {task.id, done.next_id}


async def test_a_changed_recurrence_holds_from_the_next_occurrence_on(storage: Storage, user_id: str) -> None:
    task = await a_series(storage, user_id)
    service = service_of(storage)
    weekly = Recurrence.parse("FREQ=WEEKLY", CountedFrom.COMPLETION, "Pacific/Kiritimati")
    await service.change(user_id, task.id, TaskChanges(recurrence=weekly, due_date=TODAY + timedelta(2)))
    done = await service.complete(user_id, task.id, completed=True)
    assert done.next_id
    successor = await storage.tasks.get(user_id, done.next_id)
    assert successor.due_date == TODAY + timedelta(8)  # completed on the next day, there
    assert successor.recurrence
    assert (successor.recurrence.recurrence, successor.recurrence.occurrence.sequence) == (weekly, 2)
    ended = await service.change(user_id, successor.id, TaskChanges(recurrence=None, due_date=None))
    assert (ended.recurrence, ended.due_date, ended.series_id) == (None, None, task.id)
    assert (await service.complete(user_id, successor.id, completed=True)).next_id is None


@both_ways
async def test_an_occurrence_that_was_removed_may_be_imported_and_comes_once(
    storage: Storage, user_id: str, *, in_batch: bool
) -> None:
    """From an older export: before the series goes on, or after another task is this occurrence."""
    task = await a_series(storage, user_id)
    done = await complete(storage, user_id, task, in_batch=False)
    assert done.next_id
    old = await storage.tasks.get(user_id, done.next_id)
    await complete(storage, user_id, task, in_batch=False, completed=False)

    def adopt(workspace: Workspace) -> bool:
        return workspace.adopt(old)

    async def import_old() -> bool:
        edited = await storage.tasks.edit(user_id, Selection.of(old.id), adopt, now=NOW, new_id=uuid4)
        return edited.result

    assert await import_old()
    again = await complete(storage, user_id, task, in_batch=in_batch)
    assert again.next_id == old.id
    assert {one.id for one in await in_order(storage, user_id)} == {task.id, old.id}


async def test_an_occurrence_that_exists_is_imported_as_a_series_of_its_own(storage: Storage, user_id: str) -> None:
    task = await a_series(storage, user_id)
    done = await complete(storage, user_id, task, in_batch=False)
    assert done.next_id
    old = await storage.tasks.get(user_id, done.next_id)
    copy = replace(old, id=uuid4())
    selection = Selection(tasks=frozenset({copy.id}), occurrences=frozenset({(task.id, 2)}))
    await storage.tasks.edit(user_id, selection, lambda workspace: workspace.adopt(copy), now=NOW, new_id=uuid4)

    adopted = await storage.tasks.get(user_id, copy.id)
    assert (adopted.series_id, adopted.due_date, adopted.previous_id) == (copy.id, old.due_date, None)
    assert (await complete(storage, user_id, adopted, in_batch=True)).next_id
    assert await storage.tasks.get(user_id, old.id) == old


async def test_an_occurrence_is_not_restored_beside_another(storage: Storage, user_id: str) -> None:
    task = await a_series(storage, user_id)
    done = await complete(storage, user_id, task, in_batch=False)
    assert done.next_id
    old = await storage.tasks.get(user_id, done.next_id)
    await storage.tasks.remove(user_id, old.id, now=NOW)
    copy = replace(old, id=uuid4())
    await storage.tasks.edit(
        user_id, Selection.of(copy.id), lambda workspace: workspace.adopt(copy), now=NOW, new_id=uuid4
    )

    with pytest.raises(OccurrenceExistsError):
        await storage.tasks.restore(user_id, old.id)
    await do(storage, user_id, Restore(old.id))
    assert (await storage.tasks.get(user_id, old.id)).series_id == old.id
    assert (await storage.tasks.get(user_id, copy.id)).series_id == task.id
