"""The trash: list, restore and purge deleted tasks."""

from collections.abc import Callable
from typing import Any

import pytest
from httpx2 import AsyncClient


@pytest.fixture
async def deleted(client: AsyncClient, path: str) -> str:
    """The path of a task that is in the trash."""
    assert (await client.delete(path)).status_code == 204
    return path


async def test_a_deleted_task_is_listed_in_the_trash(client: AsyncClient, task: dict[str, Any], deleted: str) -> None:
    assert (await client.get(deleted)).status_code == 404
    response = await client.get("/api/tasks/trash")
    (trashed,) = response.json()
    assert trashed == task | {"revision": task["revision"] + 1, "deleted_at": trashed["deleted_at"]}
    assert trashed["deleted_at"] > task["created_at"]


async def test_a_restored_task_is_back(client: AsyncClient, task: dict[str, Any], deleted: str) -> None:
    response = await client.post(f"{deleted}/restore")
    revision = task["revision"] + 2
    assert (response.status_code, response.json()) == (200, task | {"revision": revision})
    assert response.headers["etag"] == f'"{revision}"'
    assert (await client.get(deleted)).json() == response.json()
    assert (await client.get("/api/tasks/trash")).json() == []


async def test_only_deleted_tasks_can_be_restored(client: AsyncClient, path: str) -> None:
    response = await client.post(f"{path}/restore")
    assert (response.status_code, response.json()["code"]) == (409, "task-not-in-trash")
    for nothing in ("/api/tasks/019aa2f3-7c1e-7cc3-98c4-dc0c0c07398f", "/api/tasks/x"):
        assert (await client.post(f"{nothing}/restore")).status_code == 404


async def test_purged_tasks_cannot_be_restored(client: AsyncClient, deleted: str) -> None:
    address = deleted.replace("/tasks/", "/tasks/trash/")
    assert (await client.delete(address)).status_code == 204
    assert (await client.delete(address)).status_code == 404
    assert (await client.post(f"{deleted}/restore")).status_code == 404


async def test_a_task_that_is_not_in_the_trash_cannot_be_purged(client: AsyncClient, path: str) -> None:
    assert (await client.delete(path.replace("/tasks/", "/tasks/trash/"))).status_code == 404
    assert (await client.get(path)).status_code == 200


@pytest.mark.parametrize("call", ["restore", "purge"])
async def test_deleted_tasks_are_restored_or_purged_at_the_revision_that_was_asked_for(
    client: AsyncClient, task: dict[str, Any], deleted: str, call: str
) -> None:
    (trashed,) = (await client.get("/api/tasks/trash")).json()
    purge = deleted.replace("/tasks/", "/tasks/trash/")
    method, address, status = ("POST", f"{deleted}/restore", 200) if call == "restore" else ("DELETE", purge, 204)
    refused = await client.request(method, address, headers={"If-Match": f'"{task["revision"]}"'})
    assert (refused.status_code, refused.json()["code"]) == (412, "revision-mismatch")
    assert refused.headers["etag"] == f'"{trashed["revision"]}"'
    assert (await client.get("/api/tasks/trash")).json() == [trashed]
    done = await client.request(method, address, headers={"If-Match": refused.headers["etag"]})
    assert done.status_code == status
    assert (await client.get("/api/tasks/trash")).json() == []
    again = await client.request(method, address, headers={"If-Match": refused.headers["etag"]})
    assert again.status_code == (409 if call == "restore" else 404)


async def test_a_batch_restores_at_the_revision_that_was_asked_for(client: AsyncClient, deleted: str) -> None:
    (trashed,) = (await client.get("/api/tasks/trash")).json()
    for tag, status in (("1", 412), (trashed["revision"], 200)):
        operation = {"op": "restore", "id": trashed["id"], "if_match": f'"{tag}"'}
        response = await client.post("/api/tasks/batch", json={"operations": [operation]})
        assert response.status_code == status
    assert (await client.get(deleted)).status_code == 200


async def test_the_trash_can_be_emptied(client: AsyncClient, deleted: str) -> None:
    assert (await client.delete("/api/tasks/trash")).status_code == 204
    assert (await client.get("/api/tasks/trash")).json() == []
    assert (await client.delete("/api/tasks/trash")).status_code == 204


async def test_the_trash_has_pages(
    client: AsyncClient, as_user: Callable[..., AsyncClient], new_user_id: Callable[[], str]
) -> None:
    titles = [str(number) for number in range(5)]
    for title in titles:
        response = await client.post("/api/tasks", json={"title": title})
        await client.delete(response.headers["location"])
    found, address = [], "/api/tasks/trash?limit=2"
    while address:
        response = await client.get(address)
        found += [task["title"] for task in response.json()]
        address = response.links.get("next", {}).get("url", "")
        if address:
            for wrong in (address.replace("limit=2", "limit=3"), address[:-1], address.replace("/trash", "")):
                assert (await client.get(wrong)).json()["code"] == "invalid-cursor"
            assert (await as_user(new_user_id()).get(address)).status_code == 400
    assert found == titles[::-1]


@pytest.mark.parametrize("address", ["/api/tasks/trash", "/api/tasks/changes"])
async def test_static_paths_are_not_task_ids(client: AsyncClient, address: str) -> None:
    response = await client.patch(address, json={"title": "x"})
    assert response.status_code == 405
    assert "PATCH" not in response.headers["allow"]
