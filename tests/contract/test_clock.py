"""Revisions where the storage's clock runs: no number is given out twice."""

from dataclasses import replace
from uuid import uuid4

import pytest
from tests.domain.builders import NOW, a_task, later, running_clock
from tests.storages import Storage

from todo_api.domain.changes import SyncPoint, next_revision
from todo_api.domain.errors import ForgottenRevisionError
from todo_api.domain.listing import TaskQuery
from todo_api.domain.selection import Selection
from todo_api.domain.task_changes import TaskChanges
from todo_api.domain.workspace import Workspace

pytestmark = pytest.mark.clock_runs


async def test_each_write_is_at_the_clock_or_later(storage: Storage, user_id: str) -> None:
    task, new = a_task(user_id), uuid4()

    def create(workspace: Workspace) -> bytes:
        workspace.create(new, TaskChanges(title="New"))
        return b""

    async def save() -> None:
        assert await storage.tasks.save(replace(await storage.tasks.get(user_id, task.id), title="Changed"))

    last = 0
    for write in (
        lambda: storage.tasks.add(task),
        lambda: storage.tasks.add(a_task(user_id)),
        save,
        lambda: storage.tasks.remove(user_id, task.id, now=NOW),
        lambda: storage.tasks.restore(user_id, task.id),
        lambda: storage.tasks.edit(user_id, Selection.of(new), create, now=NOW, new_id=uuid4),
    ):
        earliest = next_revision(last, running_clock())
        await write()
        last = (await storage.tasks.page(user_id, TaskQuery())).revision
        assert earliest <= last < 2**53


async def test_an_edit_that_is_the_first_write_is_at_the_clock_or_later(storage: Storage, user_id: str) -> None:
    new, earliest = uuid4(), next_revision(0, running_clock())

    def create(workspace: Workspace) -> bytes:
        workspace.create(new, TaskChanges(title="New"))
        return b""

    await storage.tasks.edit(user_id, Selection.of(new), create, now=NOW, new_id=uuid4)

    assert (await storage.tasks.get(user_id, new)).revision >= earliest


async def test_nothing_from_before_an_erasure_matches_what_comes_later(storage: Storage, user_id: str) -> None:
    tasks = [await storage.tasks.add(a_task(user_id)) for _ in range(5)]
    loading = (await storage.tasks.changes(user_id, SyncPoint(), 2)).next
    loaded = (await storage.tasks.changes(user_id, SyncPoint(), 10)).next
    await storage.accounts.erase(user_id)
    for point in (loading, loaded):
        with pytest.raises(ForgottenRevisionError):
            await storage.tasks.changes(user_id, point, 10)

    again = await storage.tasks.add(a_task(user_id, task_id=tasks[0].id, created_at=later(1)))

    assert again.revision > loaded.revision
    assert (await storage.accounts.account(user_id, NOW)).first_seen_at == later(1)
    for point in (loading, loaded):
        with pytest.raises(ForgottenRevisionError):
            await storage.tasks.changes(user_id, point, 10)
    assert (await storage.tasks.changes(user_id, SyncPoint(), 10)).tasks == [again]
    known = [task.revision for task in tasks]
    assert (await storage.tasks.page(user_id, TaskQuery(), known)).tasks == [again]
    assert not await storage.tasks.remove(user_id, again.id, tasks[0].revision, now=NOW)
