"""The endpoints under `/api/tasks`."""

from functools import partial
from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Body, Request, Response
from pydantic import MISSING

from todo_api.adapters.http.cursors import ListRequest, decode_cursor, encode_cursor
from todo_api.adapters.http.dependencies import (
    BaseUrl,
    Batches,
    CreateOnly,
    CurrentUser,
    IdempotencyKey,
    IfMatch,
    IfNoneMatch,
    ListParameters,
    NewId,
    TaskId,
    Tasks,
)
from todo_api.adapters.http.etags import entity_tag
from todo_api.adapters.http.idempotency import run_once
from todo_api.adapters.http.openapi import ETAG, LINK, LIST_TAG, LOCATION, REPLAYED, problems, success
from todo_api.adapters.http.problems import FieldError, InvalidCursorError, RequestError
from todo_api.adapters.http.responses import created_response, json_response, not_modified, task_response
from todo_api.adapters.http.route_class import ProtectedRoute
from todo_api.adapters.http.routes import protected_router
from todo_api.adapters.http.schemas import tasks as schemas
from todo_api.adapters.http.schemas.parameters import FilterParameters
from todo_api.domain.errors import TaskNotFoundError
from todo_api.domain.listing import Position, TaskQuery
from todo_api.domain.operations import Change, Complete, Create, Delete

PATH = "/api/tasks"

router = protected_router(PATH, "tasks")

# Paths with a task id that is not a UUID: authenticated callers get the response of a missing task; PUT, which may
# create a task, says what an id is. The application only uses this router if no other route matches, so a new path
# such as `/api/tasks/stats` needs no change here.
unknown_ids = APIRouter(prefix=PATH, route_class=ProtectedRoute, redirect_slashes=False)

_TASK = success(200, "The task.", ETAG)
_UNCHANGED = success(304, "Not modified.", ETAG)
_CREATED = success(201, "The new task.", ETAG | LOCATION | REPLAYED, schemas.Task)
_CHANGED = success(200, "The task.", ETAG | REPLAYED) | problems(404, 409, 412, 413, 415, 422)


@router.get(
    "", response_model=list[schemas.Task], responses=success(200, "The tasks, in order.", LIST_TAG | LINK) | _UNCHANGED
)
async def list_tasks(
    parameters: ListParameters, user: CurrentUser, tasks: Tasks, if_none_match: IfNoneMatch, base_url: BaseUrl
) -> Response:
    """List tasks.

    A due date without a time counts as the start of the day, a floating one as UTC. A cursor continues its own
    list; parameters that are sent with it must be those of that list.
    """
    asked = ListRequest(parameters.query(), parameters)
    query, filters = asked if parameters.cursor is MISSING else _resumed(user.user_id, parameters.cursor, asked)
    if query.filter.needs_clock:
        if_none_match = None  # the same revision has another list later
    known = if_none_match.revisions if if_none_match else None
    page = await tasks.page(user.user_id, query, known or ())
    if if_none_match and if_none_match.holds_for(page.revision):
        return not_modified(entity_tag(page.revision))
    headers = {} if query.filter.needs_clock else {"ETag": entity_tag(page.revision)}
    if page.next is not None:
        headers["Link"] = _link(base_url, user.user_id, query, page.next, filters)
    return json_response(page.tasks, headers)


@router.post(
    "",
    status_code=201,
    response_model=schemas.Task,
    responses=_CREATED | problems(409, 413, 415, 422),
)
async def create_task(
    *,
    body: schemas.TaskCreate,
    user: CurrentUser,
    tasks: Tasks,
    batches: Batches,
    new_id: NewId,
    idempotency_key: IdempotencyKey,
    base_url: BaseUrl,
) -> Response:
    """Create a task."""
    if idempotency_key:
        operation = Create(new_id(), body.changes(new_id), is_fresh=True)
        return await run_once(batches, user.user_id, idempotency_key, operation, partial(created_response, base_url))
    return created_response(base_url, await tasks.create(user.user_id, body.changes(new_id)))


@router.get("/{task_id:task_id}", response_model=schemas.Task, responses=_TASK | _UNCHANGED | problems(404))
async def get_task(task_id: TaskId, user: CurrentUser, tasks: Tasks, if_none_match: IfNoneMatch) -> Response:
    """Read a task."""
    task = await tasks.get(user.user_id, task_id)
    if if_none_match and if_none_match.holds_for(task.revision):
        return not_modified(entity_tag(task.revision))
    return task_response(task)


@router.put("/{task_id:task_id}", response_model=schemas.Task, responses=_CREATED | _CHANGED)
async def put_task(
    *,
    task_id: TaskId,
    body: schemas.TaskUpdate,
    user: CurrentUser,
    tasks: Tasks,
    batches: Batches,
    new_id: NewId,
    if_match: IfMatch,
    create_only: CreateOnly,
    idempotency_key: IdempotencyKey,
    base_url: BaseUrl,
    request: Request,
) -> Response:
    """Change a task, or create it with an id of the client.

    Changes a task as PATCH does: absent fields keep their value, null clears. With `If-None-Match: *`, the task is
    created, and 412 means that it exists already.
    """
    if create_only is None:
        return await update_task(
            task_id=task_id,
            body=body,
            user=user,
            tasks=tasks,
            batches=batches,
            new_id=new_id,
            if_match=if_match,
            idempotency_key=idempotency_key,
        )
    if create_only.tags is not None:
        raise RequestError.at("header", "If-None-Match", "must be `*` here, to create the task")
    if "if-match" in request.headers:
        raise RequestError.at("header", "If-Match", "cannot be combined with `If-None-Match: *`")
    if body.title is MISSING:
        raise RequestError.at("body", "title", "is required")
    if idempotency_key:
        operation = Create(task_id, body.changes(new_id))
        return await run_once(batches, user.user_id, idempotency_key, operation, partial(created_response, base_url))
    return created_response(base_url, await tasks.create(user.user_id, body.changes(new_id), task_id))


@router.patch("/{task_id:task_id}", response_model=schemas.Task, responses=_CHANGED)
async def update_task(
    *,
    task_id: TaskId,
    body: schemas.TaskUpdate,
    user: CurrentUser,
    tasks: Tasks,
    batches: Batches,
    new_id: NewId,
    if_match: IfMatch,
    idempotency_key: IdempotencyKey,
) -> Response:
    """Change a task. Absent fields keep their value, null clears a field."""
    if idempotency_key:
        operation = Change(task_id, body.changes(new_id), if_match)
        return await run_once(batches, user.user_id, idempotency_key, operation, task_response)
    return task_response(await tasks.change(user.user_id, task_id, body.changes(new_id), if_match))


@router.patch("/{task_id:task_id}/complete", response_model=schemas.Task, responses=_CHANGED)
async def complete_task(
    *,
    task_id: TaskId,
    user: CurrentUser,
    tasks: Tasks,
    batches: Batches,
    if_match: IfMatch,
    idempotency_key: IdempotencyKey,
    body: Annotated[schemas.Completion, Body()] = schemas.Completion(),  # noqa: B008 - frozen
) -> Response:
    """Complete or reopen a task. Without `completed` in the body, or without a body, its state is toggled."""
    if idempotency_key:
        operation = Complete(task_id, body.state, if_match)
        return await run_once(batches, user.user_id, idempotency_key, operation, task_response)
    return task_response(await tasks.complete(user.user_id, task_id, body.state, if_match))


@router.delete(
    "/{task_id:task_id}",
    status_code=204,
    response_model=None,
    responses=success(204, "The task is in the trash.", REPLAYED) | problems(404, 409, 412, 422),
)
async def delete_task(
    *,
    task_id: TaskId,
    user: CurrentUser,
    tasks: Tasks,
    batches: Batches,
    if_match: IfMatch,
    idempotency_key: IdempotencyKey,
) -> Response:
    """Move a task to the trash."""
    if idempotency_key:
        return await run_once(batches, user.user_id, idempotency_key, Delete(task_id, if_match))
    await tasks.delete(user.user_id, task_id, if_match)
    return Response(status_code=204)


@unknown_ids.api_route("/{task_id}", methods=["GET", "PUT", "PATCH", "DELETE"])
@unknown_ids.patch("/{task_id}/complete")
@unknown_ids.post("/{task_id}/restore")
@unknown_ids.post("/{task_id}/move")
@unknown_ids.post("/{task_id}/skip")
@unknown_ids.delete("/trash/{task_id}")
async def raise_not_found(
    task_id: str,  # noqa: ARG001 - any text
    _: CurrentUser,
    if_match: IfMatch,  # noqa: ARG001 - whatever it is, there is no task
    if_none_match: IfNoneMatch,  # noqa: ARG001
    idempotency_key: IdempotencyKey,  # noqa: ARG001
    request: Request,
) -> None:
    if request.method == "PUT":  # the caller may want to create it
        raise RequestError.at("path", "task_id", "must be a UUID, such as 019aa2f3-7c1e-7cc3-98c4-dc0c0c07398f")
    raise TaskNotFoundError


# The attributes of filters whose parameters have other names.
_ATTRIBUTES = {"list": "list_id", "tag": "tags", "priority": "priorities"}


def _resumed(user_id: str, cursor: str, asked: ListRequest) -> ListRequest:
    """Return what the cursor continues. It must agree with the parameters that were sent with it."""
    resumed = decode_cursor(user_id, cursor)
    if resumed is None:
        detail = "is damaged or is not yours: start again without it"
        raise InvalidCursorError.at("query", "cursor", detail)
    errors = [
        _differs(name, _needed(str(getattr(resumed.query, name))))
        for name in ("status", "sort", "order", "limit")
        if name in asked.filters.model_fields_set and getattr(asked.query, name) != getattr(resumed.query, name)
    ]
    filters = resumed.filters.given()
    for name in asked.filters.given():
        attribute = _ATTRIBUTES.get(name, name)
        if getattr(asked.query.filter, attribute) != getattr(resumed.query.filter, attribute):
            errors.append(_differs(name, _needed(filters.get(name))))
    if errors:
        raise InvalidCursorError.of(errors)
    return resumed


def _differs(name: str, needed: str) -> FieldError:
    detail = f"must {needed}, as in the list that the cursor continues; or start again without the cursor"
    return FieldError("query", name, detail)


def _needed(value: str | list[str] | None) -> str:
    if value is None:
        return "be left out"
    return f"be {value if isinstance(value, str) else ', '.join(value)}"


def _link(base_url: str, user_id: str, query: TaskQuery, next_page: Position, filters: FilterParameters) -> str:
    first_page = f"status={query.status}&sort={query.sort}&order={query.order}&limit={query.limit}"
    if given := filters.given():
        first_page += f"&{urlencode(given, doseq=True, quote_via=quote)}"
    cursor = encode_cursor(user_id, query, next_page, filters)  # it needs no escaping, as these parameters do not
    return f'<{base_url}{PATH}?{first_page}&cursor={cursor}>; rel="next"'
