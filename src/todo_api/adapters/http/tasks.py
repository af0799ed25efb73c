"""The calls under `/api/tasks`."""

import re
from collections.abc import Callable, Collection
from functools import partial
from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import Body, FastAPI, Path, Query, Request, Response
from pydantic import MISSING
from pydantic.alias_generators import to_camel

from todo_api.adapters.http import schemas
from todo_api.adapters.http.cursor import decode_cursor, encode_cursor
from todo_api.adapters.http.documentation import (
    ETAG,
    IF_MATCH,
    IF_NONE_MATCH,
    LINK,
    LOCATION,
    Responses,
    answer,
    problems,
)
from todo_api.adapters.http.etags import entity_tag
from todo_api.adapters.http.problems import FieldError, InvalidCursorError
from todo_api.adapters.http.requests import base_url, condition, user_of
from todo_api.adapters.http.routing import ProtectedRoute
from todo_api.application.tasks import TaskService
from todo_api.domain.errors import TaskNotFoundError
from todo_api.domain.listing import Position, TaskQuery
from todo_api.domain.task import Task

PATH = "/api/tasks"

# Browsers keep the answer but ask before they use it; caches that users share do not keep it.
_PRIVATE = {"Cache-Control": "private, no-cache"}

_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

_encode = msgspec.json.Encoder().encode

TaskId = Annotated[str, Path(description="The task's id.", json_schema_extra={"format": "uuid"})]


class TaskRoutes:
    """One method for each call; each asks one use case."""

    def __init__(self, tasks: TaskService) -> None:
        """Take the use cases."""
        self._tasks = tasks

    def register(self, app: FastAPI) -> None:
        """Add the calls to the application, with what the OpenAPI document says of them."""
        task = answer(200, "The task.", ETAG)
        created = answer(201, "The new task.", ETAG | LOCATION)
        listed = answer(200, "The tasks, in order.", ETAG | LINK)
        unchanged = answer(304, "Nothing has changed since.", ETAG)
        deleted = answer(204, "The task is gone.")
        always = problems(400, 401, 403, 503)
        missing, conflict, body = problems(404), problems(412), problems(413, 415)
        changed = task | always | missing | conflict | body

        add = partial(_add, app)
        add("GET", "", self.list_tasks, listed | unchanged | always, model=list[schemas.Task], header=IF_NONE_MATCH)
        add("POST", "", self.create_task, created | always | body, status_code=201)
        add("GET", "/{task_id}", self.get_task, task | unchanged | always | missing, header=IF_NONE_MATCH)
        add("PUT", "/{task_id}", self.replace_task, changed, header=IF_MATCH)
        add("PATCH", "/{task_id}", self.update_task, changed, header=IF_MATCH)
        add("PATCH", "/{task_id}/complete", self.complete_task, changed, header=IF_MATCH)
        gone = deleted | always | missing | conflict
        add("DELETE", "/{task_id}", self.delete_task, gone, model=None, header=IF_MATCH, status_code=204)

    async def list_tasks(self, request: Request, parameters: Annotated[schemas.ListParameters, Query()]) -> Response:
        """List tasks.

        A due date that is a day counts as its start, a floating one as if it were UTC. A cursor goes on with the list
        that it was made for; parameters that are sent along with it must be those of that list.
        """
        user_id = user_of(request)
        query = parameters.query()
        if parameters.cursor is not MISSING:
            query = _resume(user_id, parameters.cursor, query, given=parameters.model_fields_set)
        unless = condition(request, "If-None-Match")
        page = await self._tasks.page(user_id, query, () if unless is None else unless.revisions or ())
        if unless is not None and unless.holds_for(page.revision):
            return _not_modified(page.revision)
        headers = {"ETag": entity_tag(page.revision), **_PRIVATE}
        if page.next is not None:
            headers["Link"] = _link(request, query, page.next)
        return Response(_encode(page.tasks), headers=headers, media_type="application/json")

    async def create_task(self, request: Request, body: schemas.TaskCreate) -> Response:
        """Create a task."""
        task = await self._tasks.create(user_of(request), body.changes())
        return _answer(task, status_code=201, headers={"Location": f"{PATH}/{task.id}"})

    async def get_task(self, request: Request, task_id: TaskId) -> Response:
        """Read a task."""
        unless = condition(request, "If-None-Match")
        task = await self._tasks.get(user_of(request), _uuid(task_id))
        if unless is not None and unless.holds_for(task.revision):
            return _not_modified(task.revision)
        return _answer(task)

    async def replace_task(self, request: Request, task_id: TaskId, body: schemas.TaskUpdate) -> Response:
        """Change a task. As PATCH does: fields that are left out keep their value, null clears."""
        return await self._change(request, task_id, body)

    async def update_task(self, request: Request, task_id: TaskId, body: schemas.TaskUpdate) -> Response:
        """Change a task. Fields that are left out keep their value, null clears."""
        return await self._change(request, task_id, body)

    async def complete_task(
        self,
        request: Request,
        task_id: TaskId,
        body: Annotated[schemas.Completion, Body()] = schemas.Completion(),  # noqa: B008 - frozen
    ) -> Response:
        """Complete or reopen a task. Without `completed` in the body, or without a body, its state is turned around."""
        task = await self._tasks.complete(user_of(request), _uuid(task_id), body.state, _if_revisions(request))
        return _answer(task)

    async def delete_task(self, request: Request, task_id: TaskId) -> Response:
        """Delete a task."""
        await self._tasks.delete(user_of(request), _uuid(task_id), _if_revisions(request))
        return Response(status_code=204)

    async def _change(self, request: Request, task_id: str, body: schemas.TaskUpdate) -> Response:
        task = await self._tasks.change(user_of(request), _uuid(task_id), body.changes(), _if_revisions(request))
        return _answer(task)


def _add(
    app: FastAPI,
    method: str,
    path: str,
    endpoint: Callable[..., Any],
    responses: Responses,
    *,
    model: Any = schemas.Task,
    header: dict[str, Any] | None = None,
    status_code: int = 200,
) -> None:
    app.router.add_api_route(
        PATH + path,
        endpoint,
        methods=[method],
        operation_id=to_camel(endpoint.__name__),
        summary=(endpoint.__doc__ or "").partition(".")[0],
        response_model=model,
        status_code=status_code,
        responses=responses,
        openapi_extra={"parameters": [header]} if header else None,
        tags=["tasks"],
        route_class_override=ProtectedRoute,
    )


def _answer(task: Task, *, status_code: int = 200, headers: dict[str, str] | None = None) -> Response:
    headers = {"ETag": entity_tag(task.revision), **_PRIVATE, **(headers or {})}
    return Response(_encode(task), status_code=status_code, headers=headers, media_type="application/json")


def _not_modified(revision: int) -> Response:
    return Response(status_code=304, headers={"ETag": entity_tag(revision), **_PRIVATE})


def _uuid(text: str) -> UUID:
    """Return the id, or raise TaskNotFoundError: what is no UUID in its usual form is no task's id either."""
    if not _UUID.fullmatch(text):
        raise TaskNotFoundError
    return UUID(text)


def _if_revisions(request: Request) -> frozenset[int] | None:
    wanted = condition(request, "If-Match")
    return None if wanted is None else wanted.revisions


def _resume(user_id: str, cursor: str, query: TaskQuery, *, given: Collection[str]) -> TaskQuery:
    """Return the query that the cursor goes on with, which must be the one that was given as far as it was."""
    resumed = decode_cursor(user_id, cursor)
    if resumed is None:
        detail = "is damaged or is not yours: start again without it"
        raise InvalidCursorError.of([FieldError("query", "cursor", detail)])
    errors = [
        FieldError("query", name, f"is not {getattr(resumed, name)}, as in the list that the cursor goes on with")
        for name in ("status", "sort", "order", "limit")
        if name in given and getattr(query, name) != getattr(resumed, name)
    ]
    if errors:
        raise InvalidCursorError.of(errors)
    return resumed


def _link(request: Request, query: TaskQuery, next_page: Position) -> str:
    cursor = encode_cursor(user_of(request), query, next_page)  # it needs no escaping, nor does any of the others
    first_page = f"status={query.status}&sort={query.sort}&order={query.order}&limit={query.limit}"
    return f'<{base_url(request)}{PATH}?{first_page}&cursor={cursor}>; rel="next"'
