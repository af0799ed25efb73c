"""Batches: many operations, one transaction, one revision."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from httpx2 import AsyncClient, Response

BATCH = "/api/tasks/batch"


async def run(client: AsyncClient, *operations: Any, **more: Any) -> Response:
    return await client.post(BATCH, json={"operations": operations, **more})


async def titles(client: AsyncClient) -> list[str]:
    return sorted(task["title"] for task in (await client.get("/api/tasks")).json())


def create(title: str = "New", **values: Any) -> dict[str, Any]:
    return {"op": "create", "title": title, **values}


async def test_operations_behave_like_single_requests(client: AsyncClient, task: dict[str, Any]) -> None:
    path = f"/api/tasks/{task['id']}"
    trashed = (await client.post("/api/tasks", json={"title": "Trashed"})).json()["id"]
    await client.delete(f"/api/tasks/{trashed}")
    mine = str(uuid4())

    response = await run(
        client,
        create("  Mine ", id=mine, description="x", due_date="2026-12-31", completed=True),
        {"op": "update", "id": mine, "title": "Mine, changed", "description": None},
        {"op": "update", "id": task["id"], "description": None, "if_match": f'"{task["revision"]}"'},
        {"op": "complete", "id": task["id"]},
        {"op": "complete", "id": mine, "completed": False, "if_match": "*"},
        {"op": "restore", "id": trashed},
        {"op": "delete", "id": trashed},
    )

    assert response.status_code == 200
    document = response.json()
    assert list(document) == ["revision", "results"]
    assert document["revision"] == task["revision"] + 3
    assert [result["status"] for result in document["results"]] == [201, 200, 200, 200, 200, 200, 204]
    assert document["results"][6] == {"status": 204}
    for result in document["results"][:6]:
        assert list(result) == ["status", "etag", "task"]
        assert result["etag"] == f'"{result["task"]["revision"]}"' == f'"{document["revision"]}"'
    assert (
        document["results"][0]["task"] | {"title": "Mine", "due_date": "2026-12-31"} == document["results"][0]["task"]
    )
    assert (await client.get(path)).json() == document["results"][3]["task"]
    kept = (await client.get(f"/api/tasks/{mine}")).json()
    assert kept == document["results"][4]["task"]
    assert (kept["title"], kept["description"], kept["completed"]) == ("Mine, changed", None, False)
    assert [gone["id"] for gone in (await client.get("/api/tasks/trash")).json()] == [trashed]


async def test_a_batch_has_one_revision_for_delta_sync(client: AsyncClient, task: dict[str, Any]) -> None:
    since = (await client.get("/api/tasks/changes")).json()["next"]
    response = await run(client, *(create(str(n)) for n in range(5)), {"op": "delete", "id": task["id"]})
    seen: list[str] = []
    more = True
    while more:
        page = (await client.get("/api/tasks/changes", params={"since": since, "limit": 2})).json()
        assert {item["revision"] for item in [*page["tasks"], *page["deleted"]]} == {response.json()["revision"]}
        seen += [item["id"] for item in [*page["tasks"], *page["deleted"]]]
        since, more = page["next"], page["has_more"]
    results = response.json()["results"]
    assert sorted(seen) == sorted([*(result["task"]["id"] for result in results[:5]), task["id"]])


@pytest.mark.parametrize(
    ("operation", "status", "code"),
    [
        ({"op": "update", "id": "00000000-0000-7000-8000-000000000000", "title": "x"}, 404, "task-not-found"),
        ({"op": "delete", "id": "{id}", "if_match": '"7"'}, 412, "revision-mismatch"),
        ({"op": "create", "id": "{id}", "title": "x"}, 412, "task-exists"),
        ({"op": "restore", "id": "{id}"}, 409, "task-not-in-trash"),
        ({"op": "create", "title": " "}, 400, "invalid-request"),
        ({"op": "create"}, 400, "invalid-request"),
        ({"op": "update", "id": "{id}", "titel": "x"}, 400, "invalid-request"),
        ({"op": "update", "id": 7}, 400, "invalid-request"),
        ({"op": "delete", "id": "x"}, 400, "invalid-request"),
        ({"op": "delete"}, 400, "invalid-request"),
        ({"op": "delete", "id": "{id}", "if_match": "7"}, 400, "invalid-request"),
        ({"op": "destroy", "id": "{id}"}, 400, "invalid-request"),
        ({"op": ["delete"]}, 400, "invalid-request"),
        ({"id": "{id}"}, 400, "invalid-request"),
        ("delete", 400, "invalid-request"),
    ],
)
async def test_one_failure_undoes_all_or_is_left_out(
    client: AsyncClient, task: dict[str, Any], operation: Any, status: int, code: str
) -> None:
    if isinstance(operation, dict) and operation.get("id") == "{id}":
        operation = {**operation, "id": task["id"]}
    operations = [create("One"), create("Two"), operation, {"op": "complete", "id": task["id"], "completed": True}]

    response = await run(client, *operations)
    problem = response.json()
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    assert (problem["status"], problem["code"], problem["index"]) == (status, code, 2)
    assert (await client.get("/api/tasks")).json() == [task]

    response = await run(client, *operations, atomic=False)
    assert response.status_code == 200
    results = response.json()["results"]
    assert [result["status"] for result in results] == [201, 201, status, 200]
    del problem["index"], problem["request_id"]
    assert results[2]["problem"] == problem
    assert (results[2].get("etag") == f'"{task["revision"]}"') == (status == 412)
    assert await titles(client) == ["Buy milk", "One", "Two"]


async def test_the_problem_is_the_one_of_the_single_call(client: AsyncClient, task: dict[str, Any]) -> None:
    single = await client.patch(f"/api/tasks/{task['id']}", json={"titel": "x"}, headers={"If-Match": '"7"'})
    batch = await run(client, {"op": "update", "id": task["id"], "titel": "x"})
    assert batch.json() == {**single.json(), "index": 0}
    single = await client.delete(f"/api/tasks/{task['id']}", headers={"If-Match": '"7"'})
    batch = await run(client, {"op": "delete", "id": task["id"], "if_match": '"7"'})
    assert batch.json() == {**single.json(), "index": 0}
    assert batch.headers["etag"] == single.headers["etag"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"operations": []},
        {"operations": [create()] * 101},
        {"operations": create()},
        [create()],
        {"operations": None},
    ]
    + [{"operations": [create()], "atomic": value} for value in (None, "false", 0)]
    + [{"operations": [create()], "atomc": False}],
)
async def test_a_body_that_is_not_a_batch_is_refused(client: AsyncClient, body: Any) -> None:
    response = await client.post(BATCH, json=body)
    assert (response.status_code, response.json()["code"]) == (400, "invalid-request")
    assert await titles(client) == []


async def test_a_hundred_operations_are_done(client: AsyncClient) -> None:
    response = await run(client, *(create(str(n)) for n in range(100)))
    assert [result["task"]["title"] for result in response.json()["results"]] == [str(n) for n in range(100)]
    assert len(await titles(client)) == 100


async def test_tasks_of_other_users_are_not_found(
    client: AsyncClient, as_user: Callable[..., AsyncClient], new_user_id: Callable[[], str], task: dict[str, Any]
) -> None:
    stranger = as_user(new_user_id())
    for operation in ("update", "complete", "delete", "restore"):
        theirs = await run(stranger, {"op": operation, "id": task["id"]})
        nobodys = await run(stranger, {"op": operation, "id": str(uuid4())})
        assert (theirs.status_code, theirs.content) == (404, nobodys.content)


async def test_a_batch_needs_the_scope_to_write(as_user: Callable[..., AsyncClient], user_id: str) -> None:
    response = await run(as_user(user_id, scope="tasks:read"), create())
    assert (response.status_code, response.json()["code"]) == (403, "insufficient-scope")


async def test_batches_at_once_lose_nothing(client: AsyncClient, task: dict[str, Any]) -> None:
    async def both(number: int) -> None:
        response = await run(client, create(str(number)), {"op": "complete", "id": task["id"]})
        assert response.status_code == 200

    await asyncio.gather(*(both(number) for number in range(21)))
    tasks = (await client.get("/api/tasks")).json()
    assert len(tasks) == 22
    assert (await client.get(f"/api/tasks/{task['id']}")).json()["completed"]
    assert max(found["revision"] for found in tasks) == task["revision"] + 21


async def test_a_batch_that_changes_nothing_leaves_the_revision(client: AsyncClient, task: dict[str, Any]) -> None:
    response = await run(client, {"op": "complete", "id": task["id"], "completed": False})
    assert response.json() == {
        "revision": task["revision"],
        "results": [{"status": 200, "etag": f'"{task["revision"]}"', "task": task}],
    }
