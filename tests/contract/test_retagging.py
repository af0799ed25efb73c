"""Renaming and removing a tag on all tasks; the same for every storage."""

from dataclasses import replace

import pytest
from tests.contract.doing import do, in_order
from tests.domain.builders import NOW, START, a_task, later
from tests.storages import Storage

from todo_api.domain.changes import SyncPoint
from todo_api.domain.errors import InvalidValueError, TagNotFoundError
from todo_api.domain.operations import Delete, Retag


async def tags_of(storage: Storage, user_id: str) -> list[tuple[str, ...]]:
    return [task.tags for task in await in_order(storage, user_id)]


async def some(storage: Storage, user_id: str, *tags: tuple[str, ...]) -> None:
    for given in tags:
        await storage.tasks.add(a_task(user_id, tags=given))


async def test_all_tasks_of_a_tag_change_at_one_revision(storage: Storage, user_id: str) -> None:
    await some(storage, user_id, ("Home", "b"), ("b",), ("a", "HOME"))
    before = await in_order(storage, user_id)

    await do(storage, user_id, Retag("home", "House"), now=later(9))

    assert await in_order(storage, user_id) == [
        replace(before[0], tags=("House", "b"), updated_at=later(9), revision=START + 4),
        before[1],
        replace(before[2], tags=("a", "House"), updated_at=later(9), revision=START + 4),
    ]
    changes = await storage.tasks.changes(user_id, SyncPoint(START + 3), 10)
    assert {task.id for task in changes.tasks} == {before[0].id, before[2].id}
    assert [tag.key for tag in await storage.accounts.tags(user_id)] == ["a", "b", "house"]


async def test_only_the_spelling_may_change(storage: Storage, user_id: str) -> None:
    await some(storage, user_id, ("home",), ("Home",))
    await do(storage, user_id, Retag("home", "Home"))
    assert await tags_of(storage, user_id) == [("Home",), ("Home",)]
    assert [task.revision for task in await in_order(storage, user_id)] == [START + 3, START + 2]
    await do(storage, user_id, Retag("home", "Home"))  # which changes nothing
    assert (await storage.accounts.account(user_id, NOW)).revision == START + 3


async def test_a_tag_may_be_merged_with_another(storage: Storage, user_id: str) -> None:
    await some(storage, user_id, ("a", "b"), ("b", "A"), ("b",))
    await do(storage, user_id, Retag("b", "a"))
    assert await tags_of(storage, user_id) == [("a",), ("a",), ("a",)]


async def test_a_tag_is_removed_from_all_tasks(storage: Storage, user_id: str) -> None:
    await some(storage, user_id, ("a", "Straße", "b"), ("STRASSE",))
    await do(storage, user_id, Retag("strasse", None))
    assert await tags_of(storage, user_id) == [("a", "b"), ()]
    with pytest.raises(TagNotFoundError):
        await do(storage, user_id, Retag("strasse", None))


async def test_a_tag_with_marks_of_queries_is_a_tag(storage: Storage, user_id: str) -> None:
    odd = ('"', "\\", "{}", "[0]", "%", "_", "$1", ":name", "'", "null", "a,b", "?", "\U0001f600")
    await some(storage, user_id, odd)
    for tag in odd:
        await do(storage, user_id, Retag(tag, f"{tag}!"))
    assert await tags_of(storage, user_id) == [tuple(f"{tag}!" for tag in odd)]


async def test_a_name_that_no_tag_may_have_changes_nothing(storage: Storage, user_id: str) -> None:
    await some(storage, user_id, ("a",))
    for name in (" ", "a" * 51):
        with pytest.raises(InvalidValueError):
            await do(storage, user_id, Retag("a", name))
    assert await tags_of(storage, user_id) == [("a",)]


async def test_tags_in_the_trash_and_of_others_stay(storage: Storage, user_id: str) -> None:
    stranger = f"{user_id}-2"
    await some(storage, user_id, ("a",), ("a",))
    await some(storage, stranger, ("a",))
    gone, kept = await in_order(storage, user_id)
    await do(storage, user_id, Delete(gone.id))
    await do(storage, user_id, Retag("a", "b"))
    assert [task.tags for task in (await storage.tasks.trash(user_id, 9)).tasks] == [("a",)]
    assert await tags_of(storage, user_id) == [("b",)]
    assert await tags_of(storage, stranger) == [("a",)]
    await do(storage, user_id, Delete(kept.id))
    with pytest.raises(TagNotFoundError):
        await do(storage, user_id, Retag("a", "b"))
    with pytest.raises(TagNotFoundError):
        await do(storage, f"{user_id}-3", Retag("a", "b"))


async def test_a_thousand_tasks_are_written_at_one_revision(storage: Storage, user_id: str) -> None:
    await storage.tasks.add(a_task(user_id))
    many = [a_task(user_id, tags=("a", f"t{number}")) for number in range(1100)]
    await storage.tasks.edit(
        user_id,
        Retag("", "").selection,
        lambda workspace: [workspace.adopt(task) for task in many],
        now=NOW,
        new_id=lambda: many[0].id,
    )
    assert len(await storage.accounts.tags(user_id)) == 1101
    await do(storage, user_id, Retag("a", "b"))
    changes = await storage.tasks.changes(user_id, SyncPoint(START + 2), 2000)
    assert {(task.revision, task.tags[0]) for task in changes.tasks} == {(START + 3, "b")}
    assert len(changes.tasks) == 1100
