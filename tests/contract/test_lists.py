"""Lists: what is stored, their order, and the tasks in them; the same for every storage."""

from collections.abc import Callable
from dataclasses import fields, replace
from uuid import uuid4

import pytest
from tests.contract.doing import a_list, do, in_order
from tests.domain.builders import NOW, START, a_task, later
from tests.storages import Storage

from todo_api.domain.changes import ListTombstone, SyncPoint
from todo_api.domain.errors import (
    InvalidFieldError,
    InvalidValueError,
    ListExistsError,
    ListInTrashError,
    ListNotFoundError,
    NeighbourNotFoundError,
    QuotaExceededError,
    RevisionMismatchError,
)
from todo_api.domain.listing import TaskQuery
from todo_api.domain.operations import Change, ChangeList, Create, CreateList, DeleteList, MoveList
from todo_api.domain.positions import position_at
from todo_api.domain.records import After, Before, End
from todo_api.domain.task_changes import TaskChanges
from todo_api.domain.task_list import MAX_LISTS, ListChanges, TaskList


async def test_every_field_of_a_list_comes_back(storage: Storage, user_id: str) -> None:
    list_id, name = uuid4(), "Käse & 'Brot' \"für\" 100 % \\ \U0001f9c0 " + "\U00020000" * 60
    (made,) = await do(storage, user_id, CreateList(list_id, ListChanges(name=name, color="#1e90FF")))

    assert made == TaskList(
        id=list_id,
        user_id=user_id,
        name=name,
        color="#1e90FF",
        position=position_at(START + 1),
        created_at=NOW,
        updated_at=NOW,
        revision=START + 1,
    )
    kept = await storage.lists.get_list(user_id, list_id)
    assert kept == made
    for field in fields(TaskList):
        assert isinstance(getattr(kept, field.name), type(getattr(made, field.name))), field.name
    assert await storage.lists.lists(user_id) == ([made], START + 1)
    assert (await storage.tasks.changes(user_id, SyncPoint(), 10)).lists == [made]
    assert await storage.accounts.export_lists(user_id, 1000) == [made]


async def test_a_user_without_an_account_has_no_lists(storage: Storage, user_id: str) -> None:
    assert await storage.lists.lists(user_id) == ([], 0)
    assert await storage.lists.trashed_lists(user_id, 1000) == []
    assert await storage.accounts.export_lists(user_id, 1000) == []
    with pytest.raises(ListNotFoundError):
        await storage.lists.get_list(user_id, uuid4())
    task = await storage.tasks.add(a_task(user_id))
    assert await storage.lists.lists(user_id) == ([], task.revision)


async def test_name_and_color_are_changed_at_a_new_revision(storage: Storage, user_id: str) -> None:
    made = await a_list(storage, user_id)
    (changed,) = await do(storage, user_id, ChangeList(made.id, ListChanges(color="#000000")), now=later(5))
    assert changed == replace(made, color="#000000", updated_at=later(5), revision=START + 2)
    (renamed,) = await do(
        storage, user_id, ChangeList(made.id, ListChanges(name=" New ", color=None), {START + 2}), now=later(1)
    )
    assert renamed == replace(made, name="New", color=None, updated_at=later(5), revision=START + 3)
    assert await storage.lists.get_list(user_id, made.id) == renamed
    assert await do(storage, user_id, ChangeList(made.id, ListChanges(name="New")), now=later(9)) == [renamed]
    assert await storage.lists.lists(user_id) == ([renamed], START + 3)
    with pytest.raises(RevisionMismatchError):
        await do(storage, user_id, ChangeList(made.id, ListChanges(name="Other"), {START + 1}))


async def test_another_users_list_does_not_exist(storage: Storage, new_user_id: Callable[[], str]) -> None:
    ada, bob = new_user_id(), new_user_id()
    made = await a_list(storage, ada)
    task = await storage.tasks.add(a_task(bob))

    with pytest.raises(ListNotFoundError):
        await storage.lists.get_list(bob, made.id)
    for operation in (
        ChangeList(made.id, ListChanges(name="Mine")),
        DeleteList(made.id),
        MoveList(made.id, End.START),
    ):
        with pytest.raises(ListNotFoundError):
            await do(storage, bob, operation)
    with pytest.raises(InvalidFieldError):
        await storage.tasks.add(a_task(bob, list_id=made.id))
    with pytest.raises(InvalidFieldError):
        await storage.tasks.save(replace(task, list_id=made.id))
    with pytest.raises(InvalidFieldError):
        await do(storage, bob, Change(task.id, TaskChanges(list_id=made.id)))
    with pytest.raises(InvalidFieldError):
        await do(storage, bob, Create(uuid4(), TaskChanges(title="New", list_id=made.id)))
    assert await storage.lists.lists(bob) == ([], task.revision)

    own = await a_list(storage, bob, list_id=made.id)  # the id is free for others
    assert own.user_id == bob
    assert await storage.lists.get_list(ada, made.id) == made


async def test_a_first_task_cannot_be_in_a_list(storage: Storage, user_id: str) -> None:
    with pytest.raises(InvalidFieldError):
        await storage.tasks.add(a_task(user_id, list_id=uuid4()))
    assert (await storage.tasks.page(user_id, TaskQuery())).revision == 0


async def test_a_task_is_added_to_a_list_and_moved_to_others(storage: Storage, user_id: str) -> None:
    first, second = await a_list(storage, user_id), await a_list(storage, user_id)
    added = await storage.tasks.add(a_task(user_id, list_id=first.id))
    assert (added.list_id, added.revision) == (first.id, START + 3)
    assert await storage.tasks.get(user_id, added.id) == added
    for list_id in (second.id, None, first.id):
        task = await storage.tasks.get(user_id, added.id)
        saved = await storage.tasks.save(replace(task, list_id=list_id))
        assert saved == await storage.tasks.get(user_id, added.id)
        assert saved == replace(task, list_id=list_id, revision=task.revision + 1)
    task = await storage.tasks.get(user_id, added.id)
    with pytest.raises(InvalidFieldError):
        await storage.tasks.save(replace(task, list_id=uuid4()))
    assert await storage.tasks.get(user_id, added.id) == task


async def test_the_quota_counts_tasks_in_lists(storage: Storage, user_id: str) -> None:
    made = await a_list(storage, user_id)
    await storage.tasks.add(a_task(user_id, list_id=made.id), 1)
    for list_id in (made.id, None):
        with pytest.raises(QuotaExceededError):
            await storage.tasks.add(a_task(user_id, list_id=list_id), 1)
    with pytest.raises(InvalidFieldError):
        await storage.tasks.add(a_task(user_id, list_id=uuid4()), 1)


async def test_lists_are_moved_in_their_own_order(storage: Storage, user_id: str) -> None:
    a, b, c = [(await a_list(storage, user_id, name)).id for name in "abc"]
    task = await storage.tasks.add(a_task(user_id))

    async def order() -> list[object]:
        return [item.id for item in (await storage.lists.lists(user_id))[0]]

    assert await order() == [a, b, c]
    (moved,) = await do(storage, user_id, MoveList(c, Before(a)), now=later(9))
    assert (moved.revision, moved.updated_at) == (START + 5, NOW)
    assert await order() == [c, a, b]
    await do(storage, user_id, MoveList(c, After(a)), MoveList(b, End.START))
    assert await order() == [b, a, c]
    await do(storage, user_id, MoveList(b, End.END))
    assert await order() == [a, c, b]
    for neighbour in (task.id, uuid4()):
        with pytest.raises(NeighbourNotFoundError):
            await do(storage, user_id, MoveList(a, Before(neighbour)))
    with pytest.raises(InvalidFieldError):
        await do(storage, user_id, MoveList(a, After(a)))
    await do(storage, user_id, DeleteList(c))
    with pytest.raises(NeighbourNotFoundError):
        await do(storage, user_id, MoveList(b, After(c)))
    assert [task.id for task in await in_order(storage, user_id)] == [task.id]


async def test_there_are_up_to_five_hundred_lists(storage: Storage, user_id: str) -> None:
    new = [CreateList(uuid4(), ListChanges(name="One of many")) for _ in range(MAX_LISTS)]
    for start in range(0, MAX_LISTS, 100):
        await do(storage, user_id, *new[start : start + 100])
    more = CreateList(uuid4(), ListChanges(name="One too many"))
    with pytest.raises(QuotaExceededError):
        await do(storage, user_id, more)
    await do(storage, user_id, DeleteList(new[0].list_id), more)
    assert [item.id for item in (await storage.lists.lists(user_id))[0]] == [one.list_id for one in [*new[1:], more]]


async def test_an_id_is_taken_also_by_a_list_in_the_trash(storage: Storage, user_id: str) -> None:
    made = await a_list(storage, user_id)
    with pytest.raises(ListExistsError):
        await a_list(storage, user_id, list_id=made.id)
    await do(storage, user_id, DeleteList(made.id))
    with pytest.raises(ListInTrashError):
        await a_list(storage, user_id, list_id=made.id)
    with pytest.raises(InvalidValueError):
        await do(storage, user_id, CreateList(uuid4(), ListChanges(color="#000000")))


async def test_changes_carry_lists_and_their_tombstones(storage: Storage, user_id: str) -> None:
    kept, gone = await a_list(storage, user_id), await a_list(storage, user_id)
    await do(storage, user_id, DeleteList(gone.id))

    for since, lists in ((0, [kept]), (START + 1, []), (START + 2, [])):
        changes = await storage.tasks.changes(user_id, SyncPoint(since), 10)
        assert (changes.tasks, changes.deleted, changes.lists) == ([], [], lists)
        assert changes.deleted_lists == [ListTombstone(gone.id, START + 3)]
    assert not (await storage.tasks.changes(user_id, SyncPoint(START + 3), 10)).deleted_lists


async def test_erasing_an_account_erases_its_lists(storage: Storage, user_id: str) -> None:
    kept, gone = await a_list(storage, user_id), await a_list(storage, user_id)
    await do(storage, user_id, DeleteList(gone.id))
    await storage.accounts.erase(user_id)
    assert await storage.lists.lists(user_id) == ([], 0)
    assert await storage.accounts.export_lists(user_id, 1000) == []
    again = await a_list(storage, user_id, list_id=kept.id)
    assert (await storage.tasks.changes(user_id, SyncPoint(), 10)).lists == [again]
