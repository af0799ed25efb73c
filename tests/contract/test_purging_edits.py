"""Edits of what is in the trash; the same for every repository."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from tests.contract.test_edits import a_key, doing, live
from tests.domain.builders import NOW, a_task, later

from todo_api.domain.changes import SyncPoint
from todo_api.domain.errors import RevisionMismatchError, TaskNotFoundError
from todo_api.domain.operations import EmptyTrash, Purge, Restore
from todo_api.domain.ports import TaskRepository
from todo_api.domain.selection import Selection
from todo_api.domain.task import Task
from todo_api.domain.task_changes import TaskChanges
from todo_api.domain.workspace import Workspace


async def trashed(repository: TaskRepository, user_id: str) -> list[Task]:
    """Return three tasks in the trash, the last deleted first."""
    for _ in range(3):
        task = await repository.add(a_task(user_id))
        await repository.remove(user_id, task.id, now=NOW)
    return list((await repository.trash(user_id, 10)).tasks)


async def test_an_edit_purges_what_is_in_the_trash_once(repository: TaskRepository, user_id: str) -> None:
    first, *others = await trashed(repository, user_id)
    kept = await repository.add(a_task(user_id))
    purge = doing(Purge(first.id, {first.revision}))
    before = await repository.changes(user_id, SyncPoint(), 10)
    for replayed in (False, True):
        edited = await repository.edit(user_id, Selection.of(first.id), purge, now=NOW, new_id=uuid4, key=a_key())
        assert edited.replayed is replayed
    assert (await repository.trash(user_id, 10)).tasks == others
    assert await repository.changes(user_id, SyncPoint(), 10) == before
    for task_id in (first.id, kept.id, uuid4()):
        with pytest.raises(TaskNotFoundError):
            await repository.edit(user_id, Selection.of(task_id), doing(Purge(task_id)), now=NOW, new_id=uuid4)


async def test_an_edit_empties_the_trash_of_its_user_only(
    repository: TaskRepository, user_id: str, new_user_id: Callable[[], str]
) -> None:
    neighbour = new_user_id()
    theirs = await trashed(repository, neighbour)
    await trashed(repository, user_id)
    kept = await repository.add(a_task(user_id))
    await repository.edit(user_id, Selection(), doing(EmptyTrash()), now=NOW, new_id=uuid4)
    assert (await repository.trash(user_id, 10)).tasks == []
    assert (await repository.trash(neighbour, 10)).tasks == theirs
    assert await live(repository, user_id) == {kept.id: kept}


@pytest.mark.parametrize("operation", [Purge, Restore])
async def test_the_trash_has_preconditions_too(
    repository: TaskRepository, user_id: str, operation: type[Purge | Restore]
) -> None:
    task = (await trashed(repository, user_id))[0]
    with pytest.raises(RevisionMismatchError) as mismatch:
        await repository.edit(
            user_id, Selection.of(task.id), doing(operation(task.id, {task.revision - 1})), now=NOW, new_id=uuid4
        )
    assert mismatch.value.current == task.revision
    assert task in (await repository.trash(user_id, 10)).tasks


async def test_a_purged_id_can_be_used_in_the_same_edit(repository: TaskRepository, user_id: str) -> None:
    task = (await trashed(repository, user_id))[0]

    def decide(workspace: Workspace) -> bytes:
        workspace.purge(task.id)
        workspace.create(task.id, TaskChanges(title="New"))
        return b""

    await repository.edit(user_id, Selection.of(task.id), decide, now=later(9), new_id=uuid4)
    new = await repository.get(user_id, task.id)
    assert (new.title, new.created_at) == ("New", later(9))
    assert task.id not in {other.id for other in (await repository.trash(user_id, 10)).tasks}
