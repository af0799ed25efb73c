"""Responses that msgspec encodes directly from domain objects. See docs/decisions/responses-encoded-once.md."""

from collections.abc import Mapping

import msgspec
from starlette.responses import Response

from todo_api.adapters.http.etags import entity_tag
from todo_api.domain.task import Task

encode = msgspec.json.Encoder().encode


def task_response(task: Task, *, status_code: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    headers = {"ETag": entity_tag(task.revision), **(headers or {})}
    return Response(encode(task), status_code=status_code, headers=headers, media_type="application/json")


def created_response(base_url: str, task: Task) -> Response:
    return task_response(task, status_code=201, headers={"Location": f"{base_url}/api/tasks/{task.id}"})


def not_modified(tag: str) -> Response:
    return Response(status_code=304, headers={"ETag": tag})


def json_response(content: object, headers: Mapping[str, str] | None = None) -> Response:
    return Response(encode(content), headers=headers, media_type="application/json")
