"""Fuzzed bodies: never a 5xx, and accepted tasks are stored."""

import json
import time
from itertools import product
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fuzz.calls import JSON, Caller
from tests.fuzz.strategies import DEEP, bodies, fuzzed

ID = "019aa2f3-7c1e-7cc3-98c4-dc0c0c07398f"
AT = "2026-12-31T17:00:00Z"
RECURRENCE: dict[str, Any] = {"rule": "FREQ=MONTHLY;BYDAY=-1FR", "from": "due", "time_zone": "Europe/Berlin"}
TASK: dict[str, Any] = {
    "title": "Buy milk", "description": "Two litres", "completed": True, "due_date": AT, "list_id": None,
    "priority": "high", "tags": ["home", "shop"], "checklist": [{"id": ID, "title": "x"}], "recurrence": RECURRENCE,
}  # fmt: skip
LIST: dict[str, Any] = {"name": "Home", "color": "#1e90ff"}
READ_ONLY: dict[str, Any] = {"id": ID, "user_id": "x", "revision": 7, "created_at": AT, "updated_at": AT}
OPERATIONS: list[dict[str, Any]] = [
    {"op": "create", "id": ID, **TASK},
    {"op": "update", "id": ID, "if_match": '"1"', "title": "x"},
    {"op": "complete", "id": ID, "completed": False},
    {"op": "delete", "id": ID, "if_match": "*"},
    {"op": "restore", "id": ID},
    {"op": "move", "id": ID, "after": ID, "list_id": ID},
    {"op": "skip", "id": ID},
    {"op": "create_list", "id": ID, **LIST},
    {"op": "update_list", "id": ID, "color": None},
    {"op": "move_list", "id": ID, "to": "start"},
    {"op": "delete_list", "id": ID, "tasks": "keep"},
    {"op": "restore_list", "id": ID},
]
BATCH = {"atomic": False, "operations": OPERATIONS}
EXPORT: dict[str, Any] = {
    "format": "todo-api-export", "version": 1, "user_id": "x", "exported_at": AT,
    "lists": [{**LIST, **READ_ONLY, "position": "m6610f0ad83000", "deleted_at": None}],
    "tasks": [{
        **TASK, **READ_ONLY, "completed_at": AT, "deleted_at": AT, "position": "m6610f0ad83000", "series_id": ID,
        "recurrence": {
            **RECURRENCE, "sequence": 2, "kind": "instant", "anchor": "2026-11-27T18:00:00",
            "slot": "2026-12-25T18:00:00", "spawned_at": 7,
        },
    }],
}  # fmt: skip

Call = tuple[str, str, dict[str, Any]]
WRITES: list[Call] = [
    ("POST", "/api/tasks", TASK | READ_ONLY),
    ("PUT", "{task}", TASK | READ_ONLY),
    ("PATCH", "{task}", TASK | READ_ONLY),
]
CALLS: list[Call] = [
    *WRITES,
    ("PATCH", "{task}/complete", {"completed": True} | READ_ONLY),
    ("POST", "{task}/restore", {}),
    ("PATCH", "/api/tags/home", {"name": "work"}),
    ("POST", "{task}/move", {"to": "start", "list_id": None}),
    ("POST", "/api/lists", LIST | READ_ONLY),
    ("POST", "/api/tasks/batch", BATCH),
    ("POST", "/api/me/import", EXPORT),
]


def name_of(call: Call) -> str:
    return f"{call[0]} {call[1]}"


def address(call: Call, caller: Caller) -> str:
    return call[1].format(task=caller.path)


@pytest.mark.parametrize("call", CALLS, ids=name_of)
@given(data=st.data(), key=st.booleans())
@fuzzed
async def test_fuzzed_bodies(caller: Caller, call: Call, data: st.DataObject, *, key: bool) -> None:
    body = data.draw(bodies(call[2]) if call[2] else st.binary())
    headers = JSON | ({"Idempotency-Key": str(uuid4())} if key else {})
    response = await caller.send(call[0], address(call, caller), content=body, headers=headers)
    if call in WRITES and response.is_success:
        task = response.json()
        assert (await caller.send("GET", f"/api/tasks/{task['id']}")).json() == task


@given(data=st.data(), operation=st.sampled_from(OPERATIONS), atomic=st.booleans())
@fuzzed
async def test_fuzzed_batch_operations(
    caller: Caller, data: st.DataObject, operation: dict[str, Any], *, atomic: bool
) -> None:
    one = data.draw(bodies(operation))
    body = b'{"atomic":%b,"operations":[%b]}' % (b"true" if atomic else b"false", one)
    await caller.send("POST", "/api/tasks/batch", content=body, headers=JSON)


@given(data=st.data())
@fuzzed
async def test_fuzzed_import_tasks(caller: Caller, data: st.DataObject) -> None:
    one = data.draw(bodies(EXPORT["tasks"][0]))
    body = b'{"format":"todo-api-export","version":1,"tasks":[%b]}' % one
    await caller.send("POST", "/api/me/import", content=body, headers=JSON)
    inner = data.draw(bodies(EXPORT["tasks"][0]["recurrence"]))
    one = json.dumps({**EXPORT["tasks"][0], "id": str(uuid4()), "recurrence": 0}).encode()
    body = b'{"format":"todo-api-export","version":1,"tasks":[%b]}' % one.replace(
        b'"recurrence": 0', b'"recurrence":' + inner
    )
    await caller.send("POST", "/api/me/import", content=body, headers=JSON)


@given(data=st.data())
@fuzzed
async def test_fuzzed_import_lists(caller: Caller, data: st.DataObject) -> None:
    one = data.draw(bodies(EXPORT["lists"][0]))
    body = b'{"format":"todo-api-export","version":1,"lists":[%b],"tasks":[]}' % one
    await caller.send("POST", "/api/me/import", content=body, headers=JSON)


PLACES = [
    b"%b",
    b'{"title":%b}',
    b'{"title":"x","revision":%b}',  # which is accepted and ignored
    b'{"title":"x","unknown":%b}',
    b'{"operations":%b}',
    b'{"operations":[{"op":"create","title":"x","revision":%b}]}',
    b'{"format":"todo-api-export","version":1,"exported_at":%b,"tasks":[]}',
    b'{"format":"todo-api-export","version":1,"tasks":[%b]}',
    b'{"format":"todo-api-export","version":1,"lists":%b,"tasks":[]}',
    b'{"name":"x","revision":%b}',
    b'{"format":"todo-api-export","version":1,"tasks":[{"user_id":%b}]}',
]


@pytest.mark.parametrize("call", CALLS[:4] + CALLS[5:], ids=name_of)  # all that read a body
async def test_depth_is_refused_at_once(caller: Caller, call: Call) -> None:
    for place, (opening, closing), ends in product(PLACES, [(b"[", b"]"), (b'{"a":', b"}")], [DEEP, 0]):
        started = time.process_time()
        body = place % (opening * DEEP + closing * ends)
        response = await caller.send(call[0], address(call, caller), content=body, headers=JSON)
        assert response.status_code == 400
        assert len(response.content) < 2000
        assert time.process_time() - started < 1
