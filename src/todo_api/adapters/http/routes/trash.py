"""The endpoints for deleted tasks, which stay in the trash until they are purged."""

from fastapi import Response
from pydantic import MISSING

from todo_api.adapters.http.cursors import decode_trash_cursor, encode_trash_cursor
from todo_api.adapters.http.dependencies import (
    BaseUrl,
    Batches,
    CurrentUser,
    IdempotencyKey,
    IfMatch,
    PageParameters,
    TaskId,
    Tasks,
)
from todo_api.adapters.http.idempotency import run_once
from todo_api.adapters.http.openapi import ETAG, LINK, REPLAYED, problems, success
from todo_api.adapters.http.problems import InvalidCursorError
from todo_api.adapters.http.responses import json_response, task_response
from todo_api.adapters.http.routes import protected_router
from todo_api.adapters.http.schemas import tasks as schemas
from todo_api.domain.operations import EmptyTrash, Purge, Restore

router = protected_router("/api/tasks", "tasks")

_PURGED = success(204, "Permanently deleted.", REPLAYED) | problems(409, 422)


@router.get(
    "/trash",
    response_model=list[schemas.TrashedTask],
    responses=success(200, "The tasks, the last deleted first.", LINK),
)
async def list_trash(parameters: PageParameters, user: CurrentUser, tasks: Tasks, base_url: BaseUrl) -> Response:
    """List the trash. A cursor continues its own list, and keeps its limit."""
    limit, after = parameters.limit, None
    if parameters.cursor is not MISSING:
        resumed = decode_trash_cursor(user.user_id, parameters.cursor)
        if resumed is None or ("limit" in parameters.model_fields_set and resumed[0] != limit):
            detail = "is damaged, not yours or of another list: start again without it"
            raise InvalidCursorError.at("query", "cursor", detail)
        limit, after = resumed
    page = await tasks.trash(user.user_id, limit, after)
    if page.next is None:
        return json_response(page.tasks)
    cursor = encode_trash_cursor(user.user_id, limit, page.next)
    link = f'<{base_url}/api/tasks/trash?limit={limit}&cursor={cursor}>; rel="next"'
    return json_response(page.tasks, {"Link": link})


@router.post(
    "/{task_id:task_id}/restore",
    response_model=schemas.Task,
    responses=success(200, "The task.", ETAG | REPLAYED) | problems(404, 409, 412, 422),
)
async def restore_task(
    *,
    task_id: TaskId,
    user: CurrentUser,
    tasks: Tasks,
    batches: Batches,
    if_match: IfMatch,
    idempotency_key: IdempotencyKey,
) -> Response:
    """Restore a task from the trash."""
    if idempotency_key or if_match is not None:
        operation = Restore(task_id, if_match)
        return await run_once(batches, user.user_id, idempotency_key, operation, task_response)
    return task_response(await tasks.restore(user.user_id, task_id))


@router.delete("/trash", status_code=204, response_model=None, responses=_PURGED)
async def empty_trash(user: CurrentUser, tasks: Tasks, batches: Batches, idempotency_key: IdempotencyKey) -> Response:
    """Permanently delete all tasks in the trash."""
    if idempotency_key:
        return await run_once(batches, user.user_id, idempotency_key, EmptyTrash())
    await tasks.empty_trash(user.user_id)
    return Response(status_code=204)


@router.delete("/trash/{task_id:task_id}", status_code=204, response_model=None, responses=_PURGED | problems(404, 412))
async def purge_task(
    *,
    task_id: TaskId,
    user: CurrentUser,
    tasks: Tasks,
    batches: Batches,
    if_match: IfMatch,
    idempotency_key: IdempotencyKey,
) -> Response:
    """Permanently delete a task that is in the trash."""
    if idempotency_key or if_match is not None:
        return await run_once(batches, user.user_id, idempotency_key, Purge(task_id, if_match))
    await tasks.purge(user.user_id, task_id)
    return Response(status_code=204)
