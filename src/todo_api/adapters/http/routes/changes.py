"""Delta sync: the changes since a sync token."""

from fastapi import APIRouter, Response
from pydantic import MISSING

from todo_api.adapters.http.dependencies import ChangesParameters, CurrentUser, IfNoneMatchToken, Tasks
from todo_api.adapters.http.openapi import SYNC_TAG, operation_id, problems, success
from todo_api.adapters.http.responses import json_response, not_modified
from todo_api.adapters.http.route_class import ProtectedRoute
from todo_api.adapters.http.schemas import tasks as schemas
from todo_api.adapters.http.sync_tokens import changes_document, read_sync_token
from todo_api.domain.changes import SyncPoint

router = APIRouter(
    prefix="/api/tasks",
    tags=["tasks"],
    route_class=ProtectedRoute,
    responses=problems(400, 401, 403, 410, 503),
    generate_unique_id_function=operation_id,
)


@router.get(
    "/changes",
    response_model=schemas.Changes,
    responses=success(200, "The changes, in the order of the revisions.", SYNC_TAG)
    | success(304, "Not modified.", SYNC_TAG),
)
async def list_changes(
    parameters: ChangesParameters, user: CurrentUser, tasks: Tasks, if_none_match: IfNoneMatchToken
) -> Response:
    """List changes since a token.

    Apply the tasks and the deletions to the local copy, keep `next`, and send it as `since` in the next request: at
    once while `has_more` is true, later otherwise. Without `since`, all tasks are returned.
    """
    since = SyncPoint()
    if parameters.since is not MISSING:
        since = read_sync_token(user.user_id, parameters.since, "query", "since")
    document = changes_document(user.user_id, await tasks.changes(user.user_id, since, parameters.limit))
    tag = f'"{document["next"]}"'
    if if_none_match and if_none_match.names(document["next"]):
        return not_modified(tag)
    return json_response(document, {"ETag": tag})
