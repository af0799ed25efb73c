"""Edits: several tasks at once, all or nothing, at most once; the same for every repository."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from tests.codecs import AsBytes
from tests.domain.builders import NOW, START, a_task, later

from todo_api.domain.changes import SyncPoint
from todo_api.domain.errors import (
    IdempotencyKeyInUseError,
    IdempotencyKeyReusedError,
    QuotaExceededError,
    TaskNotFoundError,
)
from todo_api.domain.idempotency import KEY_LIFETIME, Edited, IdempotencyKey
from todo_api.domain.listing import TaskQuery
from todo_api.domain.operations import Delete, EmptyTrash, Operation, Restore
from todo_api.domain.ports import TaskRepository
from todo_api.domain.selection import Selection
from todo_api.domain.task import Task
from todo_api.domain.task_changes import TaskChanges
from todo_api.domain.workspace import Workspace


def a_key(name: str = "k", fingerprint: bytes = b"request") -> IdempotencyKey[bytes]:
    return IdempotencyKey(name, fingerprint, codec=AsBytes())


def creating(*ids: UUID) -> Callable[[Workspace], bytes]:
    def decide(workspace: Workspace) -> bytes:
        for task_id in ids:
            workspace.create(task_id, TaskChanges(title="New"))
        return b"created"

    return decide


def doing(operation: Operation) -> Callable[[Workspace], bytes]:
    def decide(workspace: Workspace) -> bytes:
        operation.apply(workspace)
        return b""

    return decide


async def live(repository: TaskRepository, user_id: str) -> dict[UUID, Task]:
    return {task.id: task for task in (await repository.page(user_id, TaskQuery())).tasks}


async def test_an_edit_writes_everything_at_one_revision(repository: TaskRepository, user_id: str) -> None:
    changed, deleted, trashed = [await repository.add(a_task(user_id)) for _ in range(3)]
    await repository.remove(user_id, trashed.id, now=NOW)
    new = uuid4()

    def decide(workspace: Workspace) -> bytes:
        workspace.create(new, TaskChanges(title="New"))
        workspace.change(changed.id, TaskChanges(title="Changed"), {changed.revision})
        workspace.delete(deleted.id)
        workspace.restore(trashed.id)
        return str(workspace.revision).encode()

    ids = [new, changed.id, deleted.id, trashed.id]
    edited = await repository.edit(user_id, Selection.of(*ids), decide, now=later(9), new_id=uuid4)

    assert edited == Edited(str(START + 5).encode(), replayed=False)
    tasks = await live(repository, user_id)
    assert {task.revision for task in tasks.values()} == {START + 5}
    assert {task_id: task.title for task_id, task in tasks.items()} == {
        new: "New",
        changed.id: "Changed",
        trashed.id: "Buy milk",
    }
    assert (tasks[new].created_at, tasks[changed.id].updated_at) == (later(9), later(9))
    assert tasks[trashed.id].updated_at == trashed.updated_at
    (gone,) = (await repository.trash(user_id, 10)).tasks
    assert (gone.id, gone.deleted_at, gone.revision) == (deleted.id, later(9), START + 5)
    changes = await repository.changes(user_id, SyncPoint(START + 4), 10)
    assert {task.id for task in changes.tasks} == {new, changed.id, trashed.id}
    assert [(tombstone.id, tombstone.revision) for tombstone in changes.deleted] == [(deleted.id, START + 5)]
    assert (await repository.changes(user_id, SyncPoint(), 10)).deleted == changes.deleted


async def test_every_field_survives_an_edit(repository: TaskRepository, user_id: str) -> None:
    tasks = [
        a_task(user_id, title="Ünï", description="x\ny", due_date=NOW.date(), completed=True),
        a_task(user_id, due_date=NOW),
        a_task(user_id, due_date=NOW.replace(tzinfo=None), updated_at=later(5)),
        a_task(user_id).discard(now=later(3)),
    ]

    def decide(workspace: Workspace) -> bytes:
        assert [workspace.adopt(task) for task in tasks] == [True] * 4
        assert not workspace.adopt(tasks[0])
        return b""

    await repository.edit(user_id, Selection.of(*[task.id for task in tasks]), decide, now=later(9), new_id=uuid4)

    kept = [*(await live(repository, user_id)).values(), *(await repository.trash(user_id, 9)).tasks]
    stamped = {task.id: task.revision for task in kept}
    assert len(set(stamped.values())) == 1
    unstamped = {task.id: task for task in tasks}
    assert {task.id: repr(replace(task, position="")).replace(str(task.revision), "0") for task in kept} == {
        task_id: repr(task) for task_id, task in unstamped.items()
    }


async def test_an_edit_that_raises_writes_nothing(repository: TaskRepository, user_id: str) -> None:
    task = await repository.add(a_task(user_id))

    def decide(workspace: Workspace) -> bytes:
        workspace.delete(task.id)
        workspace.create(uuid4(), TaskChanges(title="New"))
        workspace.restore(uuid4())
        return b""

    for key in (None, a_key()):
        with pytest.raises(TaskNotFoundError):
            await repository.edit(user_id, Selection.of(task.id), decide, now=NOW, new_id=uuid4, key=key)
    assert await live(repository, user_id) == {task.id: task}
    assert (await repository.page(user_id, TaskQuery())).revision == START + 1
    assert await repository.edit(user_id, Selection(), creating(), now=NOW, new_id=uuid4, key=a_key()) == Edited(
        b"created", replayed=False
    )


async def test_an_edit_that_changes_nothing_leaves_the_revision(repository: TaskRepository, user_id: str) -> None:
    def look(workspace: Workspace) -> bytes:
        return str(workspace.revision).encode()

    assert (await repository.edit(user_id, Selection(), look, now=NOW, new_id=uuid4)).result == b"0"
    assert (await repository.page(user_id, TaskQuery())).revision == 0
    await repository.add(a_task(user_id))
    assert (await repository.edit(user_id, Selection(), look, now=NOW, new_id=uuid4)).result == str(START + 1).encode()
    assert (await repository.page(user_id, TaskQuery())).revision == START + 1


async def test_a_result_is_stored_even_if_its_user_had_written_nothing(
    repository: TaskRepository, user_id: str
) -> None:
    assert not (await repository.edit(user_id, Selection(), creating(), now=NOW, new_id=uuid4, key=a_key())).replayed
    task = await repository.add(a_task(user_id))
    await repository.remove(user_id, task.id, now=NOW)
    again = await repository.edit(user_id, Selection(), doing(EmptyTrash()), now=NOW, new_id=uuid4, key=a_key())
    assert again == Edited(b"created", replayed=True)
    assert [kept.id for kept in (await repository.trash(user_id, 10)).tasks] == [task.id]


async def test_an_edit_can_be_a_users_first_write(repository: TaskRepository, user_id: str) -> None:
    ids = [uuid4(), uuid4()]
    await repository.edit(user_id, Selection.of(*ids), creating(*ids), now=NOW, new_id=uuid4)
    assert {task.id: task.revision for task in (await live(repository, user_id)).values()} == dict.fromkeys(
        ids, START + 1
    )


async def test_an_edit_sees_only_the_users_own_tasks(repository: TaskRepository, user_id: str) -> None:
    task = await repository.add(a_task(user_id))
    stranger = f"{user_id}-2"
    with pytest.raises(TaskNotFoundError):
        await repository.edit(stranger, Selection.of(task.id), doing(Delete(task.id)), now=NOW, new_id=uuid4)
    await repository.edit(stranger, Selection.of(task.id), creating(task.id), now=NOW, new_id=uuid4)
    assert (await repository.get(user_id, task.id)).title == "Buy milk"
    assert (await repository.get(stranger, task.id)).title == "New"


async def test_the_quota_counts_what_is_not_in_the_trash(repository: TaskRepository, user_id: str) -> None:
    first, second = [await repository.add(a_task(user_id), 2) for _ in range(2)]
    with pytest.raises(QuotaExceededError):
        await repository.add(a_task(user_id), 2)
    with pytest.raises(QuotaExceededError):
        await repository.edit(user_id, Selection(), creating(uuid4()), now=NOW, new_id=uuid4, quota=2)
    await repository.remove(user_id, first.id, now=NOW)
    await repository.edit(user_id, Selection(), creating(uuid4()), now=NOW, new_id=uuid4, quota=2)
    with pytest.raises(QuotaExceededError):
        await repository.restore(user_id, first.id, 2)
    with pytest.raises(QuotaExceededError):
        await repository.edit(user_id, Selection.of(first.id), doing(Restore(first.id)), now=NOW, new_id=uuid4, quota=2)
    await repository.edit(user_id, Selection.of(second.id), doing(Delete(second.id)), now=NOW, new_id=uuid4, quota=2)
    assert await repository.restore(user_id, first.id, 2) is not None
    with pytest.raises(QuotaExceededError):
        await repository.add(a_task(user_id), 2)
    assert len(await live(repository, user_id)) == 2


async def test_concurrent_edits_keep_the_quota(repository: TaskRepository, user_id: str) -> None:
    outcomes = await asyncio.gather(*(repository.add(a_task(user_id), 5) for _ in range(20)), return_exceptions=True)
    assert sum(isinstance(outcome, Task) for outcome in outcomes) == 5
    assert sum(isinstance(outcome, QuotaExceededError) for outcome in outcomes) == 15


async def test_a_retry_gets_the_first_result(repository: TaskRepository, user_id: str) -> None:
    first, second = uuid4(), uuid4()
    assert await repository.edit(
        user_id, Selection.of(first), creating(first), now=NOW, new_id=uuid4, key=a_key()
    ) == Edited(b"created", replayed=False)
    again = await repository.edit(
        user_id, Selection.of(second), creating(second), now=later(60), new_id=uuid4, key=a_key()
    )
    assert again == Edited(b"created", replayed=True)
    assert set(await live(repository, user_id)) == {first}


async def test_a_key_belongs_to_one_request_of_one_user(repository: TaskRepository, user_id: str) -> None:
    first, second = uuid4(), uuid4()
    await repository.edit(user_id, Selection.of(first), creating(first), now=NOW, new_id=uuid4, key=a_key())
    with pytest.raises(IdempotencyKeyReusedError):
        await repository.edit(
            user_id, Selection.of(second), creating(second), now=NOW, new_id=uuid4, key=a_key(fingerprint=b"other")
        )
    assert set(await live(repository, user_id)) == {first}
    for user, key in ((user_id, a_key("K")), (f"{user_id}-2", a_key())):
        assert not (
            await repository.edit(user, Selection.of(second), creating(second), now=NOW, new_id=uuid4, key=key)
        ).replayed


async def test_stored_results_expire(repository: TaskRepository, user_id: str) -> None:
    ids = [uuid4() for _ in range(4)]
    day = KEY_LIFETIME / timedelta(seconds=1)

    async def attempt(number: int, seconds: float, fingerprint: bytes = b"request") -> bool:
        key = a_key(fingerprint=fingerprint)
        edited = await repository.edit(
            user_id, Selection.of(ids[number]), creating(ids[number]), now=later(seconds), new_id=uuid4, key=key
        )
        return edited.replayed

    assert not await attempt(0, 0)
    assert await attempt(1, day)
    assert not await attempt(2, day + 1, b"other")
    assert await attempt(3, 2 * day, b"other")
    assert set(await live(repository, user_id)) == {ids[0], ids[2]}


async def test_concurrent_retries_run_once(repository: TaskRepository, user_id: str) -> None:
    async def send(task_id: UUID) -> Edited[bytes] | None:
        try:
            return await repository.edit(
                user_id, Selection.of(task_id), creating(task_id), now=NOW, new_id=uuid4, key=a_key()
            )
        except IdempotencyKeyInUseError:
            return None

    outcomes = await asyncio.gather(*(send(uuid4()) for _ in range(50)))
    assert sum(edited is not None and not edited.replayed for edited in outcomes) == 1
    assert await send(uuid4()) == Edited(b"created", replayed=True)
    assert len(await live(repository, user_id)) == 1


async def test_edits_at_once_lose_nothing(repository: TaskRepository, user_id: str) -> None:
    task = await repository.add(a_task(user_id, title="0"))

    def count(workspace: Workspace) -> bytes:
        title = workspace.change(task.id, TaskChanges()).title
        workspace.change(task.id, TaskChanges(title=str(int(title) + 1)))
        return b""

    await asyncio.gather(
        *(repository.edit(user_id, Selection.of(task.id), count, now=NOW, new_id=uuid4) for _ in range(30))
    )
    assert (await repository.get(user_id, task.id)).title == "30"
    assert (await repository.get(user_id, task.id)).revision == START + 31


async def test_what_is_purged_is_not_restored_at_the_same_moment(repository: TaskRepository, user_id: str) -> None:
    async def restored(task_id: UUID) -> bool:
        try:
            await repository.edit(user_id, Selection.of(task_id), doing(Restore(task_id)), now=NOW, new_id=uuid4)
        except TaskNotFoundError:
            return False
        return True

    for purge_all in (False, True) * 20:
        task = await repository.add(a_task(user_id))
        await repository.remove(user_id, task.id, now=NOW)
        purge = repository.purge(user_id, None if purge_all else task.id)
        is_back, purged = await asyncio.gather(restored(task.id), purge)
        assert (is_back, task.id in await live(repository, user_id)) == (not purged, not purged)
