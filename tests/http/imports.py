"""Documents to import, good and bad."""

import json
from typing import Any
from uuid import UUID

from httpx2 import AsyncClient

JSON = {"Content-Type": "application/json"}
HEAD = {"format": "todo-api-export", "version": 1}


def a_task(number: int = 0, **values: Any) -> dict[str, Any]:
    times = dict.fromkeys(("created_at", "updated_at"), "2026-01-02T03:04:05Z")
    return {"id": str(UUID(int=number)), "title": f"Task {number}", **times, **values}


def document(*tasks: Any, **head: Any) -> dict[str, Any]:
    return {**HEAD, **head, "tasks": list(tasks)}


def whole(*tasks: dict[str, Any]) -> bytes:
    return json.dumps(document(*tasks)).encode()


def result(imported: int, skipped: int, *, imported_lists: int = 0, skipped_lists: int = 0) -> dict[str, int]:
    """Return the result of an import."""
    return {
        "imported": imported,
        "skipped": skipped,
        "imported_lists": imported_lists,
        "skipped_lists": skipped_lists,
    }


MALFORMED = {
    "nothing": (b"", 0),
    "white space": (b"  \n", 0),
    "no object": (b"{", 0),
    "a broken head": (whole(a_task(1)).replace(b'"version": 1', b'"version": 01'), 0),
    "no number": (whole(a_task(1)).replace(b'"format"', b'"user_id": NaN, "format"'), 0),
    "a bracket too many": (b'{"format": "todo-api-export", "version": 1]', 0),
    "an end in the head": (whole()[:20], 0),
    "an end before the tasks": (whole()[:-2], 0),
    "an end in a task": (whole(a_task(1), a_task(2))[:-20], 1),
    "an end in a string": (whole(a_task(1), a_task(2)).partition(b"Task 2")[0], 1),
    "an end behind a backslash": (whole(a_task(1), a_task(2)).partition(b"Task 2")[0] + b"\\", 1),
    "an end between tasks": (whole(a_task(1), a_task(2)).partition(b"}, ")[0] + b"},", 1),
    "an end behind the tasks": (whole(a_task(1))[:-1], 1),
    "no comma": (whole(a_task(1), a_task(2)).replace(b"}, {", b"} {"), 1),
    "another mark": (whole(a_task(1), a_task(2)).replace(b"}, {", b"}; {"), 1),
    "another bracket": (whole(a_task(1))[:-2] + b"}}", 1),
    "a field behind the tasks": (whole(a_task(1))[:-1] + b', "version": 1}', 1),
    "something behind the document": (whole(a_task(1)) + b" {}", 1),
    "much behind the document": (whole(a_task(1)) + b" " * 100_000 + b"x", 1),
    "no JSON in a task": (whole(a_task(1), a_task(2)).replace(b'"Task 2"', b"Task 2"), 1),
    "a comma too many": (whole(a_task(1), a_task(2)).replace(b'"Task 2"', b'"Task 2",'), 1),
    "no number in a task": (whole(a_task(1), a_task(2, revision=0)).replace(b'"revision": 0', b'"revision": NaN'), 1),
    "no UTF-8": (whole(a_task(1), a_task(2)).replace(b"Task 2", b"Task \xff"), 1),
    "a control character": (whole(a_task(1), a_task(2)).replace(b"Task 2", b"Task \n"), 1),
}


async def titles(client: AsyncClient) -> list[str]:
    return sorted(task["title"] for task in (await client.get("/api/tasks")).json())
