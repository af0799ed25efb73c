"""How the calls are declared and answered: what those of all groups share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from fastapi import FastAPI, Path, Response
from fastapi.responses import JSONResponse
from pydantic.alias_generators import to_camel
from starlette.convertors import StringConvertor, register_url_convertor

from todo_api.adapters.http import schemas
from todo_api.adapters.http.documentation import Responses
from todo_api.adapters.http.etags import entity_tag
from todo_api.adapters.http.routing import ProtectedRoute
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

encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Group:
    """Calls below the same path, and under the same heading of the documentation."""

    path: str
    tag: str


TASKS = Group(PATH, "tasks")
ACCOUNT = Group("/api/me", "account")


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
    group: Group = TASKS,
    body: Mapping[str, Any] | None = None,
) -> None:
    """Add a call for callers with a token; the `body` documents one that the endpoint reads by itself."""
    app.router.add_api_route(
        group.path + path,
        endpoint,
        methods=[method],
        operation_id=to_camel(endpoint.__name__),
        summary=(endpoint.__doc__ or "").partition(".")[0],
        response_model=model,
        status_code=status_code,
        response_class=response_class,
        responses=responses,
        openapi_extra={**({"parameters": list(headers)} if headers else {}), **({"requestBody": body} if body else {})},
        tags=[group.tag],
        route_class_override=ProtectedRoute,
    )


def task_answer(task: Task, *, status_code: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    headers = {"ETag": entity_tag(task.revision), **PRIVATE, **(headers or {})}
    return Response(encode(task), status_code=status_code, headers=headers, media_type="application/json")


def not_modified(revision: int) -> Response:
    return Response(status_code=304, headers={"ETag": entity_tag(revision), **PRIVATE})


def json_answer(content: object, headers: Mapping[str, str]) -> Response:
    """Return the content, in the fields of its own class, as JSON."""
    return Response(encode(content), headers={**headers, **PRIVATE}, media_type="application/json")
