"""Idempotency-Key: a retried request is run once."""

import asyncio
from collections.abc import AsyncIterator, Callable
from hashlib import blake2b
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient, Response
from starlette.requests import Request
from tests.http.imports import JSON, a_task, result, whole

from todo_api.adapters.http.idempotency import idempotency_key

CALLS = ["/api/tasks", "/api/tasks/batch"]
BODIES = {"/api/tasks": {"title": "Once"}, "/api/tasks/batch": {"operations": [{"op": "create", "title": "Once"}]}}


def key(value: str | None = None) -> dict[str, str]:
    return {"Idempotency-Key": value or str(uuid4())}


async def count(client: AsyncClient) -> int:
    return len((await client.get("/api/tasks")).json())


def without(response: Response, *names: str) -> dict[str, str]:
    return {name: value for name, value in response.headers.items() if name not in names}


@pytest.mark.parametrize("call", CALLS)
async def test_the_same_request_gets_the_first_response_again(client: AsyncClient, call: str) -> None:
    headers = key()
    first = await client.post(call, json=BODIES[call], headers=headers)
    assert first.status_code == (201 if call == "/api/tasks" else 200)
    assert "idempotent-replayed" not in first.headers
    await client.post(call, json=BODIES[call])
    for _ in range(2):
        again = await client.post(call, json=BODIES[call], headers=headers)
        assert (again.status_code, again.content) == (first.status_code, first.content)
        assert again.headers["idempotent-replayed"] == "true"
        assert without(again, "idempotent-replayed") == without(first)
    assert await count(client) == 2


async def test_a_key_does_not_change_the_response(client: AsyncClient) -> None:
    plain = await client.post("/api/tasks", json={"title": "Once"})
    named = await client.post("/api/tasks", json={"title": "Once"}, headers=key())
    assert without(named, "location", "etag") == without(plain, "location", "etag")
    own = dict.fromkeys(("id", "revision", "position", "created_at", "updated_at"))
    assert named.json() | own == plain.json() | own
    assert (await client.get(named.headers["location"])).json() == named.json()
    assert named.headers["etag"] == f'"{named.json()["revision"]}"'


async def test_the_response_stays_when_the_task_changes(client: AsyncClient) -> None:
    headers = key()
    first = await client.post("/api/tasks", json={"title": "Once"}, headers=headers)
    await client.patch(first.headers["location"], json={"title": "Changed"})
    await client.delete(first.headers["location"])
    again = await client.post("/api/tasks", json={"title": "Once"}, headers=headers)
    assert (again.status_code, again.json()) == (201, first.json())
    assert await count(client) == 0


async def test_the_same_json_is_the_same_request(client: AsyncClient) -> None:
    headers = {**key(), "Content-Type": "application/json"}
    await client.post("/api/tasks", content=b'{"title": "a", "completed": true}', headers=headers)
    again = await client.post("/api/tasks", content=b'{"completed":true,\n"title":"\\u0061"}', headers=headers)
    assert (again.status_code, again.headers["idempotent-replayed"]) == (201, "true")


@pytest.mark.parametrize("call", CALLS)
async def test_another_request_under_the_key_is_refused(client: AsyncClient, call: str) -> None:
    headers = key()
    await client.post("/api/tasks", json={"title": "Other"}, headers=headers)
    response = await client.post(call, json=BODIES[call], headers=headers)
    assert (response.status_code, response.json()["code"]) == (422, "idempotency-key-reused")
    assert response.headers["content-type"] == "application/problem+json"
    assert await count(client) == 1


@pytest.mark.parametrize(
    ("call", "bad", "status"),
    [
        ("/api/tasks", {"title": ""}, 400),
        ("/api/tasks/batch", {"operations": []}, 400),
        ("/api/tasks/batch", {"operations": [{"op": "create", "title": "x"}, {"op": "create"}]}, 400),
        ("/api/tasks/batch", {"operations": [{"op": "delete", "id": "00000000-0000-7000-8000-000000000000"}]}, 404),
    ],
)
async def test_error_responses_are_not_stored(client: AsyncClient, call: str, bad: dict[str, Any], status: int) -> None:
    await client.post("/api/tasks", json={"title": "There is an account"})
    headers = key()
    assert (await client.post(call, json=bad, headers=headers)).status_code == status
    response = await client.post(call, json=BODIES[call], headers=headers)
    assert response.status_code in {200, 201}
    assert "idempotent-replayed" not in response.headers


async def test_users_have_separate_keys(
    client: AsyncClient, as_user: Callable[..., AsyncClient], new_user_id: Callable[[], str]
) -> None:
    headers, stranger = key(), as_user(new_user_id())
    mine = await client.post("/api/tasks", json={"title": "Mine"}, headers=headers)
    theirs = await stranger.post("/api/tasks", json={"title": "Mine"}, headers=headers)
    assert theirs.status_code == 201
    assert theirs.json()["id"] != mine.json()["id"]
    assert "idempotent-replayed" not in theirs.headers


@pytest.mark.parametrize("value", ["", " ", "x" * 256, "a b", "ä", "a\x7f"])
async def test_an_invalid_key_is_refused(client: AsyncClient, value: str) -> None:
    response = await client.post("/api/tasks", json={"title": "x"}, headers=[(b"Idempotency-Key", value.encode())])
    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "Idempotency-Key")
    assert await count(client) == 0


async def test_two_keys_are_refused(client: AsyncClient) -> None:
    headers = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    assert (await client.post("/api/tasks", json={"title": "x"}, headers=headers)).status_code == 400


@pytest.mark.parametrize("call", CALLS)
async def test_fifty_concurrent_retries_create_one_task(client: AsyncClient, call: str) -> None:
    headers = key()
    responses = await asyncio.gather(*(client.post(call, json=BODIES[call], headers=headers) for _ in range(50)))
    good = [response for response in responses if response.status_code in {200, 201}]
    for response in responses:
        if response not in good:
            assert (response.status_code, response.json()["code"]) == (409, "idempotency-key-in-use")
            assert response.headers["retry-after"] == "1"
    assert len({response.content for response in good}) == 1
    assert sum("idempotent-replayed" not in response.headers for response in good) == 1
    assert await count(client) == 1


async def test_a_restore_can_be_sent_again(client: AsyncClient, task: dict[str, Any], path: str) -> None:
    headers = key()
    refused = await client.post(f"{path}/restore", headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (409, "task-not-in-trash")
    await client.delete(path)
    first = await client.post(f"{path}/restore", headers=headers)
    again = await client.post(f"{path}/restore", headers=headers)
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert first.json() == {**task, "revision": task["revision"] + 2}
    assert again.headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize("name", ["Idempotency-Key", "If-Match"])
@pytest.mark.parametrize("call", ["PATCH", "PUT", "PATCH /complete", "DELETE"])
async def test_changes_with_a_key_happen_once(
    client: AsyncClient, task: dict[str, Any], path: str, call: str, name: str
) -> None:
    """With If-Match too: the retry finds another revision, and gets the success that the first attempt was."""
    method, _, suffix = call.partition(" ")
    body = {"title": "Once"} if call in {"PATCH", "PUT"} else None
    headers = {"If-Match": f'"{task["revision"]}"'} | key() if name == "If-Match" else key()
    first = await client.request(method, path + suffix, json=body, headers=headers)
    tag = (await client.get("/api/tasks")).headers["etag"]
    again = await client.request(method, path + suffix, json=body, headers=headers)
    assert first.status_code == again.status_code == (204 if call == "DELETE" else 200)
    assert (again.content, again.headers.get("etag")) == (first.content, first.headers.get("etag"))
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert (await client.get("/api/tasks")).headers["etag"] == tag
    other = await client.patch(path, json={"title": "Other"}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")


async def test_a_retry_with_an_altered_tag_or_another_spelling_of_the_id_is_the_same_request(
    client: AsyncClient, task: dict[str, Any], path: str
) -> None:
    headers = key()
    for tag, address in (("{}", path), ("{}-gzip", path), ("{}", path.upper().replace("/API/TASKS", "/api/tasks"))):
        match = {"If-Match": 'W/"' + tag.format(task["revision"]) + '"'}
        response = await client.patch(address, json={"title": "Once"}, headers=headers | match)
        assert (response.status_code, response.json()["title"]) == (200, "Once")
    other = await client.patch(path, json={"title": "Once"}, headers=headers | {"If-Match": '"1"'})
    assert other.status_code == 422


async def test_a_task_with_an_id_of_the_client_is_created_once(client: AsyncClient) -> None:
    mine, headers = f"/api/tasks/{uuid4()}", key() | {"If-None-Match": "*"}
    first = await client.put(mine, json={"title": "Once"}, headers=headers)
    again = await client.put(mine, json={"title": "Once"}, headers=headers)
    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["location"] == f"http://test{mine}"


async def test_a_purge_can_be_sent_again(client: AsyncClient, path: str) -> None:
    await client.delete(path)
    purge, headers = path.replace("/tasks/", "/tasks/trash/"), key()
    responses = [await client.delete(purge, headers=headers) for _ in range(2)]
    assert [response.status_code for response in responses] == [204, 204]
    assert responses[1].headers["idempotent-replayed"] == "true"
    assert (await client.get("/api/tasks/trash")).json() == []


async def test_a_late_retry_does_not_empty_the_trash_again(client: AsyncClient) -> None:
    paths = [(await client.post("/api/tasks", json={"title": "x"})).headers["location"] for _ in range(3)]
    headers = key()
    for path in paths[:2]:
        await client.delete(path)
    assert (await client.delete("/api/tasks/trash", headers=headers)).status_code == 204
    assert (await client.get("/api/tasks/trash")).json() == []
    await client.delete(paths[2])
    again = await client.delete("/api/tasks/trash", headers=headers)
    assert (again.status_code, again.headers["idempotent-replayed"]) == (204, "true")
    assert len((await client.get("/api/tasks/trash")).json()) == 1
    assert (await client.delete("/api/tasks/trash", headers=key())).status_code == 204
    assert (await client.get("/api/tasks/trash")).json() == []


async def test_a_late_retry_of_a_users_first_request_does_not_empty_the_trash(client: AsyncClient) -> None:
    headers = key()
    assert (await client.delete("/api/tasks/trash", headers=headers)).status_code == 204
    path = (await client.post("/api/tasks", json={"title": "x"})).headers["location"]
    await client.delete(path)
    again = await client.delete("/api/tasks/trash", headers=headers)
    assert (again.status_code, again.headers["idempotent-replayed"]) == (204, "true")
    assert len((await client.get("/api/tasks/trash")).json()) == 1


async def test_a_late_retry_does_not_import_again(client: AsyncClient) -> None:
    headers, content = key() | JSON, whole(a_task(1), a_task(2))
    first = await client.post("/api/me/import", content=content, headers=headers)
    assert (first.status_code, first.json()) == (200, result(2, 0))
    for task in (await client.get("/api/tasks")).json():
        await client.delete(f"/api/tasks/{task['id']}")
    await client.delete("/api/tasks/trash")
    again = await client.post("/api/me/import", content=content, headers=headers)
    assert (again.status_code, again.json()) == (200, first.json())
    assert again.headers["idempotent-replayed"] == "true"
    assert await count(client) == 0
    assert (await client.post("/api/me/import", content=content, headers=key() | JSON)).json() == first.json()


async def test_another_document_under_the_key_is_refused(client: AsyncClient) -> None:
    headers = key() | JSON
    assert (await client.post("/api/me/import", content=whole(a_task(1)), headers=headers)).status_code == 200
    other = await client.post("/api/me/import", content=whole(a_task(2)), headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")
    assert await count(client) == 1


async def test_an_import_whose_stored_response_is_erased_meanwhile_can_be_sent_again(client: AsyncClient) -> None:
    headers, content = key() | JSON, whole(a_task(1))
    await client.post("/api/me/import", content=content, headers=headers)

    async def erasing() -> AsyncIterator[bytes]:
        yield content[:20]
        assert (await client.delete("/api/me")).status_code == 204
        yield content[20:]

    again = await client.post("/api/me/import", content=erasing(), headers=headers)
    assert (again.status_code, again.json()["code"]) == (409, "idempotency-key-in-use")
    assert (await client.post("/api/me/import", content=content, headers=headers)).json()["imported"] == 1


async def test_a_failed_import_runs_again(client: AsyncClient) -> None:
    headers = key() | JSON
    failed = await client.post("/api/me/import", content=whole(a_task(1))[:-1], headers=headers)
    assert (failed.status_code, failed.json()["imported"]) == (400, 1)
    again = await client.post("/api/me/import", content=whole(a_task(1), a_task(2)), headers=headers)
    assert again.json() == result(1, 1)


async def test_preconditions_are_part_of_the_request(client: AsyncClient) -> None:
    mine, headers = f"/api/tasks/{uuid4()}", key()
    created = await client.put(mine, json={"title": "Once"}, headers=headers | {"If-None-Match": "*"})
    assert created.status_code == 201
    other = await client.put(mine, json={"title": "Once"}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")


REFUSING = {("delete", "/api/me")}  # it deletes the stored keys too


def test_every_call_that_writes_takes_a_key_or_refuses_it(app: FastAPI) -> None:
    without_key = {
        (method, path)
        for path, operations in app.openapi()["paths"].items()
        for method, operation in operations.items()
        if method != "get" and "Idempotency-Key" not in {each["name"] for each in operation.get("parameters", ())}
    }
    assert without_key == REFUSING


async def test_erasing_refuses_a_key(client: AsyncClient, path: str) -> None:
    response = await client.delete("/api/me", headers=key())
    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "Idempotency-Key")
    assert (await client.get(path)).status_code == 200
    assert (await client.delete("/api/me")).status_code == 204


@pytest.mark.parametrize("headers", [[], [(b"if-match", b"*")]])
async def test_stored_keys_of_requests_without_preconditions_stay_valid(headers: list[tuple[bytes, bytes]]) -> None:
    """The digest is the one of the first releases that stored keys."""
    route = SimpleNamespace(body_field=None)
    scope = {"type": "http", "method": "DELETE", "path": "/api/tasks/1", "query_string": b"", "route": route}
    given = await idempotency_key(Request({**scope, "headers": [(b"host", b"test"), *headers]}), ["k"])
    assert given is not None
    assert (given.fingerprint == blake2b(b"DELETE /api/tasks/1\n", digest_size=32).digest()) is (not headers)
