"""Exports and imports of lists, of the manual order, and of tasks that repeat."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID

import pytest
from httpx2 import AsyncClient
from tests.http.imports import HEAD, JSON, a_task, document, result

from todo_api.adapters.http.schemas.transfer import ImportedRecurrence
from todo_api.application.accounts import CHUNK

AddUser = Callable[..., AsyncClient]
STATE = {"sequence": 3, "kind": "date", "anchor": "2036-01-31", "slot": "2036-03-31", "spawned_at": None}
MONTHLY = {"rule": "FREQ=MONTHLY", "from": "due", "time_zone": "UTC"}


def a_list(number: int = 0, **values: Any) -> dict[str, Any]:
    times = dict.fromkeys(("created_at", "updated_at"), "2026-01-02T03:04:05Z")
    return {"id": str(UUID(int=number)), "name": f"List {number}", **times, **values}


def repeating(**values: Any) -> dict[str, Any]:
    return a_task(1, due_date="2036-03-31", recurrence={**MONTHLY, **STATE, **values})


async def send(client: AsyncClient, *tasks: Any, **head: Any) -> Any:
    return await client.post("/api/me/import", json=document(*tasks, **head))


@pytest.fixture
async def exported(client: AsyncClient) -> dict[str, Any]:
    """An export with lists, an order and series."""
    places = [(await client.post("/api/lists", json={"name": name})).headers["location"] for name in ("A", "B", "C")]
    ids = [place.rpartition("/")[2] for place in places]
    await client.post(f"{places[2]}/move", json={"to": "start"})
    for values in (
        {"title": "}]", "tags": ["{", '"]'], "checklist": [{"title": "[\\"}, {"title": "}", "completed": True}]},
        {"title": "In A", "list_id": ids[0], "priority": "high", "due_date": "2036-01-31", "recurrence": MONTHLY},
        {"title": "In B", "list_id": ids[1], "due_date": "2036-01-31T09:00:00Z", "recurrence": MONTHLY},
        {"title": "In C", "list_id": ids[2], "due_date": "2036-01-31T09:00:00", "recurrence": MONTHLY},
    ):
        last = (await client.post("/api/tasks", json=values)).headers["location"]
        if "list_id" in values:
            await client.patch(last, json={"completed": True})
    await client.post(f"{last}/move", json={"to": "start"})
    await client.delete(places[1])
    found: dict[str, Any] = (await client.get("/api/me/export")).json()
    assert (len(found["lists"]), len(found["tasks"])) == (3, 7)
    return found


def without_stamps(exported: dict[str, Any]) -> list[dict[str, Any]]:
    return [{**item, "user_id": "", "revision": 0} for item in [*exported["lists"], *exported["tasks"]]]


async def test_an_import_restores_lists_order_and_series(
    client: AsyncClient, as_user: AddUser, user_id: str, exported: dict[str, Any]
) -> None:
    other = as_user(f"other {user_id}")
    response = await other.post("/api/me/import", json=exported)
    assert (response.status_code, response.json()) == (200, result(7, 0, imported_lists=3))
    assert without_stamps((await other.get("/api/me/export")).json()) == without_stamps(exported)
    assert (await other.post("/api/me/import", json=exported)).json() == result(0, 7, skipped_lists=3)
    for address in ("/api/lists", "/api/lists/trash", "/api/tasks/trash"):
        mine, theirs = [(await each.get(address)).json() for each in (client, other)]
        assert [found["id"] for found in theirs] == [found["id"] for found in mine] != []
    await other.post(f"/api/lists/{(await other.get('/api/lists/trash')).json()[0]['id']}/restore")
    assert (await other.get("/api/tasks/trash")).json() == []


@pytest.mark.parametrize("size", [1, 2, 7, 64])
async def test_parts_of_any_size_are_the_same_document(
    as_user: AddUser, user_id: str, exported: dict[str, Any], size: int
) -> None:
    other, content = as_user(f"other {user_id}"), json.dumps(exported, indent=1).encode()

    async def parts() -> AsyncIterator[bytes]:
        for start in range(0, len(content), size):
            yield content[start : start + size]

    response = await other.post("/api/me/import", content=parts(), headers=JSON)
    assert response.json() == result(7, 0, imported_lists=3)
    assert without_stamps((await other.get("/api/me/export")).json()) == without_stamps(exported)


async def test_an_export_has_the_state_of_a_series_and_nothing_else_has(client: AsyncClient) -> None:
    await send(client, repeating())
    assert (await client.get(f"/api/tasks/{UUID(int=1)}")).json()["recurrence"] == MONTHLY
    assert (await client.get("/api/me/export")).json()["tasks"][0]["recurrence"] == MONTHLY | STATE
    occurrences = await client.get(f"/api/tasks/{UUID(int=1)}/occurrences", params={"count": 3})
    assert occurrences.json() == ["2036-04-30", "2036-05-31", "2036-06-30"]


async def test_a_series_without_its_state_starts_at_the_due_date(client: AsyncClient) -> None:
    task = a_task(1, due_date="2036-03-30", recurrence={"rule": "FREQ=MONTHLY"})
    assert (await send(client, task)).json() == result(1, 0)
    exported = (await client.get("/api/me/export")).json()["tasks"][0]
    start = {"sequence": 1, "anchor": "2036-03-30", "slot": "2036-03-30"}
    assert exported["recurrence"] == MONTHLY | STATE | start
    assert exported["series_id"] == task["id"]


async def test_numbers_may_be_written_as_json_schema_allows(client: AsyncClient) -> None:
    assert (await send(client, repeating(sequence=3.0, spawned_at=7.0))).json() == result(1, 0)
    recurrence = (await client.get("/api/me/export")).json()["tasks"][0]["recurrence"]
    assert recurrence == MONTHLY | STATE | {"spawned_at": 7}
    documented = ImportedRecurrence.model_json_schema()["properties"]["sequence"]
    assert (documented["type"], documented["minimum"], documented["maximum"]) == ("integer", 1, 10**9)


async def test_many_lists_survive_export_and_import(
    client: AsyncClient, as_user: AddUser, new_user_id: Callable[[], str]
) -> None:
    count = 2 * CHUNK + 1
    names = [f"List {number}" for number in range(count)]
    for start in range(0, count, 100):
        operations = [{"op": "create_list", "name": name} for name in names[start : start + 100]]
        assert (await client.post("/api/tasks/batch", json={"operations": operations})).status_code == 200
    export = (await client.get("/api/me/export")).json()
    assert sorted(found["name"] for found in export["lists"]) == sorted(names)
    other = as_user(new_user_id())
    assert (await other.post("/api/me/import", json=export)).json() == result(0, 0, imported_lists=count)


async def test_nothing_that_is_imported_stands_beyond_the_end(client: AsyncClient) -> None:
    beyond = ["z" + "f" * 63, "m" + "f" * 13, "n" + "0" * 13]
    tasks = [a_task(number, position=position) for number, position in enumerate(beyond, 1)]
    lists = [a_list(number, position=position) for number, position in enumerate(beyond, 1)]
    assert (await send(client, a_task(4, position="m" + "0" * 13), *tasks, lists=lists)).status_code == 200
    for kind, first, in_order in (
        ("tasks", {"title": "x"}, "/api/tasks?sort=position"),
        ("lists", {"name": "x"}, "/api/lists"),
    ):
        new, moved = (await client.post(f"/api/{kind}", json=first)).json()["id"], str(UUID(int=1))
        await client.post(f"/api/{kind}/{moved}/move", json={"to": "end"})
        assert [item["id"] for item in (await client.get(in_order)).json()][-2:] == [new, moved]


async def test_the_highest_number_in_a_series_can_be_followed(client: AsyncClient) -> None:
    assert (await send(client, repeating(sequence=10**9), a_task(2))).json() == result(2, 0)
    path = f"/api/tasks/{UUID(int=1)}"
    assert (await client.post(f"{path}/move", json={"after": str(UUID(int=2))})).status_code == 200
    completed = (await client.patch(f"{path}/complete")).json()
    assert (await client.patch(f"/api/tasks/{completed['next_id']}/complete")).json()["next_id"]


async def test_the_last_task_of_a_series_can_be_imported(client: AsyncClient) -> None:
    assert (await send(client, repeating(rule="FREQ=MONTHLY;COUNT=3"))).json() == result(1, 0)
    assert (await client.get(f"/api/tasks/{UUID(int=1)}/occurrences")).json() == []
    assert (await client.patch(f"/api/tasks/{UUID(int=1)}", json={"completed": True})).json()["next_id"] is None


@pytest.mark.parametrize(
    ("task", "field"),
    [
        (repeating(rule="FREQ=HOURLY"), ".recurrence.rule"),
        (repeating(sequence=0), ".recurrence.sequence"),
        (repeating(sequence=True), ".recurrence.sequence"),
        (repeating(sequence=1.5), ".recurrence.sequence"),
        (repeating(sequence="3"), ".recurrence.sequence"),
        (repeating(sequence=10**9 + 1), ".recurrence.sequence"),
        (repeating(kind="day"), ".recurrence.kind"),
        (repeating(kind="instant", slot="2036-03-31T09:00:00"), ".recurrence.anchor"),
        (repeating(anchor="2036-01-31T09:00:00"), ".recurrence.anchor"),
        (repeating(anchor="2036-01-32"), ".recurrence.anchor"),
        (repeating(slot="2036-01-30"), ".recurrence.slot"),
        (repeating(slot="2036-01-31T09:00:00Z"), ".recurrence.slot"),
        (
            repeating(kind="floating", anchor="2036-01-31T09:00:00", slot="2036-02-29T10:00:00"),
            ".recurrence.slot",
        ),
        (repeating(spawned_at=-1), ".recurrence.spawned_at"),
        (repeating(next="x"), ".recurrence.next"),
        (a_task(1, due_date="2036-03-31", recurrence={**MONTHLY, "sequence": 2}), ".recurrence"),
        (repeating() | {"due_date": None}, ".recurrence"),
        (a_task(1, recurrence=MONTHLY), ".recurrence"),
        (a_task(1, due_date="2036-03-31", recurrence={"rule": "FREQ=DAILY;COUNT=1"}), ".recurrence.rule"),
        (a_task(1, position=""), ".position"),
        (a_task(1, position="m6610f0ad8300"), ".position"),
        (a_task(1, position="m6610f0ad83000" + "0"), ".position"),
        (a_task(1, position="m6610f0ad8300z"), ".position"),
        (a_task(1, position="m" + "1" * 64), ".position"),
        (a_task(1, series_id="x"), ".series_id"),
        (a_task(1, next_id=1), ".next_id"),
        (a_task(1, list_id="inbox"), ".list_id"),
        (a_task(1, tags=["x", ""]), ".tags.1"),
        (a_task(1, checklist=[{"title": "x"}, {"title": ""}]), ".checklist.1.title"),
        (a_task(1, checklist=[[[[[[[[]]]]]]]]), ""),
    ],
)
async def test_nonsense_is_refused_by_its_name(client: AsyncClient, task: dict[str, Any], field: str) -> None:
    response = await send(client, a_task(0), task)
    assert (response.status_code, response.json()["code"]) == (400, "invalid-request")
    assert [error["field"] for error in response.json()["errors"]] == [f"tasks.1{field}"]
    assert response.json()["imported"] == 1


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, ".name"),
        ({"name": None}, ".name"),
        ({"color": "red"}, ".color"),
        ({"position": "z"}, ".position"),
        ({"id": "1"}, ".id"),
        ({"updated_at": "2026-01-01T00:00:00Z"}, ".updated_at"),
        ({"deleted_at": "2026-01-01"}, ".deleted_at"),
        ({"title": "x"}, ".title"),
    ],
)
async def test_lists_before_an_invalid_one_are_kept(client: AsyncClient, values: dict[str, Any], field: str) -> None:
    response = await send(client, a_task(1), lists=[a_list(1), a_list(2, **values)])
    problem = response.json()
    assert (response.status_code, [error["field"] for error in problem["errors"]]) == (400, [f"lists.1{field}"])
    assert {name: problem[name] for name in result(0, 0)} == result(0, 0, imported_lists=1)
    assert [found["name"] for found in (await client.get("/api/lists")).json()] == ["List 1"]


async def test_tasks_of_lists_that_are_not_there_come_into_the_inbox(client: AsyncClient) -> None:
    tasks = [a_task(number, list_id=str(UUID(int=number))) for number in range(3)]
    lists = [a_list(1), a_list(2, deleted_at="2026-01-02T03:04:05Z")]
    assert (await send(client, *tasks, lists=lists)).json() == result(3, 0, imported_lists=2)
    found = (await client.get("/api/tasks")).json()
    assert {task["id"]: task["list_id"] for task in found} == {
        task["id"]: task["list_id"] if number == 1 else None for number, task in enumerate(tasks)
    }


@pytest.mark.parametrize(
    ("content", "code", "details"),
    [
        ({"lists": [], **HEAD, "tasks": []}, "invalid-request", ["format: is required, before the lists"]),
        ({**HEAD, "lists": []}, "invalid-request", ["tasks: is required"]),
        ({**HEAD, "lists": {}, "tasks": []}, "invalid-request", ["lists: "]),
        ({**HEAD, "lists": None, "tasks": []}, "invalid-request", ["lists: "]),
        ({**HEAD, "lists": [], "tags": [], "tasks": []}, "invalid-request", ["tags: is not a field"]),
        ({**HEAD, "lists": [1], "tasks": []}, "invalid-request", ["lists.0: must be a JSON object"]),
        ({**HEAD, "tasks": [], "lists": []}, "malformed-json", ["must be the last field"]),
    ],
)
async def test_other_orders_are_refused(client: AsyncClient, content: Any, code: str, details: list[str]) -> None:
    response = await client.post("/api/me/import", json=content)
    assert (response.status_code, response.json()["code"]) == (400, code)
    assert all(detail in response.json()["detail"] for detail in details), response.json()["detail"]


async def test_fields_may_be_between_lists_and_tasks(client: AsyncClient) -> None:
    content = {**HEAD, "lists": [a_list(1)], "user_id": "x", "exported_at": None, "tasks": [a_task(1)]}
    assert (await client.post("/api/me/import", json=content)).json() == result(1, 0, imported_lists=1)


@pytest.mark.parametrize("broken", ['{"id": [}', '{"id": {"x": 1]', "[1}", '{"tags": ["x"'])
async def test_brackets_that_do_not_match_are_malformed(client: AsyncClient, broken: str) -> None:
    content = json.dumps(document(a_task(1)))[:-2] + f", {broken}"
    response = await client.post("/api/me/import", content=content, headers=JSON)
    assert response.status_code == 400
    assert response.json()["code"] == ("invalid-request" if broken[0] == "[" else "malformed-json")
    assert response.json()["imported"] == 1
