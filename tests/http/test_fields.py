"""Every field is supported everywhere: if a new field is missing in one place, one of these tests fails."""

from dataclasses import fields
from typing import Any
from uuid import uuid4

import pytest
from httpx2 import AsyncClient
from pydantic import BaseModel
from tests.http.imports import result

from todo_api.adapters.http.cursors import decode_cursor, encode_cursor
from todo_api.adapters.http.schemas import batch, tasks, transfer
from todo_api.adapters.http.schemas.fields import READ_ONLY
from todo_api.domain.checklist import ChecklistItem
from todo_api.domain.listing import Sort, TaskQuery
from todo_api.domain.ports import TaskRepository
from todo_api.domain.recurrence import Recurrence
from todo_api.domain.task import Task, TrashedTask
from todo_api.domain.task_changes import WRITABLE_FIELDS, TaskChanges

# A value of each writable field that is not its default, and another one.
VALUES: dict[str, tuple[Any, Any]] = {
    "title": ("Buy milk", "Buy bread"),
    "description": ("Two litres", None),
    "completed": (True, False),
    "due_date": ("2036-12-31", "2037-01-01T12:00:00Z"),
    "list_id": (None, None),  # test_lists_and_tasks.py has lists
    "priority": ("high", "low"),
    "tags": (["home", "Garden"], []),
    "checklist": (
        [{"id": "019aa2f3-7c1e-7cc3-98c4-dc0c0c07398f", "title": "Compare prices", "completed": True}],
        [{"id": "019aa2f3-7c1e-7cc3-98c4-dc0c0c073990", "title": "Take a bag", "completed": False}],
    ),
    "recurrence": (
        None,  # completing a task with a recurrence would create another one
        {"rule": "FREQ=WEEKLY;BYDAY=MO", "from": "completion", "time_zone": "Europe/Berlin"},
    ),
}
FIRST = {name: values[0] for name, values in VALUES.items()}
SECOND = {name: values[1] for name, values in VALUES.items()}


def names_of(entity: type) -> set[str]:
    return {field.name for field in fields(entity)}


def test_there_are_values_for_every_field_that_can_be_changed() -> None:
    assert VALUES.keys() == names_of(TaskChanges) == set(WRITABLE_FIELDS)


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (tasks.WritableFields, names_of(TaskChanges)),
        (tasks.ReadOnlyFields, names_of(Task) - names_of(TaskChanges)),
        (tasks.TaskCreate, names_of(Task)),
        (tasks.TaskUpdate, names_of(Task)),
        (tasks.Task, names_of(Task)),
        (tasks.TrashedTask, names_of(TrashedTask)),
        (tasks.ChecklistItem, names_of(ChecklistItem)),
        (tasks.ChecklistItemInput, names_of(ChecklistItem)),
        (tasks.Recurrence, names_of(Recurrence)),
        (tasks.RecurrenceInput, names_of(Recurrence)),
        (transfer.ImportedTask, names_of(TrashedTask)),
        (batch.CreateOperation, names_of(Task) | {"op"}),
        (batch.UpdateOperation, names_of(Task) | {"op", "if_match"}),
    ],
)
def test_schemas_have_the_fields_of_the_domain(schema: type[BaseModel], expected: set[str]) -> None:
    assert schema.model_fields.keys() == expected


@pytest.mark.parametrize("schema", [tasks.TaskCreate, tasks.TaskUpdate, batch.CreateOperation, batch.UpdateOperation])
def test_fields_that_can_be_changed_are_not_ignored(schema: type[BaseModel]) -> None:
    assert not [name for name in VALUES if schema.model_fields[name].annotation == READ_ONLY]


def written(task: dict[str, Any]) -> dict[str, Any]:
    return {name: task[name] for name in VALUES}


async def test_every_field_can_be_created_changed_and_read(client: AsyncClient) -> None:
    created = (await client.post("/api/tasks", json=FIRST)).json()
    assert written(created) == FIRST
    path = f"/api/tasks/{created['id']}"
    for method, values in (("PUT", SECOND), ("PATCH", FIRST)):
        assert written((await client.request(method, path, json=values)).json()) == values
        task = (await client.get(path)).json()
        assert written(task) == values
        assert (await client.get("/api/tasks")).json() == [task]
        assert (await client.get("/api/tasks/changes")).json()["tasks"] == [task]
    await client.delete(path)
    assert written((await client.get("/api/tasks/trash")).json()[0]) == FIRST
    assert written((await client.post(f"{path}/restore")).json()) == FIRST


async def test_every_field_can_be_created_with_a_retry_and_with_an_id(client: AsyncClient) -> None:
    for _ in range(2):
        response = await client.post("/api/tasks", json=FIRST, headers={"Idempotency-Key": "key"})
        assert written(response.json()) == FIRST
    response = await client.put(f"/api/tasks/{uuid4()}", json=FIRST, headers={"If-None-Match": "*"})
    assert written(response.json()) == FIRST


async def test_every_field_is_in_a_batch(client: AsyncClient) -> None:
    task_id = str(uuid4())
    operations = [{"op": "create", "id": task_id, **FIRST}, {"op": "update", "id": task_id, **SECOND}]
    response = await client.post("/api/tasks/batch", json={"operations": operations})
    assert [written(result["task"]) for result in response.json()["results"]] == [FIRST, SECOND]


async def test_every_field_survives_export_and_import(client: AsyncClient, as_user: Any, new_user_id: Any) -> None:
    for values in (FIRST, SECOND):
        await client.post("/api/tasks", json=values)
    deleted = (await client.post("/api/tasks", json=FIRST)).json()
    await client.delete(f"/api/tasks/{deleted['id']}")
    export = (await client.get("/api/me/export")).json()
    other = as_user(new_user_id())
    assert (await other.post("/api/me/import", json=export)).json() == result(3, 0)
    imported = (await other.get("/api/me/export")).json()
    server = {"user_id", "revision"}
    assert [{**task, **dict.fromkeys(server)} for task in imported["tasks"]] == [
        {**task, **dict.fromkeys(server)} for task in export["tasks"]
    ]


@pytest.mark.parametrize("sort", Sort)
async def test_every_sort_order_has_cursors(
    client: AsyncClient, repository: TaskRepository, user_id: str, sort: Sort
) -> None:
    for values in (FIRST, SECOND):
        await client.post("/api/tasks", json=values)
    query = TaskQuery(sort=sort, limit=1)
    position = (await repository.page(user_id, query)).next
    assert position is not None
    resumed = decode_cursor(user_id, encode_cursor(user_id, query, position))
    assert resumed is not None
    assert resumed.query.after == position
    first = await client.get("/api/tasks", params={"sort": sort, "limit": 1})
    second = await client.get(first.links["next"]["url"])
    assert first.json() != second.json()
    assert len(second.json()) == 1
