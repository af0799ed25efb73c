"""The account: numbers, export and deletion."""

from collections.abc import Callable
from typing import Any

import pytest
from httpx2 import ASGITransport, AsyncClient
from tests.http.application import make_app, make_token
from tests.storages import Storage

from todo_api.adapters.http.app import HttpConfig
from todo_api.adapters.memory.change_feed import InMemoryChangeFeed
from todo_api.application.services import Limits

NOTHING = {"all": 0, "pending": 0, "completed": 0, "overdue": 0, "trash": 0}


async def test_a_new_user_has_an_account(client: AsyncClient, user_id: str) -> None:
    response = await client.get("/api/me")
    assert response.status_code == 200
    assert response.headers["cache-control"] == "private, no-cache"
    assert response.json() == {
        "user_id": user_id,
        "first_seen_at": None,
        "revision": 0,
        "counts": NOTHING,
        "limits": {
            "tasks": 10_000,
            "page_size": 1_000,
            "lists": 500,
            "batch_operations": 100,
            "event_streams": 10,
            "body_bytes": 1024 * 1024,
            "trash_days": 30,
            "sync_days": 90,
            "idempotency_hours": 24,
        },
    }


async def test_the_account_counts_tasks(client: AsyncClient, task: dict[str, Any]) -> None:
    for values in ({"completed": True, "due_date": "2020-01-01"}, {"due_date": "2020-01-01"}, {"title": "To delete"}):
        last = await client.post("/api/tasks", json={"title": "x", **values})
    await client.delete(last.headers["location"])

    account = (await client.get("/api/me")).json()

    assert account["counts"] == {"all": 3, "pending": 2, "completed": 1, "overdue": 1, "trash": 1}
    assert account["first_seen_at"] == task["created_at"]
    assert account["revision"] == task["revision"] + 4


async def test_the_account_has_the_configured_limits(storage: Storage, user_id: str) -> None:
    limits = Limits(tasks=7, event_streams=2, trash_days=3, tombstone_days=4)
    app = make_app(storage.tasks, limits, HttpConfig(max_body_bytes=999), accounts=storage.accounts)
    headers = {"Authorization": f"Bearer {make_token(user_id)}"}
    async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test", headers=headers) as client:
        found = (await client.get("/api/me")).json()["limits"]
    assert [found[name] for name in ("tasks", "event_streams", "trash_days", "sync_days", "body_bytes")] == [
        7, 2, 3, 4, 999,
    ]  # fmt: skip


async def test_an_export_has_every_field_of_every_task(
    client: AsyncClient, task: dict[str, Any], path: str, user_id: str
) -> None:
    other = (await client.post("/api/tasks", json={"title": "Ünï", "completed": True, "due_date": "2026-12-31"})).json()
    await client.delete(path)
    trashed = (await client.get("/api/tasks/trash")).json()[0]

    response = await client.get("/api/me/export")

    document = response.json()
    assert document.pop("exported_at") > trashed["deleted_at"]
    assert document == {
        "format": "todo-api-export",
        "version": 1,
        "user_id": user_id,
        "lists": [],
        "tasks": sorted([trashed, other], key=lambda task: task["id"]),
    }
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    day = response.json()["exported_at"][:10]
    assert response.headers["content-disposition"] == f'attachment; filename="todo-api-{day}.json"'


async def test_an_empty_export_is_complete(client: AsyncClient) -> None:
    assert (await client.get("/api/me/export")).json()["tasks"] == []


async def test_deleted_accounts_are_empty(
    client: AsyncClient, as_user: Callable[..., AsyncClient], new_user_id: Callable[[], str], path: str
) -> None:
    stranger = as_user(new_user_id())
    await stranger.post("/api/tasks", json={"title": "Mine"})
    key = {"Idempotency-Key": "one"}
    once = await client.post("/api/tasks", json={"title": "Once"}, headers=key)
    await client.delete(path)

    response = await client.delete("/api/me")

    assert (response.status_code, response.content) == (204, b"")
    for address in ("/api/tasks", "/api/tasks/trash"):
        assert (await client.get(address)).json() == []
    assert (await client.get("/api/me/export")).json()["tasks"] == []
    assert (await client.get("/api/me")).json()["counts"] == NOTHING
    assert (await client.get(once.headers["location"])).status_code == 404
    again = await client.post("/api/tasks", json={"title": "Once"}, headers=key)
    assert "idempotent-replayed" not in again.headers
    assert len((await stranger.get("/api/tasks")).json()) == 1
    assert (await client.delete("/api/me")).status_code == 204


@pytest.mark.clock_runs
async def test_old_tags_do_not_match_after_an_account_was_deleted(client: AsyncClient, path: str) -> None:
    before = await client.get("/api/tasks")
    token = (await client.get("/api/tasks/changes")).json()["next"]
    await client.delete("/api/me")
    for _ in range(2):
        response = await client.get("/api/tasks/changes", params={"since": token})
        assert (response.status_code, response.json()["code"]) == (410, "sync-token-expired")
        seen = {"If-None-Match": before.headers["etag"]}
        assert (await client.get("/api/tasks", headers=seen)).status_code == 200
        await client.put(path, json={"title": "Again"}, headers={"If-None-Match": "*"})
    changed = await client.patch(path, json={"title": "x"}, headers={"If-Match": before.headers["etag"]})
    assert changed.status_code == 412
    assert (await client.get(path, headers=seen)).status_code == 200


async def test_event_streams_report_a_deleted_account(storage: Storage, user_id: str) -> None:
    feed = InMemoryChangeFeed()
    app = make_app(storage.tasks, feed=feed, accounts=storage.accounts)
    headers = {"Authorization": f"Bearer {make_token(user_id)}"}
    async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test", headers=headers) as client:
        with feed.listen(user_id) as listener:
            await client.delete("/api/me")
            await listener.wait()


@pytest.mark.parametrize(
    ("method", "address", "scope"),
    [
        ("GET", "/api/me", "tasks:read"),
        ("GET", "/api/me/export", "tasks:read"),
        ("POST", "/api/me/import", "tasks:write"),
        ("DELETE", "/api/me", "tasks:write"),
    ],
)
async def test_accounts_belong_to_one_user(
    as_user: Callable[..., AsyncClient], user_id: str, method: str, address: str, scope: str
) -> None:
    body = {"format": "todo-api-export", "version": 1, "tasks": []} if method == "POST" else None
    other = {"tasks:read": "tasks:write", "tasks:write": "tasks:read"}[scope]
    statuses = [
        (await caller.request(method, address, json=body)).status_code
        for caller in (as_user(None), as_user(user_id, scope=other), as_user(user_id, scope=scope))
    ]
    assert statuses[:2] == [401, 403]
    assert statuses[2] in {200, 204}


async def test_other_methods_and_parameters_are_refused(client: AsyncClient) -> None:
    for method, address, allowed in (
        ("POST", "/api/me", "DELETE, GET, HEAD"),
        ("GET", "/api/me/import", "POST"),
        ("HEAD", "/api/me/import", "POST"),
        ("POST", "/api/me/export", "GET, HEAD"),
    ):
        response = await client.request(method, address)
        assert (response.status_code, response.headers["allow"]) == (405, allowed)
    for address in ("/api/me?x=1", "/api/me/export?limit=5"):
        assert (await client.get(address)).json()["code"] == "invalid-request"
    assert (await client.get("/api/me/other")).status_code == 404
