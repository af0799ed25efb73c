"""The endpoints of tasks that repeat."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import WithJsonSchema

from todo_api.adapters.http.dependencies import (
    Batches,
    CurrentUser,
    IdempotencyKey,
    IfMatch,
    IfNoneMatch,
    OccurrenceParameters,
    TaskId,
    Tasks,
)
from todo_api.adapters.http.idempotency import run_once
from todo_api.adapters.http.openapi import ETAG, REPLAYED, problems, success
from todo_api.adapters.http.responses import json_response, task_response
from todo_api.adapters.http.route_class import ProtectedRoute
from todo_api.adapters.http.routes import protected_router
from todo_api.adapters.http.schemas.fields import DUE_DATE_SCHEMA
from todo_api.adapters.http.schemas.tasks import Task
from todo_api.domain.errors import TaskNotFoundError
from todo_api.domain.operations import Skip

router = protected_router("/api/tasks", "tasks")
unknown_ids = APIRouter(prefix="/api/tasks", route_class=ProtectedRoute, redirect_slashes=False)


@router.post(
    "/{task_id:task_id}/skip",
    response_model=Task,
    responses=success(200, "The next occurrence.", ETAG | REPLAYED) | problems(404, 409, 412, 422),
)
async def skip_task(
    task_id: TaskId, user: CurrentUser, batches: Batches, if_match: IfMatch, idempotency_key: IdempotencyKey
) -> Response:
    """Skip this date of a task that repeats: the task moves to the trash, and the response is the next one."""
    return await run_once(batches, user.user_id, idempotency_key, Skip(task_id, if_match), task_response)


@router.get(
    "/{task_id:task_id}/occurrences",
    response_model=list[Annotated[str, WithJsonSchema(DUE_DATE_SCHEMA)]],
    responses=success(200, "The due dates that follow, in order.") | problems(404),
)
async def list_occurrences(
    task_id: TaskId, parameters: OccurrenceParameters, user: CurrentUser, tasks: Tasks
) -> Response:
    """Preview the due dates of the next occurrences.

    The task's own date is not among them. There are none for a task without recurrence, and fewer than `count` if the
    series ends before.
    """
    return json_response(await tasks.occurrences(user.user_id, task_id, parameters.count))


@unknown_ids.get("/{task_id}/occurrences")
async def raise_not_found(
    task_id: str,  # noqa: ARG001 - any text
    parameters: OccurrenceParameters,  # noqa: ARG001
    _: CurrentUser,
    if_none_match: IfNoneMatch,  # noqa: ARG001
) -> None:
    raise TaskNotFoundError
