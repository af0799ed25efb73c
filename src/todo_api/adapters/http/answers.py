"""How the calls are declared and answered: what those of all groups share."""

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import FastAPI, Path, Response
from fastapi.responses import JSONResponse
from pydantic.alias_generators import to_camel
from starlette.convertors import StringConvertor, register_url_convertor

from todo_api.adapters.http import schemas
from todo_api.adapters.http.documentation import Responses
from todo_api.adapters.http.etags import entity_tag
from todo_api.adapters.http.routing import ProtectedRoute
from todo_api.domain.errors import TaskNotFoundError
from todo_api.domain.task import Task

PATH = "/api/tasks"

# Browsers keep the answer for this user, and ask before they use it; caches that users share do not keep it.
PRIVATE = {"Cache-Control": "private, no-cache", "Vary": "Authorization"}


class _TaskIdConvertor(StringConvertor):
    """Any text but the names of the other addresses below `/api/tasks`, which then know their own methods alone."""

    regex = "(?!(?:batch|changes|events|trash)(?:/|$))[^/]+"


register_url_convertor("task_id", _TaskIdConvertor())

TASK_PATH = "/{task_id:task_id}"
TaskId = Annotated[str, Path(description="The task's id.", json_schema_extra={"format": "uuid"})]

_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

encode = msgspec.json.Encoder().encode


def add_call(
    app: FastAPI,
    method: str,
    path: str,
    endpoint: Callable[..., Any],
    responses: Responses,
    *headers: Mapping[str, Any],
    model: Any = schemas.Task,
    status_code: int = 200,
    response_class: type[Response] = JSONResponse,
) -> None:
    app.router.add_api_route(
        PATH + path,
        endpoint,
        methods=[method],
        operation_id=to_camel(endpoint.__name__),
        summary=(endpoint.__doc__ or "").partition(".")[0],
        response_model=model,
        status_code=status_code,
        response_class=response_class,
        responses=responses,
        openapi_extra={"parameters": list(headers)} if headers else None,
        tags=["tasks"],
        route_class_override=ProtectedRoute,
    )


def task_answer(task: Task, *, status_code: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    headers = {"ETag": entity_tag(task.revision), **PRIVATE, **(headers or {})}
    return Response(encode(task), status_code=status_code, headers=headers, media_type="application/json")


def not_modified(revision: int) -> Response:
    return Response(status_code=304, headers={"ETag": entity_tag(revision), **PRIVATE})


def task_uuid(text: str) -> UUID:
    """Return the id, or raise TaskNotFoundError: what is no UUID in its usual form is no task's id either."""
    if not _UUID.fullmatch(text):
        raise TaskNotFoundError
    return UUID(text)


def json_answer(content: object, headers: Mapping[str, str]) -> Response:
    """Return the content, in the fields of its own class, as JSON."""
    return Response(encode(content), headers={**headers, **PRIVATE}, media_type="application/json")
