"""The endpoints with figures about the tasks, and those of tags."""

from fastapi import Response

from todo_api.adapters.http.dependencies import (
    Accounts,
    Batches,
    CountsParameters,
    CurrentUser,
    IdempotencyKey,
    TagName,
)
from todo_api.adapters.http.idempotency import run_once
from todo_api.adapters.http.openapi import REPLAYED, problems, success
from todo_api.adapters.http.routes import protected_router
from todo_api.adapters.http.schemas import overview as schemas
from todo_api.domain.operations import Retag
from todo_api.domain.tags import tag_key

router = protected_router("/api", "tasks")


@router.get("/tasks/counts", responses=success(200, "The numbers of tasks."))
async def count_tasks(parameters: CountsParameters, user: CurrentUser, accounts: Accounts) -> schemas.TaskCounts:
    """Count the tasks in each view, list and tag."""
    return schemas.TaskCounts.of(await accounts.counts(user.user_id, parameters.time_zone))


@router.get("/tags", responses=success(200, "The tags, in the order of the alphabet."))
async def list_tags(user: CurrentUser, accounts: Accounts) -> list[schemas.TagCount]:
    """List the tags in use. A tag exists while a task outside the trash has it."""
    return [schemas.TagCount.of(tag) for tag in await accounts.tags(user.user_id)]


@router.patch(
    "/tags/{tag:tag}",
    status_code=204,
    response_model=None,
    responses=success(204, "The tag has the new name.", REPLAYED) | problems(404, 409, 413, 415, 422),
)
async def rename_tag(
    *, tag: TagName, body: schemas.TagRename, user: CurrentUser, batches: Batches, idempotency_key: IdempotencyKey
) -> Response:
    """Rename a tag on all tasks outside the trash, at one revision. If there is a tag of this name, they become one."""
    return await run_once(batches, user.user_id, idempotency_key, Retag(tag_key(tag), body.name))


@router.delete(
    "/tags/{tag:tag}",
    status_code=204,
    response_model=None,
    responses=success(204, "No task has the tag.", REPLAYED) | problems(404, 409, 422),
)
async def delete_tag(*, tag: TagName, user: CurrentUser, batches: Batches, idempotency_key: IdempotencyKey) -> Response:
    """Remove a tag from all tasks outside the trash, at one revision."""
    return await run_once(batches, user.user_id, idempotency_key, Retag(tag_key(tag), None))
