"""If-Match and If-None-Match, and concurrent changes without them."""

import asyncio
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from httpx2 import AsyncClient, Response


def filled(template: str, task: dict[str, Any]) -> str:
    """Fill the task's revision, and the next one, into the template of a header."""
    return template.format(now=task["revision"], later=task["revision"] + 1)


async def change(client: AsyncClient, method: str, path: str, **headers: str) -> Response:
    if method == "COMPLETE":
        return await client.patch(f"{path}/complete", json={"completed": True}, headers=headers)
    if method == "DELETE":
        return await client.delete(path, headers=headers)
    return await client.request(method, path, json={"title": "changed"}, headers=headers)


every_change = pytest.mark.parametrize("method", ["PUT", "PATCH", "COMPLETE", "DELETE"])


@every_change
@pytest.mark.parametrize(
    "value",
    [
        '"{now}"',
        "*",
        'W/"{now}"',
        '"{now}",',
        ', ,"x", ,, "{now}"',
        '"0", "{now}"',
        '"x" , W/"{now}"',
        ' "{now}" ',
        '"a,b", "{now}"',
    ],
)
async def test_a_change_happens_at_the_revision_that_was_asked_for(
    client: AsyncClient, task: dict[str, Any], path: str, method: str, value: str
) -> None:
    response = await change(client, method, path, **{"If-Match": filled(value, task)})
    assert response.status_code == (204 if method == "DELETE" else 200)


@every_change
@pytest.mark.parametrize(
    "value",
    [
        '"{later}"',
        '"0"',
        '"0{now}"',
        '""',
        '"{now}x"',
        '"{later}", "3"',
        'W/"{later}"',
        '"99999999999999999999999"',
    ],
)
async def test_a_change_at_another_revision_does_not_happen(
    client: AsyncClient, task: dict[str, Any], path: str, method: str, value: str
) -> None:
    response = await change(client, method, path, **{"If-Match": filled(value, task)})
    assert (response.status_code, response.json()["code"]) == (412, "revision-mismatch")
    assert response.headers["etag"] == filled('"{now}"', task)
    assert (await client.get(path)).json() == task


@every_change
@pytest.mark.parametrize("value", ["1", '"1', "", ",", '*, "1"', '"1" "2"', 'w/"1"', '"1",x', "," * 5000 + "x", "\x7f"])
async def test_a_malformed_condition_is_refused(
    client: AsyncClient, task: dict[str, Any], path: str, method: str, value: str
) -> None:
    response = await change(client, method, path, **{"If-Match": value})
    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "If-Match")
    assert (await client.get(path)).json() == task


@every_change
@pytest.mark.parametrize("value", ["*", '"{now}"', '"{later}"'])
async def test_a_missing_task_stays_missing(
    client: AsyncClient, task: dict[str, Any], path: str, method: str, value: str
) -> None:
    await client.delete(path)
    assert (await change(client, method, path, **{"If-Match": filled(value, task)})).status_code == 404


@pytest.mark.parametrize("value", ['"{now}"', "*", 'W/"{now}"', '"7", "{now}"'])
async def test_unchanged_reads_return_304(client: AsyncClient, task: dict[str, Any], path: str, value: str) -> None:
    tag = filled('"{now}"', task)
    for address in (path, "/api/tasks", "/api/tasks?limit=1"):
        response = await client.get(address, headers={"If-None-Match": filled(value, task)})
        assert (response.status_code, response.content, response.headers["etag"]) == (304, b"", tag)


@pytest.mark.parametrize("value", ['"0"', '"{later}"', '"x"', '"{later}-gzip"', '"{now}-x"'])
async def test_reads_at_another_revision_return_the_content(
    client: AsyncClient, path: str, task: dict[str, Any], value: str
) -> None:
    headers = {"If-None-Match": filled(value, task)}
    assert (await client.get(path, headers=headers)).json() == task
    assert (await client.get("/api/tasks", headers=headers)).json() == [task]


SUFFIXES = ["-gzip", "--gzip", ";gzip", "-br", "-zstd", "-deflate", "-df", "-GZIP", "-gzip-gzip", "-br;gzip", "-dcb"]


@pytest.mark.parametrize("weak", ["", "W/"])
@pytest.mark.parametrize("suffix", SUFFIXES)
async def test_tags_that_a_proxy_has_altered_match(
    client: AsyncClient, task: dict[str, Any], path: str, suffix: str, weak: str
) -> None:
    token = (await client.get("/api/tasks/changes")).json()["next"]
    for address, tag in ((path, task["revision"]), ("/api/tasks", task["revision"]), ("/api/tasks/changes", token)):
        response = await client.get(address, headers={"If-None-Match": f'{weak}"{tag}{suffix}"'})
        assert response.status_code == 304
    altered = f'{weak}"{task["revision"]}{suffix}"'
    operation = {"op": "update", "id": task["id"], "title": task["title"], "if_match": altered}
    assert (await client.post("/api/tasks/batch", json={"operations": [operation]})).status_code == 200
    assert (await change(client, "DELETE", path, **{"If-Match": altered})).status_code == 204


async def test_every_write_gives_the_list_a_new_tag(client: AsyncClient, path: str) -> None:
    tags = [(await client.get("/api/tasks")).headers["etag"]]
    for method in ("PUT", "COMPLETE", "DELETE"):
        await change(client, method, path)
        assert (await client.get("/api/tasks", headers={"If-None-Match": tags[-1]})).status_code == 200
        tags.append((await client.get("/api/tasks")).headers["etag"])
    assert len(set(tags)) == 4


async def test_concurrent_changes_of_different_fields_all_survive(
    client: AsyncClient, task: dict[str, Any], path: str
) -> None:
    changes: list[dict[str, Any]] = [
        {"title": "new"},
        {"description": "new"},
        {"completed": True},
        {"due_date": "2027-01-01"},
    ]
    responses = await asyncio.gather(*(client.patch(path, json=fields) for fields in changes))
    assert {response.status_code for response in responses} == {200}
    changed = (await client.get(path)).json()
    assert {name: changed[name] for fields in changes for name in fields} == {
        name: value for fields in changes for name, value in fields.items()
    }
    assert changed["revision"] == task["revision"] + 4


@pytest.mark.parametrize("count", [50, 101])
async def test_concurrent_toggles_flip_as_often_as_they_were_sent(
    client: AsyncClient, task: dict[str, Any], path: str, count: int
) -> None:
    responses = await asyncio.gather(*(client.patch(f"{path}/complete") for _ in range(count)))
    assert {response.status_code for response in responses} == {200}
    revisions = sorted(response.json()["revision"] - task["revision"] for response in responses)
    assert revisions == list(range(1, count + 1))
    assert (await client.get(path)).json()["completed"] is bool(count % 2)


async def test_of_concurrent_changes_at_one_revision_one_happens(
    client: AsyncClient, task: dict[str, Any], path: str
) -> None:
    headers = {"If-Match": filled('"{now}"', task)}
    responses = await asyncio.gather(*(client.patch(path, json={"title": f"t{n}"}, headers=headers) for n in range(20)))
    assert sorted(response.status_code for response in responses) == [200] + [412] * 19
    winner = next(response.json() for response in responses if response.status_code == 200)
    assert (await client.get(path)).json() == winner


MINE = "/api/tasks/0b5a1c1e-3f0e-4f5e-9a51-8f5f6d1c2a30"
CREATE = {"If-None-Match": "*"}


async def test_a_client_may_choose_task_ids(client: AsyncClient) -> None:
    response = await client.put(MINE, json={"title": "Offline", "completed": True}, headers=CREATE)
    tag = filled('"{now}"', response.json())
    assert (response.status_code, response.headers["location"], response.headers["etag"]) == (
        201,
        f"http://test{MINE}",
        tag,
    )
    assert (response.json()["title"], response.json()["completed"]) == ("Offline", True)
    assert (await client.get(MINE)).json() == response.json()


async def test_a_task_is_created_once_however_often_it_is_sent(client: AsyncClient) -> None:
    responses = await asyncio.gather(*(client.put(MINE, json={"title": str(n)}, headers=CREATE) for n in range(50)))
    assert sorted(response.status_code for response in responses) == [201] + [412] * 49
    assert {response.json()["code"] for response in responses if response.status_code == 412} == {"task-exists"}
    winner = next(response.json() for response in responses if response.status_code == 201)
    assert {response.headers["etag"] for response in responses} == {filled('"{now}"', winner)}
    assert (await client.get("/api/tasks")).json() == [winner]


async def test_an_id_in_the_trash_is_taken(client: AsyncClient) -> None:
    created = (await client.put(MINE, json={"title": "x"}, headers=CREATE)).json()
    await client.delete(MINE)
    response = await client.put(MINE, json={"title": "y"}, headers=CREATE)
    assert (response.status_code, response.headers["etag"]) == (412, filled('"{later}"', created))
    batch = {"operations": [{"op": "create", "id": created["id"], "title": "y"}]}
    for refused in (response, await client.post("/api/tasks/batch", json=batch)):
        assert (refused.json()["code"], "/restore" in refused.json()["detail"]) == ("task-exists", True)
    await client.delete("/api/tasks/trash")
    assert (await client.put(MINE, json={"title": "y"}, headers=CREATE)).status_code == 201


@pytest.mark.parametrize(
    ("headers", "body", "field"),
    [
        ({"If-None-Match": '"1"'}, {"title": "x"}, "If-None-Match"),
        (CREATE | {"If-Match": '"1"'}, {"title": "x"}, "If-Match"),
        (CREATE | {"If-Match": "*"}, {"title": "x"}, "If-Match"),
        (CREATE, {"completed": True}, "title"),
    ],
)
async def test_creating_needs_a_title_and_a_star_alone(
    client: AsyncClient, headers: dict[str, str], body: dict[str, Any], field: str
) -> None:
    response = await client.put(MINE, json=body, headers=headers)
    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, field)
    assert (await client.get(MINE)).status_code == 404


EVALUATED = {
    ("PUT", "/api/tasks/{task_id}", "If-None-Match"),
    ("PUT", "/api/tasks/{task_id}", "If-Match"),
    ("PATCH", "/api/tasks/{task_id}", "If-Match"),
    ("PATCH", "/api/tasks/{task_id}/complete", "If-Match"),
    ("DELETE", "/api/tasks/{task_id}", "If-Match"),
    ("POST", "/api/tasks/{task_id}/restore", "If-Match"),
    ("DELETE", "/api/tasks/trash/{task_id}", "If-Match"),
    ("POST", "/api/tasks/{task_id}/move", "If-Match"),
    ("POST", "/api/tasks/{task_id}/skip", "If-Match"),
    ("PUT", "/api/lists/{list_id}", "If-None-Match"),
    ("PUT", "/api/lists/{list_id}", "If-Match"),
    ("PATCH", "/api/lists/{list_id}", "If-Match"),
    ("DELETE", "/api/lists/{list_id}", "If-Match"),
    ("POST", "/api/lists/{list_id}/restore", "If-Match"),
    ("POST", "/api/lists/{list_id}/move", "If-Match"),
}


async def test_every_call_evaluates_a_precondition_or_refuses_it(
    app: FastAPI, client: AsyncClient, task: dict[str, Any]
) -> None:
    for route in [route for route in app.routes if isinstance(route, APIRoute)]:
        address = route.path_format.format(task_id=task["id"], list_id=task["id"], tag="home")
        for method in route.methods or ():
            for header in ("If-Match", "If-None-Match"):
                if (method, route.path_format, header) in EVALUATED or (method, header) == ("GET", "If-None-Match"):
                    continue
                response = await client.request(method, address, headers={header: "*"})
                assert (response.status_code, response.json()["code"]) == (400, "unsupported-precondition"), address
                assert response.json()["errors"][0]["field"] == header
    assert (await client.get("/api/tasks")).json() == [task]


async def test_a_read_without_a_tag_ignores_if_none_match(client: AsyncClient) -> None:
    for address in ("/api/me", "/api/tasks/trash", "/api/lists/trash", "/health"):
        assert (await client.get(address, headers={"If-None-Match": "*"})).status_code == 200


@pytest.mark.parametrize("headers", [{}, CREATE])
async def test_putting_an_id_that_is_not_a_uuid_says_what_an_id_is(
    client: AsyncClient, headers: dict[str, str]
) -> None:
    response = await client.put("/api/tasks/mine", json={"title": "x"}, headers=headers)
    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == "task_id"
    assert "UUID" in response.json()["detail"]
