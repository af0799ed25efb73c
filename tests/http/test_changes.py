"""Delta sync: a client that keeps a copy up to date, and its errors."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from httpx2 import AsyncClient

CHANGES = "/api/tasks/changes"


class Copy:
    """A client's copy: the tasks and lists by their ids, and the token."""

    def __init__(self, client: AsyncClient, limit: int = 1000) -> None:
        self.client, self.limit = client, limit
        self.tasks: dict[str, dict[str, Any]] = {}
        self.lists: dict[str, dict[str, Any]] = {}
        self.token: str | None = None

    async def catch_up(self) -> None:
        while True:
            since = {} if self.token is None else {"since": self.token}
            response = await self.client.get(CHANGES, params={"limit": self.limit, **since})
            assert response.status_code == 200
            page = response.json()
            assert list(page) == ["tasks", "deleted", "lists", "deleted_lists", "next", "has_more"]
            assert response.headers["etag"] == f'"{page["next"]}"'
            self.tasks |= {task["id"]: task for task in page["tasks"]}
            self.lists |= {found["id"]: found for found in page["lists"]}
            for gone in page["deleted"]:
                self.tasks.pop(gone["id"], None)
            for gone in page["deleted_lists"]:
                self.lists.pop(gone["id"], None)
            self.token = page["next"]
            if not page["has_more"]:
                return


@pytest.mark.parametrize("limit", [1, 2, 1000])
async def test_a_copy_is_kept_up_to_date(client: AsyncClient, limit: int) -> None:
    copy, late = Copy(client, limit), Copy(client, limit)
    await copy.catch_up()
    assert copy.tasks == {}
    paths = [(await client.post("/api/tasks", json={"title": str(n)})).headers["location"] for n in range(4)]
    await copy.catch_up()
    await client.patch(paths[0], json={"title": "changed"})
    await client.delete(paths[1])
    await client.delete(paths[2])
    await client.post(f"{paths[2]}/restore")
    await client.delete("/api/tasks/trash")
    for one in (copy, late):
        await one.catch_up()
        assert one.tasks == {task["id"]: task for task in (await client.get("/api/tasks")).json()}
        assert sorted(task["title"] for task in one.tasks.values()) == ["2", "3", "changed"]
    assert copy.token == late.token


@pytest.mark.parametrize("limit", [1, 2, 3, 1000])
async def test_a_copy_has_the_lists_too(client: AsyncClient, limit: int) -> None:
    copy, late = Copy(client, limit), Copy(client, limit)
    places = [(await client.post("/api/lists", json={"name": str(n)})).headers["location"] for n in range(4)]
    ids = [place.rpartition("/")[2] for place in places]
    tasks = [(await client.post("/api/tasks", json={"title": str(n)})).json()["id"] for n in range(3)]
    operations = [{"op": "move", "id": tasks[n], "to": "end", "list_id": ids[n]} for n in range(2)]
    await client.post("/api/tasks/batch", json={"operations": operations})
    await copy.catch_up()
    await client.patch(places[3], json={"name": "changed"})
    await client.delete(places[0])
    await client.delete(places[1], params={"tasks": "keep"})
    await client.delete(places[2])
    await client.post(f"{places[2]}/restore")
    for one in (copy, late):
        await one.catch_up()
        assert one.tasks == {task["id"]: task for task in (await client.get("/api/tasks")).json()}
        assert one.lists == {found["id"]: found for found in (await client.get("/api/lists")).json()}
    assert len(copy.tasks) == len(copy.lists) == 2
    assert copy.token == late.token


async def test_nothing_new_is_an_empty_page_or_304(client: AsyncClient, path: str) -> None:
    token = (await client.get(CHANGES)).json()["next"]
    page = (await client.get(CHANGES, params={"since": token})).json()
    assert page == {"tasks": [], "deleted": [], "lists": [], "deleted_lists": [], "next": token, "has_more": False}
    conditions = (f'"{token}"', f'W/"{token}"', token)
    for condition in conditions:
        response = await client.get(CHANGES, params={"since": token}, headers={"If-None-Match": condition})
        assert (response.status_code, response.content) == (304, b"")
    await client.patch(f"{path}/complete")
    for condition in conditions:
        response = await client.get(CHANGES, params={"since": token}, headers={"If-None-Match": condition})
        assert [task["completed"] for task in response.json()["tasks"]] == [True]


async def test_a_token_of_another_user_or_a_damaged_one_is_refused(
    client: AsyncClient, as_user: Callable[..., AsyncClient], new_user_id: Callable[[], str], path: str
) -> None:
    token = (await client.get(CHANGES)).json()["next"]
    cursor = "AAAAAAAAAAAxMjM"
    for text in (token[:-1], token + "A", f"{token}=", "", "1", cursor, token.swapcase()):
        response = await client.get(CHANGES, params={"since": text})
        assert (response.status_code, response.json()["code"]) == (400, "invalid-sync-token")
    response = await as_user(new_user_id()).get(CHANGES, params={"since": token})
    assert (response.status_code, response.json()["code"]) == (400, "invalid-sync-token")


async def test_nothing_is_missed_while_others_write(client: AsyncClient) -> None:
    copy = Copy(client, limit=3)

    async def write(number: int) -> None:
        location = (await client.post("/api/tasks", json={"title": str(number)})).headers["location"]
        await client.patch(location, json={"description": "x"})
        if number % 3 == 0:
            await client.delete(location)

    async def follow() -> None:
        for _ in range(20):
            await copy.catch_up()

    await asyncio.gather(follow(), *(write(number) for number in range(60)))
    await copy.catch_up()
    assert copy.tasks == {task["id"]: task for task in (await client.get("/api/tasks")).json()}
    assert len(copy.tasks) == 40
