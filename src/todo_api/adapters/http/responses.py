"""Responses that msgspec encodes directly from domain objects. See docs/decisions/responses-encoded-once.md."""

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.responses import Response

from todo_api.adapters.http.etags import entity_tag
from todo_api.domain.repetition import Repetition
from todo_api.domain.task import Task
from todo_api.domain.task_list import TaskList


def _public(value: object) -> dict[str, str]:
    """Return what clients see of a recurrence: not where the task stands in its series."""
    if isinstance(value, Repetition):
        recurrence = value.recurrence
        return {"rule": recurrence.rule, "from": recurrence.counted_from, "time_zone": recurrence.time_zone}
    raise TypeError(f"{type(value).__name__} has no JSON")


def _complete(value: object) -> dict[str, Any]:
    """Return all of a recurrence, for exports."""
    if isinstance(value, Repetition):
        return value.to_document()
    raise TypeError(f"{type(value).__name__} has no JSON")


encode = msgspec.json.Encoder(enc_hook=_public).encode
encode_export = msgspec.json.Encoder(enc_hook=_complete).encode


def task_response(task: Task, *, status_code: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    headers = {"ETag": entity_tag(task.revision), **(headers or {})}
    return Response(encode(task), status_code=status_code, headers=headers, media_type="application/json")


def created_response(base_url: str, task: Task) -> Response:
    return task_response(task, status_code=201, headers={"Location": f"{base_url}/api/tasks/{task.id}"})


def list_response(task_list: TaskList, *, status_code: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    headers = {"ETag": entity_tag(task_list.revision), **(headers or {})}
    return Response(encode(task_list), status_code=status_code, headers=headers, media_type="application/json")


def created_list_response(base_url: str, task_list: TaskList) -> Response:
    return list_response(task_list, status_code=201, headers={"Location": f"{base_url}/api/lists/{task_list.id}"})


def not_modified(tag: str) -> Response:
    return Response(status_code=304, headers={"ETag": tag})


def json_response(content: object, headers: Mapping[str, str] | None = None) -> Response:
    return Response(encode(content), headers=headers, media_type="application/json")
