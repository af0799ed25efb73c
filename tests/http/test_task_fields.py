"""Priority, tags, checklist and recurrence: absent, null and a value, their limits and what is said about them."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from httpx2 import AsyncClient, Response

A, B = "019aa2f3-7c1e-7cc3-98c4-dc0c0c07398f", "019AA2F3-7C1E-7CC3-98C4-DC0C0C073990"
DAILY = {"rule": "FREQ=DAILY", "from": "due", "time_zone": "UTC"}
DEFAULTS: dict[str, Any] = {"priority": "none", "tags": [], "checklist": [], "recurrence": None, "list_id": None}
GIVEN: dict[str, Any] = {
    "priority": "high",
    "tags": ["home"],
    "checklist": [{"id": A, "title": "Compare prices", "completed": True}],
    "recurrence": DAILY,
}
DUE = {"due_date": "2036-12-31"}
ways = pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])


async def write(client: AsyncClient, method: str, **values: Any) -> Response:
    """Create a task with the values, or change one to them."""
    if method == "POST":
        return await client.post("/api/tasks", json={"title": "x", **values})
    task = (await client.post("/api/tasks", json={"title": "x"})).json()
    return await client.request(method, f"/api/tasks/{task['id']}", json=values)


@ways
@pytest.mark.parametrize("name", DEFAULTS)
async def test_an_absent_field_of_a_new_task_and_null_are_the_default(
    client: AsyncClient, method: str, name: str
) -> None:
    for values in ({}, {name: None}):
        response = await write(client, method, **values)
        assert response.is_success
        assert response.json()[name] == DEFAULTS[name]


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize("name", GIVEN)
async def test_a_change_keeps_absent_fields_and_null_clears_them(client: AsyncClient, method: str, name: str) -> None:
    created = (await client.post("/api/tasks", json={"title": "x", **DUE, **GIVEN})).json()
    path = f"/api/tasks/{created['id']}"
    assert {field: created[field] for field in GIVEN} == GIVEN
    kept = (await client.request(method, path, json={"title": "y"})).json()
    assert {field: kept[field] for field in GIVEN} == GIVEN
    cleared = (await client.request(method, path, json={name: None})).json()
    assert {field: cleared[field] for field in GIVEN} == GIVEN | {name: DEFAULTS[name]}


@ways
async def test_items_without_an_id_get_one(client: AsyncClient, method: str) -> None:
    items = [{"title": " a "}, {"title": "b", "completed": True}, {"title": "c", "id": B}]
    first, second, third = (await write(client, method, checklist=items)).json()["checklist"]
    assert (first["title"], first["completed"]) == ("a", False)
    assert (second["title"], second["completed"]) == ("b", True)
    assert third == {"id": B.lower(), "title": "c", "completed": False}
    assert UUID(first["id"]) != UUID(second["id"])


async def test_a_batch_gives_ids_to_items_too(client: AsyncClient) -> None:
    task_id = str(uuid4())
    operations = [
        {"op": "create", "id": task_id, "title": "x", "checklist": [{"title": "a"}]},
        {"op": "update", "id": task_id, "checklist": [{"title": "b"}]},
    ]
    response = await client.post("/api/tasks/batch", json={"operations": operations})
    assert [result["task"]["checklist"][0]["title"] for result in response.json()["results"]] == ["a", "b"]


@ways
async def test_tags_are_trimmed_and_the_first_of_equal_ones_stays(client: AsyncClient, method: str) -> None:
    tags = [" Garden", "home", "GARDEN", "Straße", "STRASSE", "🌱"]
    assert (await write(client, method, tags=tags)).json()["tags"] == ["Garden", "home", "Straße", "🌱"]


@ways
async def test_a_recurrence_has_defaults_and_is_normalized(client: AsyncClient, method: str) -> None:
    task = (await write(client, method, recurrence={"rule": "RRULE:freq=daily"}, **DUE)).json()
    assert (task["recurrence"], task["series_id"]) == (DAILY, task["id"])


@ways
async def test_a_retry_with_a_key_gets_the_same_ids(client: AsyncClient, method: str) -> None:
    path = "/api/tasks"
    if method != "POST":
        path += f"/{(await client.post(path, json={'title': 'x'})).json()['id']}"
    body = {"title": "x", "checklist": [{"title": "a"}]}
    headers = {"Idempotency-Key": "key"}
    first, retry = [await client.request(method, path, json=body, headers=headers) for _ in range(2)]
    assert first.is_success
    assert retry.json() == first.json()


@ways
@pytest.mark.parametrize(
    ("values", "field", "detail"),
    [
        ({"priority": "urgent"}, "priority", "must be 'none', 'low', 'medium' or 'high'"),
        ({"priority": 3}, "priority", "must be 'none', 'low', 'medium' or 'high'"),
        ({"tags": "home"}, "tags", "must be a valid list"),
        ({"tags": ["a", 1]}, "tags.1", "must be a valid string"),
        ({"tags": ["a", " "]}, "tags.1", "must contain a visible character"),
        ({"tags": ["x" * 51]}, "tags.0", "must have at most 50 characters, not 51"),
        ({"tags": ["a\0"]}, "tags.0", "must not contain NUL"),
        ({"tags": [f"t{n}" for n in range(21)]}, "tags", "must have at most 20 tags, not 21"),
        ({"checklist": {}}, "checklist", "must be a valid list"),
        ({"checklist": ["a"]}, "checklist.0", "must be a JSON object"),
        ({"checklist": [{}]}, "checklist.0.title", "is required"),
        ({"checklist": [{"title": "x" * 501}]}, "checklist.0.title", "must have at most 500 characters, not 501"),
        ({"checklist": [{"title": "a", "titel": "b"}]}, "checklist.0.titel", "is not a field of this request"),
        ({"checklist": [{"title": "a", "id": "1"}]}, "checklist.0.id", "must be a UUID"),
        ({"checklist": [{"title": "a", "id": None}]}, "checklist.0.id", "must be a UUID"),
        ({"checklist": [{"title": "a", "completed": 1}]}, "checklist.0.completed", "must be a valid boolean"),
        ({"checklist": [{"title": "a"}] * 101}, "checklist", "must have at most 100 items"),
        (
            {"checklist": [{"title": "a", "id": A}, {"title": "b", "id": A.upper()}]},
            "checklist",
            "must not have two items with the same id",
        ),
        ({"recurrence": "FREQ=DAILY"}, "recurrence", "must be a JSON object"),
        ({"recurrence": {}}, "recurrence.rule", "is required"),
        ({"recurrence": {"rule": "FREQ=HOURLY"}}, "recurrence.rule", "must have FREQ, one of"),
        ({"recurrence": {"rule": "FREQ=DAILY;BYHOUR=3"}}, "recurrence.rule", "must not use BYHOUR; supported are"),
        ({"recurrence": DAILY | {"from": "start"}}, "recurrence.from", "must be 'due' or 'completion'"),
        ({"recurrence": DAILY | {"time_zone": "Mars"}}, "recurrence.time_zone", "must be the name of a time zone"),
        ({"recurrence": DAILY | {"zone": "UTC"}}, "recurrence.zone", "is not a field of this request"),
        ({"recurrence": DAILY}, "recurrence", "must have a due date to start from"),
        (
            {"recurrence": {"rule": "FREQ=YEARLY;UNTIL=20200101"}, **DUE},
            "recurrence.rule",
            "must have another date in the 50 years after the due date",
        ),
        ({"list_id": "inbox"}, "list_id", "must be a UUID"),
        ({"list_id": A}, "list_id", "must be"),
    ],
)
async def test_what_is_refused_says_why(
    client: AsyncClient, method: str, values: dict[str, Any], field: str, detail: str
) -> None:
    response = await write(client, method, **values)
    assert (response.status_code, response.json()["code"]) == (400, "invalid-request")
    (error,) = response.json()["errors"]
    assert (error["location"], error["field"]) == ("body", field)
    assert error["detail"].startswith(detail)
    assert response.json()["detail"] == f"{field}: {error['detail']}"


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_a_recurring_task_keeps_its_due_date(client: AsyncClient, method: str) -> None:
    task = (await client.post("/api/tasks", json={"title": "x", "recurrence": DAILY, **DUE})).json()
    path = f"/api/tasks/{task['id']}"
    refused = await client.request(method, path, json={"due_date": None})
    assert refused.status_code == 400
    assert [error["field"] for error in refused.json()["errors"]] == ["due_date"]
    both = await client.request(method, path, json={"due_date": None, "recurrence": None})
    assert (both.status_code, both.json()["due_date"]) == (200, None)


async def test_a_batch_says_which_field_contradicts_what_is_stored(client: AsyncClient, path: str) -> None:
    operation = {"op": "update", "id": path.rpartition("/")[2], "due_date": None, "recurrence": DAILY}
    response = await client.post("/api/tasks/batch", json={"operations": [operation], "atomic": False})
    problem = response.json()["results"][0]["problem"]
    assert (problem["code"], [error["field"] for error in problem["errors"]]) == ("invalid-request", ["recurrence"])


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_a_recurring_task_can_be_sent_back_as_it_came(client: AsyncClient, method: str) -> None:
    task = (await client.post("/api/tasks", json={"title": "x", **DUE, **GIVEN})).json()
    response = await client.request(method, f"/api/tasks/{task['id']}", json=task | {"position": "a", "next_id": A})
    assert (response.status_code, response.json()) == (200, task)


async def test_completing_a_recurring_task_names_the_next_one(client: AsyncClient) -> None:
    task = (await client.post("/api/tasks", json={"title": "x", **DUE, **GIVEN})).json()
    done = (await client.patch(f"/api/tasks/{task['id']}/complete", json={"completed": True})).json()
    successor = (await client.get(f"/api/tasks/{done['next_id']}")).json()
    assert (successor["previous_id"], successor["series_id"]) == (task["id"], task["id"])
    assert (successor["due_date"], successor["recurrence"]) == ("2037-01-01", DAILY)
    assert successor["checklist"] == [GIVEN["checklist"][0] | {"completed": False}]
    assert successor["revision"] == done["revision"]
