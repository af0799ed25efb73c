"""The manual order of tasks, and tasks that repeat."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from httpx2 import AsyncClient


async def order(client: AsyncClient) -> str:
    tasks = (await client.get("/api/tasks")).json()
    return "".join(task["title"] for task in sorted(tasks, key=lambda task: task["position"]))


@pytest.fixture
async def ids(client: AsyncClient) -> dict[str, str]:
    """The ids of four tasks, by their titles."""
    return {title: (await client.post("/api/tasks", json={"title": title})).json()["id"] for title in "abcd"}


async def move(client: AsyncClient, task_id: str, body: Any, **headers: str) -> Any:
    return await client.post(f"/api/tasks/{task_id}/move", json=body, headers=headers)


async def test_tasks_move(client: AsyncClient, ids: dict[str, str]) -> None:
    for moved, body, expected in (
        ("d", {"to": "start"}, "dabc"),
        ("d", {"to": "end"}, "abcd"),
        ("a", {"after": ids["c"]}, "bcad"),
        ("d", {"before": ids["c"]}, "bdca"),
    ):
        response = await move(client, ids[moved], body)
        assert (response.status_code, await order(client)) == (200, expected)
        assert response.headers["etag"] == f'"{response.json()["revision"]}"'
        assert (await client.get("/api/tasks", params={"sort": "position"})).json()[expected.index(moved)] == (
            response.json()
        )


async def test_a_move_to_the_place_of_a_task_changes_nothing(client: AsyncClient, ids: dict[str, str]) -> None:
    before = (await client.get(f"/api/tasks/{ids['b']}")).json()
    assert (await move(client, ids["b"], {"after": ids["a"]})).json() == before


async def test_a_task_moves_into_the_list_of_its_neighbour_or_another(client: AsyncClient, ids: dict[str, str]) -> None:
    home, work = [(await client.post("/api/lists", json={"name": "x"})).json()["id"] for _ in range(2)]
    assert (await move(client, ids["a"], {"to": "start", "list_id": home})).json()["list_id"] == home
    assert (await move(client, ids["b"], {"after": ids["a"]})).json()["list_id"] == home
    assert (await move(client, ids["b"], {"before": ids["a"], "list_id": work})).json()["list_id"] == work
    assert (await move(client, ids["b"], {"to": "end"})).json()["list_id"] == work
    assert (await move(client, ids["b"], {"to": "end", "list_id": None})).json()["list_id"] is None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"list_id": None}, "body"),
        ({"to": "start", "before": "{b}"}, "body"),
        ({"after": "{b}", "before": "{b}"}, "body"),
        ({"to": "middle"}, "to"),
        ({"to": None}, "to"),
        ({"before": None}, "before"),
        ({"before": "b"}, "before"),
        ({"before": "{a}"}, "before"),
        ({"after": "{a}"}, "after"),
        ({"to": "end", "list_id": str(uuid4())}, "list_id"),
        ({"to": "end", "position": "m"}, "position"),
    ],
)
async def test_a_move_needs_one_place(
    client: AsyncClient, ids: dict[str, str], body: dict[str, str | None], field: str
) -> None:
    body = {name: value and value.format_map(ids) for name, value in body.items()}
    response = await move(client, ids["a"], body)
    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, field)
    assert await order(client) == "abcd"


async def test_a_neighbour_that_is_not_there_is_a_conflict(
    client: AsyncClient, as_user: Callable[..., AsyncClient], user_id: str, ids: dict[str, str]
) -> None:
    theirs = (await as_user(f"other {user_id}").post("/api/tasks", json={"title": "x"})).json()["id"]
    await client.delete(f"/api/tasks/{ids['d']}")
    for neighbour in (ids["d"], theirs, str(uuid4())):
        response = await move(client, ids["a"], {"after": neighbour})
        assert (response.status_code, response.json()["code"]) == (409, "neighbour-not-found")


async def test_a_move_can_be_conditional_and_sent_again(client: AsyncClient, ids: dict[str, str]) -> None:
    stale = await move(client, ids["a"], {"to": "end"}, **{"If-Match": '"1"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "revision-mismatch")
    headers = {"If-Match": stale.headers["etag"], "Idempotency-Key": "once"}
    first = await move(client, ids["a"], {"to": "end"}, **headers)
    again = await move(client, ids["a"], {"to": "end"}, **headers)
    assert (first.status_code, again.status_code, again.json()) == (200, 200, first.json())
    assert again.headers["idempotent-replayed"] == "true"


REPEATING = {"title": "x", "due_date": "2036-01-31", "recurrence": {"rule": "FREQ=MONTHLY"}}


async def test_a_skip_answers_with_the_next_one(client: AsyncClient) -> None:
    task = (await client.post("/api/tasks", json=REPEATING)).json()
    stale = await client.post(f"/api/tasks/{task['id']}/skip", headers={"If-Match": '"1"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "revision-mismatch")
    headers = {"If-Match": f'"{task["revision"]}"', "Idempotency-Key": "once"}
    responses = [await client.post(f"/api/tasks/{task['id']}/skip", headers=headers) for _ in range(2)]
    following = responses[0].json()
    assert [response.status_code for response in responses] == [200, 200]
    assert responses[1].json() == following
    assert responses[0].headers["etag"] == f'"{following["revision"]}"'
    assert (following["due_date"], following["previous_id"]) == ("2036-02-29", task["id"])
    assert (await client.get("/api/tasks")).json() == [following]
    (trashed,) = (await client.get("/api/tasks/trash")).json()
    assert (trashed["id"], trashed["next_id"], trashed["revision"]) == (
        task["id"],
        following["id"],
        following["revision"],
    )
    (result,) = (
        await client.post("/api/tasks/batch", json={"operations": [{"op": "skip", "id": following["id"]}]})
    ).json()["results"]
    assert (result["status"], result["task"]["due_date"]) == (200, "2036-03-31")


async def test_a_task_without_another_date_cannot_be_skipped(client: AsyncClient, path: str) -> None:
    response = await client.post(f"{path}/skip")
    assert (response.status_code, response.json()["code"]) == (409, "not-recurring")
    assert (await client.get(path)).status_code == 200


async def test_the_next_dates_can_be_seen(client: AsyncClient, path: str) -> None:
    address = (await client.post("/api/tasks", json=REPEATING)).headers["location"] + "/occurrences"
    assert (await client.get(address, params={"count": 2})).json() == ["2036-02-29", "2036-03-31"]
    assert len((await client.get(address)).json()) == 10
    assert len((await client.get(address, params={"count": 100})).json()) == 100
    assert (await client.get(f"{path}/occurrences")).json() == []
    for count in ("0", "101", "x", "1.0", ""):
        response = await client.get(address, params={"count": count})
        assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "count")


@pytest.mark.parametrize(
    "call",
    [("POST", "/move", {"to": "end"}), ("POST", "/skip", None), ("GET", "/occurrences?count=2", None)],
)
async def test_tasks_of_others_are_like_tasks_that_never_were(
    as_user: Callable[..., AsyncClient], user_id: str, task: dict[str, Any], call: tuple[str, str, Any]
) -> None:
    method, suffix, body = call
    stranger = as_user(f"other {user_id}")
    ids = (task["id"], str(uuid4()), "mine")
    responses = [await stranger.request(method, f"/api/tasks/{each}{suffix}", json=body) for each in ids]
    assert {(response.status_code, response.json()["code"]) for response in responses} == {(404, "task-not-found")}
    assert len({response.content for response in responses}) == 1
