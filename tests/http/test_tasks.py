"""The endpoints with valid requests."""

from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from httpx2 import AsyncClient

FIELDS = [
    *("id", "user_id", "title", "description", "completed", "completed_at", "due_date", "list_id", "priority", "tags"),
    *("checklist", "position", "recurrence", "series_id", "previous_id", "next_id"),
    *("created_at", "updated_at", "revision"),
]


async def test_creating_returns_the_whole_task(client: AsyncClient, user_id: str) -> None:
    response = await client.post("/api/tasks", json={"title": "  Buy milk \n"})
    task = response.json()
    assert response.status_code == 201
    assert list(task) == FIELDS
    assert UUID(task["id"]).version == 7
    assert (task["user_id"], task["title"], task["description"]) == (user_id, "Buy milk", None)
    assert (task["completed"], task["completed_at"], task["due_date"]) == (False, None, None)
    assert task["created_at"] == task["updated_at"]
    assert datetime.fromisoformat(task["created_at"]).utcoffset() is not None
    assert task["created_at"].endswith("Z")
    assert response.headers["location"] == f"http://test/api/tasks/{task['id']}"
    assert task["revision"] > 0
    assert response.headers["etag"] == f'"{task["revision"]}"'
    assert (await client.get(response.headers["location"])).json() == task


async def test_a_task_can_be_created_completed(client: AsyncClient) -> None:
    task = (await client.post("/api/tasks", json={"title": "x", "completed": True})).json()
    assert task["completed"] is True
    assert task["completed_at"] == task["created_at"]


@pytest.mark.parametrize(
    ("given", "returned"),
    [
        ("2026-12-31", "2026-12-31"),
        ("2026-12-31T17:00", "2026-12-31T17:00:00"),
        ("2026-12-31T17:00:00.5", "2026-12-31T17:00:00.500000"),
        ("2026-12-31T17:00:00Z", "2026-12-31T17:00:00Z"),
        ("2026-12-31T17:00:00.123456789+02:00", "2026-12-31T15:00:00.123456Z"),
        (None, None),
    ],
)
async def test_due_dates_keep_their_kind(client: AsyncClient, given: str | None, returned: str | None) -> None:
    task = (await client.post("/api/tasks", json={"title": "x", "due_date": given})).json()
    assert task["due_date"] == returned
    assert (await client.get(f"/api/tasks/{task['id']}")).json()["due_date"] == returned


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_absent_fields_are_not_changed(client: AsyncClient, task: dict[str, Any], path: str, method: str) -> None:
    response = await client.request(method, path, json={"title": "Buy bread"})
    changed = response.json()
    assert response.status_code == 200
    revision = task["revision"] + 1
    assert changed == task | {"title": "Buy bread", "updated_at": changed["updated_at"], "revision": revision}
    assert changed["updated_at"] > task["updated_at"]
    assert response.headers["etag"] == f'"{revision}"'


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_null_clears(client: AsyncClient, path: str, method: str) -> None:
    changed = (await client.request(method, path, json={"description": None, "due_date": None})).json()
    assert (changed["description"], changed["due_date"]) == (None, None)


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize("extra", [{}, {"title": " Buy milk "}, {"completed": False}])
async def test_a_change_that_changes_nothing_leaves_the_revision(
    client: AsyncClient, task: dict[str, Any], path: str, method: str, extra: dict[str, Any]
) -> None:
    response = await client.request(method, path, json=extra)
    assert (response.status_code, response.json(), response.headers["etag"]) == (200, task, f'"{task["revision"]}"')


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_a_task_can_be_sent_back_as_it_came(
    client: AsyncClient, task: dict[str, Any], path: str, method: str
) -> None:
    response = await client.request(method, path, json=task | {"title": "Buy bread", "revision": 99, "user_id": ["x"]})
    assert response.status_code == 200
    assert response.json()["title"] == "Buy bread"
    assert (response.json()["revision"], response.json()["user_id"]) == (task["revision"] + 1, task["user_id"])


async def test_complete_toggles_or_sets_the_state(client: AsyncClient, task: dict[str, Any], path: str) -> None:
    states = []
    for body in (None, {}, {"completed": True}, {"completed": True}, {"completed": False}):
        response = (
            await client.patch(f"{path}/complete", json=body)
            if body is not None
            else await client.patch(f"{path}/complete")
        )
        changed = response.json()
        assert (changed["completed_at"] is not None) == changed["completed"]
        assert response.headers["etag"] == f'"{changed["revision"]}"'
        states.append((changed["completed"], changed["revision"] - task["revision"]))
    assert states == [(True, 1), (False, 2), (True, 3), (True, 3), (False, 4)]


async def test_a_deleted_task_is_gone(client: AsyncClient, path: str) -> None:
    response = await client.delete(path)
    assert (response.status_code, response.content) == (204, b"")
    assert (await client.get(path)).status_code == 404
    assert (await client.delete(path)).status_code == 404
    assert (await client.get("/api/tasks")).json() == []


async def test_five_hundred_code_points_are_a_title_and_ten_thousand_a_description(client: AsyncClient) -> None:
    values = {"title": "🙂" * 500, "description": "🙂" * 10_000}
    task = (await client.post("/api/tasks", json=values)).json()
    assert (task["title"], task["description"]) == (values["title"], values["description"])


async def test_text_is_returned_unchanged(client: AsyncClient) -> None:
    text = "é e\u0301 \u202e right-to-left \ufeff <script> ' \" \\ \t \x7f \U0010ffff"
    task = (await client.post("/api/tasks", json={"title": f"a{text}b", "description": text})).json()
    assert (task["title"], task["description"]) == (f"a{text}b", text)
