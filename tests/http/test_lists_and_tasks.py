"""Lists with tasks: deletes and their undoing, and batches of both."""

from typing import Any
from uuid import uuid4

import pytest
from httpx2 import AsyncClient, Response


async def in_list(client: AsyncClient, count: int = 3) -> tuple[str, list[str]]:
    """Create a list with tasks, and return its address and their ids."""
    created = (await client.post("/api/lists", json={"name": "Home"})).json()
    values = [{"title": str(number), "list_id": created["id"]} for number in range(count)]
    ids = [(await client.post("/api/tasks", json=each)).json()["id"] for each in values]
    return f"/api/lists/{created['id']}", ids


async def ids_at(client: AsyncClient, address: str) -> set[str]:
    return {found["id"] for found in (await client.get(address)).json()}


async def batch(client: AsyncClient, *operations: Any, atomic: bool = True) -> Response:
    return await client.post("/api/tasks/batch", json={"operations": operations, "atomic": atomic})


async def test_a_delete_takes_the_tasks_and_a_restore_brings_those_back(client: AsyncClient) -> None:
    address, ids = await in_list(client)
    other = (await client.post("/api/tasks", json={"title": "Other"})).json()["id"]
    await client.delete(f"/api/tasks/{ids[0]}")
    assert (await client.delete(address)).status_code == 204
    assert await ids_at(client, "/api/tasks") == {other}
    assert await ids_at(client, "/api/tasks/trash") == set(ids)
    trashed = (await client.get("/api/lists/trash")).json()
    assert [address.endswith(found["id"]) for found in trashed] == [True]
    assert {task["revision"] for task in (await client.get("/api/tasks/trash")).json()[:2]} == {trashed[0]["revision"]}
    await client.delete(f"/api/tasks/trash/{ids[1]}")

    restored = await client.post(f"{address}/restore")

    assert (restored.status_code, restored.headers["etag"]) == (200, f'"{restored.json()["revision"]}"')
    assert await ids_at(client, "/api/tasks") == {other, ids[2]}
    assert (await client.get(f"/api/tasks/{ids[2]}")).json()["list_id"] == restored.json()["id"]
    assert await ids_at(client, "/api/tasks/trash") == {ids[0]}
    assert (await client.get("/api/lists/trash")).json() == []
    again = await client.post(f"{address}/restore")
    assert (again.status_code, again.json()["code"]) == (409, "list-not-in-trash")


async def test_tasks_can_be_kept(client: AsyncClient) -> None:
    address, ids = await in_list(client)
    assert (await client.delete(address, params={"tasks": "keep"})).status_code == 204
    found = (await client.get("/api/tasks")).json()
    assert {task["id"] for task in found} == set(ids)
    assert {task["list_id"] for task in found} == {None}
    assert (await client.get(address)).status_code == 404
    await client.post(f"{address}/restore")
    assert {task["list_id"] for task in (await client.get("/api/tasks")).json()} == {None}


@pytest.mark.parametrize("query", ["tasks=no", "tasks=", "task=keep", "tasks=keep&tasks=trash"])
async def test_other_values_are_refused(client: AsyncClient, query: str) -> None:
    address, _ = await in_list(client)
    assert (await client.delete(f"{address}?{query}")).status_code == 400
    assert (await client.get(address)).status_code == 200


async def test_a_task_restored_without_its_list_is_in_the_inbox(client: AsyncClient) -> None:
    address, ids = await in_list(client)
    await client.delete(address)
    assert (await client.post(f"/api/tasks/{ids[0]}/restore")).json()["list_id"] is None


async def test_a_batch_does_what_single_requests_do(client: AsyncClient) -> None:
    home, work, task = str(uuid4()), str(uuid4()), str(uuid4())
    response = await batch(
        client,
        {"op": "create_list", "id": home, "name": " Home "},
        {"op": "create_list", "id": work, "name": "Work", "color": "#000000"},
        {"op": "create_list", "name": "Third"},
        {"op": "create", "id": task, "title": "x", "list_id": home},
        {"op": "update_list", "id": work, "name": "Office", "color": None},
        {"op": "move_list", "id": work, "to": "start"},
        {"op": "move", "id": task, "to": "start", "list_id": work},
        {"op": "delete_list", "id": work},
        {"op": "restore_list", "id": work},
        {"op": "delete_list", "id": work, "tasks": "keep"},
    )
    assert response.status_code == 200
    results = response.json()["results"]
    assert [result["status"] for result in results] == [201, 201, 201, 201, 200, 200, 200, 204, 200, 204]
    kinds = ["list", "list", "list", "task", "list", "list", "task", None, "list", None]
    for result, kind in zip(results, kinds, strict=True):
        assert list(result) == (["status"] if kind is None else ["status", "etag", kind])
    assert {result["etag"] for result in results if "etag" in result} == {f'"{response.json()["revision"]}"'}
    assert [found["name"] for found in (await client.get("/api/lists")).json()] == ["Home", "Third"]
    assert [found["name"] for found in (await client.get("/api/lists/trash")).json()] == ["Office"]
    found = (await client.get(f"/api/tasks/{task}")).json()
    assert (found["list_id"], found["revision"]) == (None, response.json()["revision"])


@pytest.mark.parametrize(
    ("operation", "status", "code"),
    [
        ({"op": "create_list", "id": "{id}", "name": "x"}, 412, "list-exists"),
        ({"op": "create_list"}, 400, "invalid-request"),
        ({"op": "update_list", "id": "{id}", "name": "x", "if_match": '"1"'}, 412, "revision-mismatch"),
        ({"op": "update_list", "id": str(uuid4()), "name": "x"}, 404, "list-not-found"),
        ({"op": "delete_list", "id": "{id}", "if_match": '"1"'}, 412, "revision-mismatch"),
        ({"op": "delete_list", "id": "{id}", "tasks": "no"}, 400, "invalid-request"),
        ({"op": "restore_list", "id": "{id}"}, 409, "list-not-in-trash"),
        ({"op": "move_list", "id": "{id}", "after": str(uuid4())}, 409, "neighbour-not-found"),
        ({"op": "move_list", "id": "{id}"}, 400, "invalid-request"),
        ({"op": "move", "id": "{id}", "to": "end"}, 404, "task-not-found"),
        ({"op": "skip", "id": "{id}"}, 404, "task-not-found"),
    ],
)
async def test_a_failed_operation_has_the_problem_of_its_request(
    client: AsyncClient, operation: dict[str, Any], status: int, code: str
) -> None:
    address, _ = await in_list(client, 0)
    before = (await client.get(address)).json()
    if operation.get("id") == "{id}":
        operation = operation | {"id": before["id"]}
    response = await batch(client, {"op": "create_list", "name": "y"}, operation)
    assert (response.status_code, response.json()["code"], response.json()["index"]) == (status, code, 1)
    assert (await client.get("/api/lists")).json() == [before]
    results = (await batch(client, operation, {"op": "create_list", "name": "y"}, atomic=False)).json()["results"]
    assert [result["status"] for result in results] == [status, 201]
    assert results[0]["problem"]["code"] == code
