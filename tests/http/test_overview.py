"""Counts, and tags: how many there are, other names for them, and their end."""

from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from httpx2 import AsyncClient
from tests.domain.builders import NOW

from todo_api.domain.operations import CreateList
from todo_api.domain.ports import TaskRepository
from todo_api.domain.selection import Selection
from todo_api.domain.task_list import ListChanges

NONE = dict.fromkeys(("all", "pending", "completed", "overdue", "today", "upcoming", "without_date", "trash"), 0)
INBOX = {"list_id": None, "all": 0, "pending": 0}


async def create(client: AsyncClient, **values: Any) -> dict[str, Any]:
    response = await client.post("/api/tasks", json={"title": "x", **values})
    assert response.status_code == 201
    task: dict[str, Any] = response.json()
    return task


async def tags_of(client: AsyncClient, task: dict[str, Any]) -> list[str]:
    tags: list[str] = (await client.get(f"/api/tasks/{task['id']}")).json()["tags"]
    return tags


async def test_a_user_without_tasks_has_counts_and_no_tags(client: AsyncClient) -> None:
    assert (await client.get("/api/tasks/counts")).json() == NONE | {"lists": [INBOX], "tags": []}
    assert (await client.get("/api/tags")).json() == []


async def test_tasks_are_counted_by_view_list_and_tag(
    client: AsyncClient, repository: TaskRepository, user_id: str
) -> None:
    first, second = sorted([uuid4(), uuid4()], key=str)
    for list_id in (second, first):
        operation = CreateList(list_id, ListChanges(name="x"))
        await repository.edit(user_id, Selection.union([operation.selection]), operation.apply, now=NOW, new_id=uuid4)
    await create(client, due_date="2020-01-01", tags=["shop", "Home"])
    await create(client, due_date="2090-01-01", tags=["home"], list_id=str(second))
    await create(client, due_date="2090-01-01", tags=["home"], list_id=str(second), completed=True)
    await create(client, list_id=str(first))
    deleted = await create(client, tags=["old"])
    await client.delete(f"/api/tasks/{deleted['id']}")
    tags = [{"name": "Home", "all": 3, "pending": 2}, {"name": "shop", "all": 1, "pending": 1}]
    numbers = NONE | {
        "all": 4,
        "pending": 3,
        "completed": 1,
        "overdue": 1,
        "upcoming": 1,
        "without_date": 1,
        "trash": 1,
    }
    assert (await client.get("/api/tasks/counts", params={"time_zone": "Asia/Tokyo"})).json() == {
        **numbers,
        "lists": [
            {"list_id": None, "all": 1, "pending": 1},
            {"list_id": str(first), "all": 1, "pending": 1},
            {"list_id": str(second), "all": 2, "pending": 1},
        ],
        "tags": tags,
    }
    assert (await client.get("/api/tags")).json() == tags


@pytest.mark.parametrize("query", ["time_zone=", "time_zone=Mars", "time_zone=UTC&time_zone=UTC", "zone=UTC"])
async def test_the_time_zone_of_counts_is_the_name_of_one(client: AsyncClient, query: str) -> None:
    response = await client.get(f"/api/tasks/counts?{query}")
    assert (response.status_code, response.json()["code"]) == (400, "invalid-request")
    assert [error["field"] for error in response.json()["errors"]] == [query.partition("=")[0]]


NAMES = ["home", "two words", "a/b", "/", "a//b", "🌱", "50%", "a?b#c&d=e+f", "..a", "é", "a\nb"]


@pytest.mark.parametrize("name", NAMES)
async def test_a_tag_is_renamed_on_all_tasks_at_one_revision(client: AsyncClient, name: str) -> None:
    tasks = [await create(client, tags=["first", name.upper(), "last"]) for _ in range(2)]
    other = await create(client, tags=["other"])
    response = await client.patch(f"/api/tags/{quote(name, safe='')}", json={"name": " New "})
    assert (response.status_code, response.content) == (204, b"")
    assert [await tags_of(client, task) for task in tasks] == [["first", "New", "last"]] * 2
    revisions = {(await client.get(f"/api/tasks/{task['id']}")).json()["revision"] for task in tasks}
    assert revisions == {other["revision"] + 1}
    assert await tags_of(client, other) == ["other"]


@pytest.mark.parametrize("name", NAMES)
async def test_a_tag_is_removed_from_all_tasks(client: AsyncClient, name: str) -> None:
    tasks = [await create(client, tags=["first", name]) for _ in range(2)]
    response = await client.delete(f"/api/tags/{quote(name.upper(), safe='')}")
    assert (response.status_code, response.content) == (204, b"")
    assert [await tags_of(client, task) for task in tasks] == [["first"]] * 2
    assert [tag["name"] for tag in (await client.get("/api/tags")).json()] == ["first"]


async def test_a_tag_that_gets_the_name_of_another_becomes_one_with_it(client: AsyncClient) -> None:
    both, one = await create(client, tags=["Work", "x", "job"]), await create(client, tags=["job"])
    assert (await client.patch("/api/tags/JOB", json={"name": "work"})).status_code == 204
    assert [await tags_of(client, task) for task in (both, one)] == [["Work", "x"], ["work"]]


async def test_a_tag_can_change_its_case(client: AsyncClient) -> None:
    task = await create(client, tags=["home"])
    assert (await client.patch("/api/tags/home", json={"name": "Home"})).status_code == 204
    assert await tags_of(client, task) == ["Home"]


async def test_a_tag_that_no_task_outside_the_trash_has_is_not_found(client: AsyncClient) -> None:
    deleted = await create(client, tags=["home"])
    await client.delete(f"/api/tasks/{deleted['id']}")
    for response in (
        await client.patch("/api/tags/home", json={"name": "x"}),
        await client.delete("/api/tags/home"),
        await client.delete("/api/tags/a%2Fb"),
    ):
        assert (response.status_code, response.json()["code"]) == (404, "tag-not-found")
    assert (await client.post(f"/api/tasks/{deleted['id']}/restore")).json()["tags"] == ["home"]


async def test_tags_of_others_are_not_found(client: AsyncClient, as_user: Any, new_user_id: Any) -> None:
    task = await create(client, tags=["home"])
    assert (await as_user(new_user_id()).delete("/api/tags/home")).status_code == 404
    assert await tags_of(client, task) == ["home"]


@pytest.mark.parametrize(
    ("path", "body", "location", "field"),
    [
        ("home", {}, "body", "name"),
        ("home", {"name": None}, "body", "name"),
        ("home", {"name": " "}, "body", "name"),
        ("home", {"name": "x" * 51}, "body", "name"),
        ("home", {"name": "a\0"}, "body", "name"),
        ("home", {"name": "x", "color": "red"}, "body", "color"),
        ("%00", {"name": "x"}, "path", "tag"),
        ("%20", {"name": "x"}, "path", "tag"),
        ("x" * 51, {"name": "x"}, "path", "tag"),
    ],
)
async def test_a_name_is_refused_by_the_rules_of_tags(
    client: AsyncClient, path: str, body: dict[str, Any], location: str, field: str
) -> None:
    response = await client.patch(f"/api/tags/{path}", json=body)
    assert (response.status_code, response.json()["code"]) == (400, "invalid-request")
    assert [(error["location"], error["field"]) for error in response.json()["errors"]] == [(location, field)]


async def test_a_retry_with_a_key_changes_nothing_more(client: AsyncClient) -> None:
    task = await create(client, tags=["home"])
    headers = {"Idempotency-Key": "key"}
    for replayed in (None, "true"):
        response = await client.patch("/api/tags/home", json={"name": "work"}, headers=headers)
        assert (response.status_code, response.headers.get("Idempotent-Replayed")) == (204, replayed)
    assert await tags_of(client, task) == ["work"]
    reused = await client.patch("/api/tags/work", json={"name": "work"}, headers=headers)
    assert (reused.status_code, reused.json()["code"]) == (422, "idempotency-key-reused")
    for replayed in (None, "true"):
        response = await client.delete("/api/tags/work", headers={"Idempotency-Key": "other"})
        assert (response.status_code, response.headers.get("Idempotent-Replayed")) == (204, replayed)


async def test_tags_and_counts_are_protected(as_user: Any, user_id: str) -> None:
    reader = as_user(user_id, scope="tasks:read")
    assert (await reader.get("/api/tags")).status_code == 200
    assert (await reader.delete("/api/tags/home")).status_code == 403
    anonymous = as_user(None)
    for method, path in (("GET", "/api/tags"), ("GET", "/api/tasks/counts"), ("DELETE", "/api/tags/a%2Fb")):
        assert (await anonymous.request(method, path)).status_code == 401
    assert (await as_user(user_id).delete("/api/tags/home", headers={"If-Match": '"1"'})).status_code == 400
