"""Lists: every call, and what becomes of their tasks."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from httpx2 import AsyncClient

from todo_api.adapters.http.schemas.lists import ReadOnlyListFields, TaskList, WritableListFields
from todo_api.domain.task_list import WRITABLE_LIST_FIELDS

CREATE = {"If-None-Match": "*"}


async def a_list(client: AsyncClient, name: str = "Groceries", **values: Any) -> dict[str, Any]:
    response = await client.post("/api/lists", json={"name": name, **values})
    assert response.status_code == 201
    document: dict[str, Any] = response.json()
    return document


async def names(client: AsyncClient) -> list[str]:
    return [found["name"] for found in (await client.get("/api/lists")).json()]


@pytest.fixture
async def mine(client: AsyncClient) -> dict[str, Any]:
    return await a_list(client, color="#1E90ff")


@pytest.fixture
def address(mine: dict[str, Any]) -> str:
    return f"/api/lists/{mine['id']}"


def test_every_field_of_a_list_is_written_or_read_only() -> None:
    assert tuple(WritableListFields.model_fields) == WRITABLE_LIST_FIELDS
    assert {*WRITABLE_LIST_FIELDS, *ReadOnlyListFields.model_fields} == TaskList.model_fields.keys()


async def test_a_new_list_has_its_values(client: AsyncClient, user_id: str) -> None:
    response = await client.post("/api/lists", json={"name": " Groceries "})
    created = response.json()
    assert (response.status_code, response.headers["etag"]) == (201, f'"{created["revision"]}"')
    assert response.headers["location"] == f"http://test/api/lists/{created['id']}"
    assert UUID(created["id"]).version == 7
    assert created["created_at"] == created["updated_at"]
    assert (created["name"], created["color"], created["user_id"]) == ("Groceries", None, user_id)
    assert (await client.get(response.headers["location"])).json() == created
    assert (await client.get("/api/lists")).json() == [created]


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_a_change_keeps_what_is_absent(
    client: AsyncClient, mine: dict[str, Any], address: str, method: str
) -> None:
    changed = await client.request(method, address, json={"name": "Food"})
    assert changed.status_code == 200
    assert changed.headers["etag"] == f'"{changed.json()["revision"]}"' != f'"{mine["revision"]}"'
    assert changed.json() | {"revision": 0, "updated_at": 0} == mine | {"name": "Food", "revision": 0, "updated_at": 0}
    cleared = await client.request(method, address, json={"color": None})
    assert (cleared.json()["name"], cleared.json()["color"]) == ("Food", None)


async def test_a_list_can_be_sent_back_as_it_is(client: AsyncClient, mine: dict[str, Any], address: str) -> None:
    for method in ("PUT", "PATCH"):
        assert (await client.request(method, address, json=mine)).json() == mine
    other = await client.post("/api/lists", json=mine)
    assert (other.status_code, other.json()["id"] == mine["id"]) == (201, False)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": None}, "name"),
        ({"name": " "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "\0"}, "name"),
        ({"name": 1}, "name"),
        ({"name": "x", "color": "red"}, "color"),
        ({"name": "x", "color": "#12345"}, "color"),
        ({"name": "x", "color": "#123456\n"}, "color"),
        ({"name": "x", "colour": "#123456"}, "colour"),
    ],
)
async def test_invalid_lists_are_refused(
    client: AsyncClient, mine: dict[str, Any], address: str, body: dict[str, Any], field: str
) -> None:
    requests = [("POST", "/api/lists", {}), ("PUT", f"/api/lists/{uuid4()}", CREATE)]
    if body:
        requests += [("PUT", address, {}), ("PATCH", address, {})]
    for method, where, headers in requests:
        response = await client.request(method, where, json=body, headers=headers)
        assert (response.status_code, response.json()["errors"][0]["field"]) == (400, field)
    assert (await client.get("/api/lists")).json() == [mine]


async def test_a_read_at_the_same_revision_is_not_modified(
    client: AsyncClient, mine: dict[str, Any], address: str
) -> None:
    for where in (address, "/api/lists"):
        tag = (await client.get(where)).headers["etag"]
        response = await client.get(where, headers={"If-None-Match": tag})
        assert (response.status_code, response.content, response.headers["etag"]) == (304, b"", tag)
    await client.post("/api/tasks", json={"title": "x"})
    assert (await client.get("/api/lists", headers={"If-None-Match": tag})).json() == [mine]
    tag = f'"{mine["revision"]}"'
    assert (await client.get(address, headers={"If-None-Match": tag})).status_code == 304


CHANGES = [
    ("PUT", "", {"name": "x"}),
    ("PATCH", "", {"name": "x"}),
    ("DELETE", "", None),
    ("POST", "/move", {"to": "end"}),
]


@pytest.mark.parametrize("call", CHANGES)
async def test_a_change_needs_the_revision_of_if_match(
    client: AsyncClient, mine: dict[str, Any], address: str, call: tuple[str, str, Any]
) -> None:
    method, suffix, body = call
    stale = await client.request(method, address + suffix, json=body, headers={"If-Match": '"1"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "revision-mismatch")
    assert stale.headers["etag"] == f'"{mine["revision"]}"'
    assert (await client.get(address)).json() == mine
    fresh = await client.request(method, address + suffix, json=body, headers={"If-Match": f'"{mine["revision"]}"'})
    assert fresh.status_code == (204 if method == "DELETE" else 200)


@pytest.mark.parametrize(("method", "suffix", "body"), [*CHANGES, ("POST", "/restore", None)])
async def test_a_retry_with_a_key_gets_the_first_response(
    client: AsyncClient, address: str, method: str, suffix: str, body: Any
) -> None:
    if suffix == "/restore":
        await client.delete(address)
    headers = {"Idempotency-Key": "once"}
    first = await client.request(method, address + suffix, json=body, headers=headers)
    again = await client.request(method, address + suffix, json=body, headers=headers)
    assert first.status_code == (204 if method == "DELETE" else 200)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"


async def test_creating_can_be_sent_again(client: AsyncClient) -> None:
    for method, where, headers in (("POST", "/api/lists", {}), ("PUT", f"/api/lists/{uuid4()}", CREATE)):
        keyed = {"Idempotency-Key": method, **headers}
        first = await client.request(method, where, json={"name": method}, headers=keyed)
        again = await client.request(method, where, json={"name": method}, headers=keyed)
        assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
        assert again.headers["location"] == first.headers["location"]
    assert await names(client) == ["POST", "PUT"]


async def test_what_becomes_of_the_tasks_is_part_of_a_request_with_a_key(client: AsyncClient, address: str) -> None:
    headers = {"Idempotency-Key": "once"}
    assert (await client.delete(address, params={"tasks": "keep"}, headers=headers)).status_code == 204
    assert (await client.delete(address, params={"tasks": "keep"}, headers=headers)).status_code == 204
    other = await client.delete(address, headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")


async def test_a_client_may_choose_ids_of_lists(client: AsyncClient) -> None:
    where = f"/api/lists/{uuid4()}"
    responses = await asyncio.gather(*(client.put(where, json={"name": str(n)}, headers=CREATE) for n in range(9)))
    assert sorted(response.status_code for response in responses) == [201] + [412] * 8
    winner = next(response for response in responses if response.status_code == 201)
    assert winner.headers["location"] == f"http://test{where}"
    refused = next(response for response in responses if response.status_code == 412)
    assert (refused.json()["code"], refused.headers["etag"]) == ("list-exists", winner.headers["etag"])
    assert (await client.get("/api/lists")).json() == [winner.json()]


async def test_an_id_of_a_list_in_the_trash_is_taken(client: AsyncClient, mine: dict[str, Any], address: str) -> None:
    await client.delete(address)
    refused = await client.put(address, json={"name": "x"}, headers=CREATE)
    assert (refused.status_code, refused.json()["code"]) == (412, "list-exists")
    assert "POST /api/lists/{id}/restore" in refused.json()["detail"]
    assert refused.headers["etag"] == f'"{mine["revision"] + 1}"'


@pytest.mark.parametrize(
    ("headers", "body", "field"),
    [
        ({"If-None-Match": '"1"'}, {"name": "x"}, "If-None-Match"),
        (CREATE | {"If-Match": "*"}, {"name": "x"}, "If-Match"),
        (CREATE, {"color": None}, "name"),
    ],
)
async def test_creating_a_list_needs_a_name_and_a_star_alone(
    client: AsyncClient, headers: dict[str, str], body: dict[str, Any], field: str
) -> None:
    response = await client.put(f"/api/lists/{uuid4()}", json=body, headers=headers)
    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, field)


CALLS = [
    ("GET", "", None),
    ("PATCH", "", {"name": "x"}),
    ("PUT", "", {"name": "x"}),
    ("DELETE", "", None),
    ("DELETE", "?tasks=keep", None),
    ("POST", "/restore", None),
    ("POST", "/move", {"to": "end"}),
]


@pytest.mark.parametrize("call", CALLS)
async def test_lists_of_others_are_like_lists_that_never_were(
    as_user: Callable[..., AsyncClient], user_id: str, mine: dict[str, Any], call: tuple[str, str, Any]
) -> None:
    method, suffix, body = call
    client, stranger, address = as_user(user_id), as_user(f"not {user_id}"), f"/api/lists/{mine['id']}"
    never = f"/api/lists/{uuid4()}"
    responses = [await stranger.request(method, where + suffix, json=body) for where in (address, never)]
    if method != "PUT":
        responses.append(await stranger.request(method, f"/api/lists/mine{suffix}", json=body))
    assert {(response.status_code, response.json()["code"]) for response in responses} == {(404, "list-not-found")}
    assert len({response.content for response in responses}) == 1
    assert (await client.get(address)).json() == mine
    assert (await client.request(method, address + suffix, json=body)).status_code in {200, 204, 409}


async def test_putting_an_id_that_is_no_uuid_says_what_an_id_is(client: AsyncClient) -> None:
    response = await client.put("/api/lists/mine", json={"name": "x"}, headers=CREATE)
    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "list_id")


async def test_there_are_at_most_500_lists(client: AsyncClient) -> None:
    for _ in range(5):
        operations = [{"op": "create_list", "name": "x"}] * 100
        assert (await client.post("/api/tasks/batch", json={"operations": operations})).status_code == 200
    response = await client.post("/api/lists", json={"name": "x"})
    assert (response.status_code, response.json()["code"]) == (409, "quota-exceeded")
    assert "500 lists" in response.json()["detail"]


async def test_lists_move(client: AsyncClient) -> None:
    a, b, c = [await a_list(client, name) for name in "abc"]
    for moved, body, order in (
        (c, {"to": "start"}, "cab"),
        (c, {"to": "end"}, "abc"),
        (a, {"after": b["id"]}, "bac"),
        (c, {"before": b["id"]}, "cba"),
    ):
        response = await client.post(f"/api/lists/{moved['id']}/move", json=body)
        assert (response.status_code, await names(client)) == (200, list(order))
        assert response.headers["etag"] == f'"{response.json()["revision"]}"'
    await client.delete(f"/api/lists/{a['id']}")
    gone = await client.post(f"/api/lists/{b['id']}/move", json={"after": a["id"]})
    assert (gone.status_code, gone.json()["code"]) == (409, "neighbour-not-found")
    itself = await client.post(f"/api/lists/{b['id']}/move", json={"after": b["id"]})
    assert itself.status_code == 400
