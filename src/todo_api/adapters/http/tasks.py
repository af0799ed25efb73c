"""The calls under `/api/tasks`."""

from collections.abc import Callable, Collection
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import Body, FastAPI, Query, Request, Response
from pydantic import MISSING

from todo_api.adapters.http import schemas
from todo_api.adapters.http.answers import (
    PATH,
    TASK_PATH,
    TaskId,
    add_call,
    json_answer,
    not_modified,
    task_answer,
)
from todo_api.adapters.http.cursor import decode_cursor, encode_cursor
from todo_api.adapters.http.documentation import (
    CREATE,
    ETAG,
    IDEMPOTENCY_KEY,
    IF_MATCH,
    IF_NONE_MATCH,
    LINK,
    LOCATION,
    REPLAYED,
    answer,
    problems,
)
from todo_api.adapters.http.etags import entity_tag
from todo_api.adapters.http.ids import task_uuid
from todo_api.adapters.http.problems import FieldError, InvalidCursorError, RequestError
from todo_api.adapters.http.replay import do_once, repeatable
from todo_api.adapters.http.requests import base_url, condition, user_of
from todo_api.application.batches import BatchService
from todo_api.application.tasks import TaskService
from todo_api.domain.listing import Position, TaskQuery
from todo_api.domain.operations import Create
from todo_api.domain.task import Task


class TaskRoutes:
    """One method for each call; each asks one use case."""

    def __init__(self, tasks: TaskService, batches: BatchService, new_id: Callable[[], UUID]) -> None:
        """Take the use cases, and a source of version 7 UUIDs."""
        self._tasks = tasks
        self._batches = batches
        self._new_id = new_id

    def register(self, app: FastAPI) -> None:
        """Add the calls to the application, with what the OpenAPI document says of them."""
        task = answer(200, "The task.", ETAG)
        created = answer(201, "The new task.", ETAG | LOCATION)
        listed = answer(200, "The tasks, in order.", ETAG | LINK)
        unchanged = answer(304, "Nothing has changed since.", ETAG)
        deleted = answer(204, "The task is in the trash.")
        always = problems(400, 401, 403, 503)
        missing, conflict, body = problems(404), problems(412), problems(413, 415)
        changed = task | always | missing | conflict | body

        add = partial(add_call, app)
        add("GET", "", self.list_tasks, listed | unchanged | always, IF_NONE_MATCH, model=list[schemas.Task])
        once = answer(201, "The new task.", ETAG | LOCATION | REPLAYED) | always | body | problems(409, 422)
        add("POST", "", self.create_task, once, IDEMPOTENCY_KEY, status_code=201)
        add("GET", TASK_PATH, self.get_task, task | unchanged | always | missing, IF_NONE_MATCH)
        add("PUT", TASK_PATH, self.put_task, created | changed | problems(409), IF_MATCH, CREATE)
        add("PATCH", TASK_PATH, self.update_task, changed, IF_MATCH)
        add("PATCH", f"{TASK_PATH}/complete", self.complete_task, changed, IF_MATCH)
        gone = deleted | always | missing | conflict
        add("DELETE", TASK_PATH, self.delete_task, gone, IF_MATCH, model=None, status_code=204)

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
            return not_modified(page.revision)
        headers = {"ETag": entity_tag(page.revision)}
        if page.next is not None:
            headers["Link"] = _link(request, query, page.next)
        return json_answer(page.tasks, headers)

    async def create_task(self, request: Request, body: schemas.TaskCreate) -> Response:
        """Create a task."""
        if named := repeatable(request):
            operation = Create(self._new_id(), body.changes(), is_fresh=True)
            return await do_once(self._batches, request, named, operation, _created)
        return _created(await self._tasks.create(user_of(request), body.changes()))

    async def get_task(self, request: Request, task_id: TaskId) -> Response:
        """Read a task."""
        unless = condition(request, "If-None-Match")
        task = await self._tasks.get(user_of(request), task_uuid(task_id))
        if unless is not None and unless.holds_for(task.revision):
            return not_modified(task.revision)
        return task_answer(task)

    async def put_task(self, request: Request, task_id: TaskId, body: schemas.TaskUpdate) -> Response:
        """Change a task, or create it under an id of the client's.

        Changes as PATCH does: fields that are left out keep their value, null clears. With `If-None-Match: *`, the task
        is created, and 412 says that it is there already.
        """
        if (unless := condition(request, "If-None-Match")) is None:
            return await self._change(request, task_id, body)
        if unless.tags is not None:
            raise RequestError.of([FieldError("header", "If-None-Match", "must be `*` here, to create the task")])
        if "if-match" in request.headers:
            raise RequestError.of([FieldError("header", "If-Match", "asks for what `If-None-Match: *` excludes")])
        if body.title is MISSING:
            raise RequestError.of([FieldError("body", "title", "is required")])
        return _created(await self._tasks.create(user_of(request), body.changes(), task_uuid(task_id)))

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
        task = await self._tasks.complete(user_of(request), task_uuid(task_id), body.state, _if_revisions(request))
        return task_answer(task)

    async def delete_task(self, request: Request, task_id: TaskId) -> Response:
        """Move a task to the trash."""
        await self._tasks.delete(user_of(request), task_uuid(task_id), _if_revisions(request))
        return Response(status_code=204)

    async def _change(self, request: Request, task_id: str, body: schemas.TaskUpdate) -> Response:
        task = await self._tasks.change(user_of(request), task_uuid(task_id), body.changes(), _if_revisions(request))
        return task_answer(task)


def _created(task: Task) -> Response:
    return task_answer(task, status_code=201, headers={"Location": f"{PATH}/{task.id}"})


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
