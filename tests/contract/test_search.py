"""Searches find words by their beginnings; the same for every storage."""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from tests.contract.doing import do
from tests.domain.builders import NOW, a_task
from tests.storages import Storage

from todo_api.domain.checklist import ChecklistItem
from todo_api.domain.filters import TaskFilter
from todo_api.domain.listing import TaskQuery
from todo_api.domain.operations import Change, Create, Retag
from todo_api.domain.selection import Selection
from todo_api.domain.task_changes import TaskChanges
from todo_api.domain.workspace import Workspace


async def search(storage: Storage, user_id: str, q: str) -> set[UUID]:
    page = await storage.tasks.page(user_id, TaskQuery(filter=TaskFilter(q=q)))
    return {task.id for task in page.tasks}


@pytest.mark.parametrize(
    ("q", "is_found"),
    [
        ("crème", True),
        ("CREM", True),
        ("creme\N{COMBINING GRAVE ACCENT}", True),
        ("rème", False),
        ("brulee creme", True),
        ("crème chocolate", False),
        ("shopping", True),
        ("mark strasse", True),
        ("vanilla 2", True),
        ("2 1", True),
        ("12", False),
        ("under score", True),
        ("under_score", True),
        ("underscore", False),
        ("東", True),
        ("京東", True),
        ("北", False),
        ("100%", True),
        ("%", False),
        ("_", False),
        ("\\", False),
        ("' OR 1=1", False),
        ("'", False),
        ("", False),
        (" . ", False),
        ("%ème", False),
        ("cr_me", False),
        ("\U0001f600", False),
        ("٣", True),
        ("a" * 45, True),
    ],
)
async def test_words_are_found_by_their_beginnings(storage: Storage, user_id: str, q: str, *, is_found: bool) -> None:
    task = a_task(
        user_id,
        title="Crème brûlée, 100 % \U0001f600",
        description="Shopping at Markt-Straße 1\n東京 under_score",
        tags=("Vanilla", "a" * 50),
        checklist=(
            ChecklistItem(id=uuid4(), title="2 eggs", completed=True),
            ChecklistItem(id=uuid4(), title="3 spoons", completed=False),
        ),
    )
    added = await storage.tasks.add(task)
    await storage.tasks.add(a_task(user_id, title="Other"))
    assert await search(storage, user_id, q) == ({added.id} if is_found else set())


async def test_a_search_sees_every_way_to_write(storage: Storage, user_id: str) -> None:
    task = await storage.tasks.add(a_task(user_id, title="Added"))
    assert await search(storage, user_id, "added") == {task.id}
    assert await storage.tasks.save(replace(task, title="Saved", tags=("Tag",)))
    assert await search(storage, user_id, "added") == set()
    assert await search(storage, user_id, "saved tag") == {task.id}
    await do(storage, user_id, Change(task.id, TaskChanges(description="Edited")), Retag("tag", "Label"))
    assert await search(storage, user_id, "tag") == set()
    assert await search(storage, user_id, "saved edited label") == {task.id}
    new, adopted = uuid4(), a_task(user_id, title="Adopted")

    def adopt(workspace: Workspace) -> bool:
        return workspace.adopt(adopted)

    await do(storage, user_id, Create(new, TaskChanges(title="Saved too")))
    await storage.tasks.edit(user_id, Selection.of(adopted.id), adopt, now=NOW, new_id=uuid4)
    assert await search(storage, user_id, "sav") == {task.id, new}
    assert await search(storage, user_id, "adopt") == {adopted.id}


async def test_a_task_in_the_trash_is_found_again_when_it_is_restored(storage: Storage, user_id: str) -> None:
    task = await storage.tasks.add(a_task(user_id, title="Apple"))
    await storage.tasks.remove(user_id, task.id, now=NOW)
    assert await search(storage, user_id, "apple") == set()
    await storage.tasks.restore(user_id, task.id)
    assert await search(storage, user_id, "apple") == {task.id}
    assert await storage.housekeeping.index_words(0) == 0


async def test_a_search_sees_only_the_own_account(storage: Storage, user_id: str) -> None:
    await storage.tasks.add(a_task(f"{user_id}-2", title="Secret"))
    await storage.tasks.add(a_task(user_id))
    assert await search(storage, user_id, "secret") == set()
