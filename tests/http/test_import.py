"""Imports of exports: once, in order, and without changing existing tasks."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID

import pytest
from httpx2 import ASGITransport, AsyncClient, Response
from tests.http.application import make_app, make_token
from tests.http.imports import HEAD, JSON, a_task, document, result, titles, whole
from tests.storages import Storage

from todo_api.adapters.http.app import HttpConfig
from todo_api.adapters.memory.change_feed import InMemoryChangeFeed
from todo_api.application.services import Limits

AddUser = Callable[..., AsyncClient]
NewUserId = Callable[[], str]


async def send(client: AsyncClient, *tasks: Any) -> Response:
    return await client.post("/api/me/import", json=document(*tasks))


@pytest.fixture
async def exported(client: AsyncClient) -> dict[str, Any]:
    """An export with a task of each kind."""
    for values in (
        {"title": 'Ünï "quoted" {[\\', "description": "}]\n", "due_date": "2026-12-31"},
        {"title": "Local", "due_date": "2026-12-31T17:00:00.25"},
        {"title": "Done", "completed": True, "due_date": "2026-12-31T17:00:00Z"},
        {"title": "Deleted", "completed": True},
        {"title": "Deleted too"},
    ):
        last = await client.post("/api/tasks", json=values)
        if values["title"] == "Done":
            await client.patch(last.headers["location"], json={"description": "Changed since"})
        if "Deleted" in str(values["title"]):
            await client.delete(last.headers["location"])
    found: dict[str, Any] = (await client.get("/api/me/export")).json()
    return found


def without_stamps(exported: dict[str, Any]) -> list[dict[str, Any]]:
    return [{**task, "user_id": "", "revision": 0} for task in exported["tasks"]]


@pytest.mark.clock_runs
async def test_an_import_restores_an_export(
    client: AsyncClient, as_user: AddUser, new_user_id: NewUserId, exported: dict[str, Any]
) -> None:
    other = as_user(new_user_id())
    response = await other.post("/api/me/import", json=exported)
    assert (response.status_code, response.json()) == (200, result(5, 0))
    assert without_stamps((await other.get("/api/me/export")).json()) == without_stamps(exported)

    await client.delete("/api/me")
    assert (await client.post("/api/me/import", json=exported)).json() == result(5, 0)
    again = (await client.get("/api/me/export")).json()
    assert without_stamps(again) == without_stamps(exported)
    assert min(task["revision"] for task in again["tasks"]) > max(task["revision"] for task in exported["tasks"])
    assert {task["user_id"] for task in again["tasks"]} == {exported["user_id"]}


async def test_existing_tasks_are_not_changed(client: AsyncClient, exported: dict[str, Any]) -> None:
    live, trashed = ([task for task in exported["tasks"] if ("deleted_at" in task) is gone] for gone in (False, True))
    await client.patch(f"/api/tasks/{live[0]['id']}", json={"title": "Changed"})
    await client.delete(f"/api/tasks/{live[1]['id']}")
    await client.post(f"/api/tasks/{trashed[0]['id']}/restore")
    await client.delete(f"/api/tasks/trash/{trashed[1]['id']}")
    before = (await client.get("/api/me/export")).json()["tasks"]

    response = await client.post("/api/me/import", json=exported)

    assert response.json() == result(1, 4)
    after = (await client.get("/api/me/export")).json()["tasks"]
    assert [task for task in after if task["id"] != trashed[1]["id"]] == before
    assert trashed[1] | {"revision": 0} in [task | {"revision": 0} for task in after]


async def test_delta_sync_has_imported_tasks(client: AsyncClient, exported: dict[str, Any]) -> None:
    deleted = next(task for task in exported["tasks"] if "deleted_at" in task)
    await client.delete(f"/api/tasks/trash/{deleted['id']}")
    token = (await client.get("/api/tasks/changes")).json()["next"]
    await send(client, a_task(1), a_task(2, deleted_at="2020-01-01T00:00:00Z"), deleted)
    changes = (await client.get("/api/tasks/changes", params={"since": token})).json()
    assert [task["title"] for task in changes["tasks"]] == ["Task 1"]
    assert {gone["id"] for gone in changes["deleted"]} == {str(UUID(int=2)), deleted["id"]}


async def test_absent_fields_have_defaults(client: AsyncClient) -> None:
    assert (await send(client, a_task(7))).json() == result(1, 0)
    task = (await client.get(f"/api/tasks/{UUID(int=7)}")).json()
    assert task.pop("user_id")
    assert task.pop("position") == f"m{task.pop('revision'):013x}"
    nothing = dict.fromkeys(
        ("description", "completed_at", "due_date", "list_id", "recurrence", "series_id", "previous_id", "next_id")
    )
    assert task == a_task(7, completed=False, priority="none", tags=[], checklist=[], **nothing)


BAD_TASKS = [
    ({"title": ""}, ".title"),
    ({"title": None}, ".title"),
    ({"title": "\0"}, ".title"),
    ({"title": "\ud800"}, ".title"),
    ({"title": "x" * 501}, ".title"),
    ({"description": "x" * 10_001}, ".description"),
    ({"due_date": "2026-02-30"}, ".due_date"),
    ({"completed": 1}, ".completed"),
    ({"completed": True}, ".completed_at"),
    ({"completed": True, "completed_at": None}, ".completed_at"),
    ({"completed_at": "2026-01-02T03:04:05Z"}, ".completed_at"),
    ({"created_at": "2026-01-03T00:00:00Z"}, ".updated_at"),
    ({"created_at": None}, ".created_at"),
    ({"created_at": 1}, ".created_at"),
    ({"updated_at": "2026-01-02"}, ".updated_at"),
    ({"updated_at": "2026-01-02T03:04:05"}, ".updated_at"),
    ({"updated_at": "0001-01-02T03:04:05Z"}, ".updated_at"),
    ({"deleted_at": "yesterday"}, ".deleted_at"),
    ({"id": "7"}, ".id"),
    ({"id": None}, ".id"),
    ({"colour": "red"}, ".colour"),
    ({"revision": [[[[[[[[1]]]]]]]]}, ""),
    ({"title": {"text": "x"}}, ".title"),
]


@pytest.mark.parametrize(("values", "field"), BAD_TASKS)
async def test_tasks_before_an_invalid_task_are_kept(client: AsyncClient, values: dict[str, Any], field: str) -> None:
    await send(client, a_task(1))
    content = json.dumps(document(a_task(1), a_task(2), a_task(3, **values), a_task(4)))
    response = await client.post("/api/me/import", content=content, headers=JSON)
    assert (response.status_code, response.headers["content-type"]) == (400, "application/problem+json")
    problem = response.json()
    assert problem["code"] == "invalid-request"
    assert [error["field"] for error in problem["errors"]] == [f"tasks.2{field}"]
    assert problem["detail"].startswith(f"tasks.2{field}: ")
    assert (problem["imported"], problem["skipped"]) == (1, 1)
    assert await titles(client) == ["Task 1", "Task 2"]


@pytest.mark.parametrize("parts", [1, 2, 3, 1000])
async def test_a_byte_order_mark_is_skipped(client: AsyncClient, parts: int) -> None:
    content = b"\xef\xbb\xbf" + whole(a_task(1))

    async def stream() -> AsyncIterator[bytes]:
        for start in range(0, len(content), parts):
            yield content[start : start + parts]

    response = await client.post("/api/me/import", content=stream(), headers=JSON)
    assert (response.status_code, await titles(client)) == (200, ["Task 1"])


@pytest.mark.parametrize("left_out", ["id", "title", "created_at", "updated_at"])
async def test_missing_fields_are_named(client: AsyncClient, left_out: str) -> None:
    response = await send(client, {name: value for name, value in a_task(1).items() if name != left_out})
    assert (response.status_code, response.json()["detail"]) == (400, f"tasks.0.{left_out}: is required")


@pytest.mark.parametrize("task", [None, 1, "x", [], [[]], True])
async def test_a_task_that_is_not_an_object_is_refused(client: AsyncClient, task: object) -> None:
    response = await send(client, a_task(1), task)
    assert response.json()["errors"] == [
        {"location": "body", "field": "tasks.1", "detail": "must be a JSON object"}
    ]  # fmt: skip
    assert response.json()["imported"] == 1


@pytest.mark.parametrize(
    ("content", "fields"),
    [
        ({}, ["format", "version", "tasks"]),
        (HEAD, ["tasks"]),
        (HEAD | {"tasks": None}, ["tasks"]),
        (HEAD | {"tasks": {}}, ["tasks"]),
        (document(format="ics"), ["format"]),
        (document(version=2), ["version"]),
        (document(version="1"), ["version"]),
        (document(version=True), ["version"]),
        (document(users=[]), ["tasks", "users"]),
        (document(owner="x"), ["owner"]),
        ({"tasks": [], **HEAD}, ["format", "version"]),
        ({"format": "todo-api-export", "tasks": [], "version": 1}, ["version"]),
        ([a_task(1)], ["body"]),
        ("x", ["body"]),
    ],
)
async def test_other_documents_are_refused(client: AsyncClient, content: object, fields: list[str]) -> None:
    response = await client.post("/api/me/import", json=content)
    problem = response.json()
    assert (response.status_code, problem["code"], problem["imported"]) == (400, "invalid-request", 0)
    assert [error["field"] for error in problem["errors"]] == fields
    assert await titles(client) == []


async def test_fields_after_the_tasks_are_refused(client: AsyncClient) -> None:
    response = await client.post("/api/me/import", json={"tasks": [], **HEAD})
    assert response.json()["detail"] == "format: is required, before the tasks; version: is required, before the tasks"
    response = await client.post("/api/me/import", json=HEAD)
    assert response.json()["detail"] == "tasks: is required"


@pytest.fixture
def limited(storage: Storage, as_user: AddUser, user_id: str) -> Callable[..., AsyncClient]:
    """Make a client of the same user, whose application has these limits."""

    def make(limits: Limits | None = None, **config: Any) -> AsyncClient:
        app = make_app(storage.tasks, limits, HttpConfig(**config), accounts=storage.accounts)
        headers = {"Authorization": f"Bearer {make_token(user_id)}"}
        return AsyncClient(transport=ASGITransport(app=app), base_url="http://test", headers=headers)

    return make


async def test_a_document_may_be_longer_than_other_bodies_and_a_task_may_not(
    limited: Callable[..., AsyncClient],
) -> None:
    async with limited(max_body_bytes=2_000) as client:
        tasks = [a_task(number, description="x" * 900) for number in range(30)]
        assert (await send(client, *tasks)).json() == result(30, 0)
        for giant in (a_task(99, description="x" * 1_900), a_task(99, **{"x" * 2_000: 1})):
            response = await send(client, a_task(40), giant, a_task(41))
            assert (response.status_code, response.json()["code"]) == (413, "content-too-large")
            assert "2,000" in response.json()["detail"]
        for content in (b'{"' + b"x" * 5_000, whole()[:-2] + b'{"x": "' + b"x" * 5_000):
            response = await client.post("/api/me/import", content=content, headers=JSON)
            assert response.status_code == 413
        assert len(await titles(client)) == 31


async def test_the_longest_task_is_imported(client: AsyncClient) -> None:
    task = a_task(1, title="\U0001f600" * 500, description="\U0001f600" * 10_000)
    assert (await send(client, task)).json() == result(1, 0)
    assert (await client.get(f"/api/tasks/{task['id']}")).json()["description"] == task["description"]


async def test_an_import_fills_the_quota_and_no_more(limited: Callable[..., AsyncClient]) -> None:
    async with limited(Limits(tasks=2)) as client:
        deleted = a_task(9, deleted_at="2026-01-02T03:04:05Z")
        response = await send(client, a_task(1), deleted, a_task(1), a_task(2), a_task(3), a_task(4))
        problem = response.json()
        assert (response.status_code, problem["code"]) == (409, "quota-exceeded")
        assert (problem["imported"], problem["skipped"]) == (3, 1)
        assert await titles(client) == ["Task 1", "Task 2"]
        assert (await send(client, a_task(1), a_task(2), deleted)).json() == result(0, 3)


@pytest.mark.parametrize(
    "headers",
    [{}, {"Content-Type": "text/plain"}, {**JSON, "Content-Encoding": "gzip"}],
)
async def test_other_media_types_are_refused(client: AsyncClient, headers: dict[str, str]) -> None:
    response = await client.post("/api/me/import", content=whole(a_task(1)), headers=headers)
    assert (response.status_code, response.json()["code"]) == (415, "unsupported-media-type")
    assert await titles(client) == []


async def test_event_streams_report_an_import(storage: Storage, user_id: str) -> None:
    feed = InMemoryChangeFeed()
    app = make_app(storage.tasks, feed=feed, accounts=storage.accounts)
    headers = {"Authorization": f"Bearer {make_token(user_id)}"}
    async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test", headers=headers) as client:
        with feed.listen(user_id) as listener:
            await send(client, a_task(1))
            await listener.wait()
