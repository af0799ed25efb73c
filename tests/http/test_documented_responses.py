"""Responses match the OpenAPI document exactly: every field, and no other."""

import json
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from httpx2 import AsyncClient, Response
from pydantic import TypeAdapter

from todo_api.adapters.http.problems import Problem

Requests = dict[str, Callable[[AsyncClient, str], Awaitable[Response]]]
BATCH = {
    "atomic": False,
    "operations": [
        {"op": "create", "title": "x"},
        {"op": "delete", "id": "019aa2f3-7c1e-7cc3-98c4-dc0c0c07398f"},
        {"op": "create", "title": ""},
        {"op": "create_list", "name": "x"},
    ],
}
LIST = {"name": "x", "color": "#1e90ff"}
AT = "2026-01-01T00:00:00Z"
IMPORTED = {"id": str(uuid4()), "title": "x", "created_at": AT, "updated_at": AT}
IMPORT = {"format": "todo-api-export", "version": 1, "lists": [], "tasks": [IMPORTED]}


async def restored(client: AsyncClient, path: str) -> Response:
    await client.delete(path)
    return await client.post(f"{path}/restore")


async def trash(client: AsyncClient, path: str) -> Response:
    await client.delete(path)
    return await client.get("/api/tasks/trash")


async def changes(client: AsyncClient, path: str) -> Response:
    other = (await client.post("/api/tasks", json={"title": "x"})).json()
    since = (await client.get("/api/tasks/changes")).json()["next"]
    await client.delete(path)
    await in_list(client)
    await trashed_list(client)
    await client.patch(f"/api/tasks/{other['id']}", json={"title": "y"})
    return await client.get("/api/tasks/changes", params={"since": since})


async def in_list(client: AsyncClient, suffix: str = "") -> str:
    """Create a list, and return its address."""
    return str((await client.post("/api/lists", json=LIST)).headers["location"]) + suffix


async def trashed_list(client: AsyncClient) -> str:
    address = await in_list(client)
    await client.delete(address)
    return address


async def restored_list(client: AsyncClient) -> Response:
    return await client.post(f"{await trashed_list(client)}/restore")


async def then(call: Callable[..., Awaitable[Response]], address: Awaitable[str], **arguments: Any) -> Response:
    return await call(await address, **arguments)


async def list_trash(client: AsyncClient) -> Response:
    await trashed_list(client)
    return await client.get("/api/lists/trash")


async def lists(client: AsyncClient) -> Response:
    await in_list(client)
    return await client.get("/api/lists")


async def repeating(client: AsyncClient, suffix: str) -> str:
    """Create a task that repeats, and return an address under its own."""
    values = {"title": "x", "due_date": "2036-12-31", "recurrence": {"rule": "FREQ=DAILY"}}
    return str((await client.post("/api/tasks", json=values)).headers["location"]) + suffix


async def export(client: AsyncClient, path: str) -> Response:
    await trashed_list(client)
    await in_list(client)
    await repeating(client, "")
    await client.delete(path)
    return await client.get("/api/me/export")


async def tagged(client: AsyncClient, path: str) -> Response:
    await client.patch(path, json={"tags": ["home"]})
    return await client.get("/api/tags")


async def counts(client: AsyncClient, path: str) -> Response:
    await client.patch(path, json={"tags": ["home"]})
    return await client.get("/api/tasks/counts")


FULL = {
    "title": "x",
    "due_date": "2036-12-31",
    "tags": ["home"],
    "checklist": [{"title": "a"}],
    "recurrence": {"rule": "FREQ=DAILY"},
}
REQUESTS: Requests = {
    "countTasks": counts,
    "listTags": tagged,
    "listTasks": lambda client, _: client.get("/api/tasks"),
    "createTask": lambda client, _: client.post("/api/tasks", json=FULL),
    "getTask": lambda client, path: client.get(path),
    "putTask": lambda client, path: client.put(path, json={"completed": True}),
    "updateTask": lambda client, path: client.patch(path, json={"description": None}),
    "completeTask": lambda client, path: client.patch(f"{path}/complete"),
    "restoreTask": restored,
    "listTrash": trash,
    "moveTask": lambda client, path: client.post(f"{path}/move", json={"to": "start"}),
    "skipTask": lambda client, _: then(client.post, repeating(client, "/skip")),
    "listOccurrences": lambda client, _: then(client.get, repeating(client, "/occurrences")),
    "listLists": lambda client, _: lists(client),
    "createList": lambda client, _: client.post("/api/lists", json=LIST),
    "getList": lambda client, _: then(client.get, in_list(client)),
    "putList": lambda client, _: then(client.put, in_list(client), json={"name": "y"}),
    "updateList": lambda client, _: then(client.patch, in_list(client), json={"color": None}),
    "moveList": lambda client, _: then(client.post, in_list(client, "/move"), json={"to": "end"}),
    "restoreList": lambda client, _: restored_list(client),
    "listTrashedLists": lambda client, _: list_trash(client),
    "runBatch": lambda client, _: client.post("/api/tasks/batch", json=BATCH),
    "listChanges": changes,
    "getAccount": lambda client, _: client.get("/api/me"),
    "exportAccount": export,
    "importAccount": lambda client, _: client.post("/api/me/import", json=IMPORT),
    "getHealth": lambda client, _: client.get("/health"),
    "getLiveness": lambda client, _: client.get("/health/live"),
    "getReadiness": lambda client, _: client.get("/health/ready"),
}


def models_of(app: FastAPI) -> dict[str, Any]:
    return {
        route.operation_id or route.unique_id: route.response_model
        for route in app.routes
        if isinstance(route, APIRoute) and route.response_model is not None
    }


def assert_is_the_model(model: Any, content: bytes) -> None:
    adapter = TypeAdapter(model)
    assert json.loads(adapter.dump_json(adapter.validate_json(content), by_alias=True)) == json.loads(content)


def test_every_documented_response_is_checked(app: FastAPI) -> None:
    assert REQUESTS.keys() == models_of(app).keys()


@pytest.mark.parametrize("operation", REQUESTS)
async def test_a_response_is_what_its_model_says(app: FastAPI, client: AsyncClient, path: str, operation: str) -> None:
    response = await REQUESTS[operation](client, path)
    assert response.is_success
    assert response.json() not in ([], {})
    assert_is_the_model(models_of(app)[operation], response.content)


async def test_problems_are_what_their_model_says(client: AsyncClient, path: str) -> None:
    for response in (
        await client.post("/api/tasks", json={"title": "", "x": 1}),
        await client.get("/nowhere"),
        await client.post("/api/tasks/batch", json=BATCH | {"atomic": True}),
        await client.post("/api/me/import", json=IMPORT | {"tasks": [IMPORTED, {}]}),
        await client.patch(path, json={}, headers={"If-Match": '"1"'}),
    ):
        assert response.is_client_error
        assert_is_the_model(Problem, response.content)
