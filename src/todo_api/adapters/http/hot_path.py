"""A fast path for the most frequent endpoints: reads their arguments without FastAPI's dependency solver.

It calls the same endpoint functions with the same arguments; `HttpConfig.hot_path` turns it off. See
docs/decisions/http-hot-path.md for its gain and its price.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, TypeAlias
from uuid import UUID

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from todo_api.adapters.http.authentication import authenticate
from todo_api.adapters.http.etags import read_condition, read_revisions
from todo_api.adapters.http.idempotency import idempotency_key
from todo_api.adapters.http.problems import RequestError
from todo_api.adapters.http.requests import base_url
from todo_api.adapters.http.route_class import is_list
from todo_api.adapters.http.routes import tasks
from todo_api.adapters.http.schemas.parameters import ListParameters
from todo_api.adapters.http.schemas.tasks import TaskCreate, TaskUpdate
from todo_api.adapters.http.validation import Model, validated
from todo_api.application.services import Services

_REPEATABLE = {name for name, field in ListParameters.model_fields.items() if is_list(field.annotation)}

Handler: TypeAlias = Callable[[Request], Awaitable[Response]]


async def _list_tasks(request: Request) -> Response:
    return await tasks.list_tasks(
        validated("query", ListParameters, _query(request)),
        await authenticate(request),
        _services(request).tasks,
        read_condition("If-None-Match", request.headers.getlist("If-None-Match")),
        await base_url(request),
    )


async def _get_task(request: Request) -> Response:
    task_id = UUID(request.path_params["task_id"])
    condition = read_condition("If-None-Match", request.headers.getlist("If-None-Match"))
    return await tasks.get_task(task_id, await authenticate(request), _services(request).tasks, condition)


async def _create_task(request: Request) -> Response:
    services = _services(request)
    return await tasks.create_task(
        body=await _body(request, TaskCreate),
        user=await authenticate(request),
        tasks=services.tasks,
        batches=services.batches,
        new_id=services.new_id,
        idempotency_key=await idempotency_key(request, request.headers.getlist("Idempotency-Key")),
        base_url=await base_url(request),
    )


async def _update_task(request: Request) -> Response:
    body = await _body(request, TaskUpdate)
    if_match = read_revisions("If-Match", request.headers.getlist("If-Match"))
    services = _services(request)
    return await tasks.update_task(
        task_id=UUID(request.path_params["task_id"]),
        body=body,
        user=await authenticate(request),
        tasks=services.tasks,
        batches=services.batches,
        new_id=services.new_id,
        if_match=if_match,
        idempotency_key=await idempotency_key(request, request.headers.getlist("Idempotency-Key")),
    )


_HANDLERS: Mapping[Callable[..., Any], Handler] = {
    tasks.list_tasks: _list_tasks,
    tasks.get_task: _get_task,
    tasks.create_task: _create_task,
    tasks.update_task: _update_task,
}


def hot_handlers(routes: Iterable[BaseRoute]) -> dict[Callable[..., Any], Handler]:
    """Return the handlers by their endpoints. Routes with dependencies of their own are left to FastAPI."""
    plain = {route.endpoint for route in routes if isinstance(route, APIRoute) and not route.dependencies}
    return {endpoint: handler for endpoint, handler in _HANDLERS.items() if endpoint in plain}


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


def _query(request: Request) -> dict[str, Any]:
    """Return the parameters; those that may be repeated as lists."""
    if not request.scope["query_string"]:
        return {}
    query = request.query_params
    return {name: query.getlist(name) if name in _REPEATABLE else value for name, value in query.items()}


async def _body(request: Request, model: type[Model]) -> Model:
    content = await request.body()
    if not content:
        raise RequestError.at("body", "body", "must be a JSON object, such as {}; it is empty")
    return validated("body", model, await request.json())
