"""The endpoint that moves a task in the manual order. That of the lists is in `lists.py`."""

from fastapi import Response

from todo_api.adapters.http.dependencies import Batches, CurrentUser, IdempotencyKey, IfMatch, TaskId
from todo_api.adapters.http.idempotency import run_once
from todo_api.adapters.http.openapi import ETAG, REPLAYED, problems, success
from todo_api.adapters.http.responses import task_response
from todo_api.adapters.http.routes import protected_router
from todo_api.adapters.http.schemas.moves import TaskMove
from todo_api.adapters.http.schemas.tasks import Task
from todo_api.domain.operations import Move

router = protected_router("/api/tasks", "tasks")


@router.post(
    "/{task_id:task_id}/move",
    response_model=Task,
    responses=success(200, "The task.", ETAG | REPLAYED) | problems(404, 409, 412, 413, 415, 422),
)
async def move_task(
    *,
    task_id: TaskId,
    body: TaskMove,
    user: CurrentUser,
    batches: Batches,
    if_match: IfMatch,
    idempotency_key: IdempotencyKey,
) -> Response:
    """Move a task in the manual order, and into a list.

    There is one order for all tasks of a user. Beside a task of another list, it moves into that list, unless the
    request has a `list_id`.
    """
    operation = Move(task_id, body.place, body.new_list, if_match)
    return await run_once(batches, user.user_id, idempotency_key, operation, task_response)
