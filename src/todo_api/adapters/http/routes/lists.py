"""The endpoints under `/api/lists`."""

from functools import partial

from fastapi import APIRouter, Request, Response
from pydantic import MISSING

from todo_api.adapters.http.dependencies import (
    BaseUrl,
    Batches,
    CreateOnly,
    CurrentUser,
    DeleteListParameters,
    IdempotencyKey,
    IfMatch,
    IfNoneMatch,
    ListId,
    Lists,
    NewId,
)
from todo_api.adapters.http.etags import entity_tag
from todo_api.adapters.http.idempotency import run_once
from todo_api.adapters.http.openapi import ETAG, LIST_LOCATION, REPLAYED, problems, success
from todo_api.adapters.http.problems import RequestError
from todo_api.adapters.http.responses import created_list_response, json_response, list_response, not_modified
from todo_api.adapters.http.route_class import ProtectedRoute
from todo_api.adapters.http.routes import protected_router
from todo_api.adapters.http.schemas import lists as schemas
from todo_api.adapters.http.schemas.moves import Move
from todo_api.domain.errors import ListNotFoundError
from todo_api.domain.operations import ChangeList, CreateList, DeleteList, MoveList, RestoreList

PATH = "/api/lists"

router = protected_router(PATH, "lists")

# Paths with a list id that is not a UUID, as `unknown_ids` of the tasks.
unknown_ids = APIRouter(prefix=PATH, route_class=ProtectedRoute, redirect_slashes=False)

_UNCHANGED = success(304, "Not modified.", ETAG)
_CREATED = success(201, "The new list.", ETAG | LIST_LOCATION | REPLAYED, schemas.TaskList)
_RESTORED = success(200, "The list.", ETAG | REPLAYED) | problems(404, 409, 412, 422)
_CHANGED = _RESTORED | problems(413, 415)


@router.get(
    "",
    response_model=list[schemas.TaskList],
    responses=success(200, "The lists, in their manual order.", ETAG) | _UNCHANGED,
)
async def list_lists(user: CurrentUser, lists: Lists, if_none_match: IfNoneMatch) -> Response:
    """List the lists. The ETag is that of the tasks too: it changes with each change of the user's data."""
    found, revision = await lists.lists(user.user_id)
    tag = entity_tag(revision)
    if if_none_match and if_none_match.holds_for(revision):
        return not_modified(tag)
    return json_response(found, {"ETag": tag})


@router.post("", status_code=201, response_model=schemas.TaskList, responses=_CREATED | problems(409, 413, 415, 422))
async def create_list(
    *,
    body: schemas.ListCreate,
    user: CurrentUser,
    batches: Batches,
    new_id: NewId,
    idempotency_key: IdempotencyKey,
    base_url: BaseUrl,
) -> Response:
    """Create a list, at the end of the lists."""
    operation = CreateList(new_id(), body.changes())
    return await run_once(batches, user.user_id, idempotency_key, operation, partial(created_list_response, base_url))


@router.get(
    "/trash",
    response_model=list[schemas.TrashedList],
    responses=success(200, "The lists in the trash, the last deleted first."),
)
async def list_trashed_lists(user: CurrentUser, lists: Lists) -> Response:
    """List the deleted lists, which can be restored until they are purged."""
    return json_response(await lists.trash(user.user_id))


@router.get(
    "/{list_id:list_id}",
    response_model=schemas.TaskList,
    responses=success(200, "The list.", ETAG) | _UNCHANGED | problems(404),
)
async def get_list(list_id: ListId, user: CurrentUser, lists: Lists, if_none_match: IfNoneMatch) -> Response:
    """Read a list."""
    found = await lists.get(user.user_id, list_id)
    if if_none_match and if_none_match.holds_for(found.revision):
        return not_modified(entity_tag(found.revision))
    return list_response(found)


@router.put("/{list_id:list_id}", response_model=schemas.TaskList, responses=_CREATED | _CHANGED)
async def put_list(
    *,
    list_id: ListId,
    body: schemas.ListUpdate,
    user: CurrentUser,
    batches: Batches,
    if_match: IfMatch,
    create_only: CreateOnly,
    idempotency_key: IdempotencyKey,
    base_url: BaseUrl,
    request: Request,
) -> Response:
    """Change a list, or create it with an id of the client.

    Changes a list as PATCH does: absent fields keep their value, null clears. With `If-None-Match: *`, the list is
    created, and 412 means that it exists already.
    """
    if create_only is None:
        return await run_once(
            batches, user.user_id, idempotency_key, ChangeList(list_id, body.changes(), if_match), list_response
        )
    if create_only.tags is not None:
        raise RequestError.at("header", "If-None-Match", "must be `*` here, to create the list")
    if "if-match" in request.headers:
        raise RequestError.at("header", "If-Match", "cannot be combined with `If-None-Match: *`")
    if body.name is MISSING:
        raise RequestError.at("body", "name", "is required")
    operation = CreateList(list_id, body.changes())
    return await run_once(batches, user.user_id, idempotency_key, operation, partial(created_list_response, base_url))


@router.patch("/{list_id:list_id}", response_model=schemas.TaskList, responses=_CHANGED)
async def update_list(
    *,
    list_id: ListId,
    body: schemas.ListUpdate,
    user: CurrentUser,
    batches: Batches,
    if_match: IfMatch,
    idempotency_key: IdempotencyKey,
) -> Response:
    """Change a list. Absent fields keep their value, null clears the color."""
    operation = ChangeList(list_id, body.changes(), if_match)
    return await run_once(batches, user.user_id, idempotency_key, operation, list_response)


@router.delete(
    "/{list_id:list_id}",
    status_code=204,
    response_model=None,
    responses=success(204, "The list is in the trash.", REPLAYED) | problems(404, 409, 412, 422),
)
async def delete_list(
    *,
    list_id: ListId,
    parameters: DeleteListParameters,
    user: CurrentUser,
    batches: Batches,
    if_match: IfMatch,
    idempotency_key: IdempotencyKey,
) -> Response:
    """Move a list to the trash, with its tasks; with `?tasks=keep`, they move to the inbox."""
    operation = DeleteList(list_id, parameters.tasks is schemas.TasksOfList.KEEP, if_match)
    return await run_once(batches, user.user_id, idempotency_key, operation)


@router.post("/{list_id:list_id}/restore", response_model=schemas.TaskList, responses=_RESTORED)
async def restore_list(
    list_id: ListId, user: CurrentUser, batches: Batches, if_match: IfMatch, idempotency_key: IdempotencyKey
) -> Response:
    """Restore a list from the trash, with the tasks that were deleted with it and are still in the trash."""
    return await run_once(batches, user.user_id, idempotency_key, RestoreList(list_id, if_match), list_response)


@router.post("/{list_id:list_id}/move", response_model=schemas.TaskList, responses=_CHANGED)
async def move_list(
    *,
    list_id: ListId,
    body: Move,
    user: CurrentUser,
    batches: Batches,
    if_match: IfMatch,
    idempotency_key: IdempotencyKey,
) -> Response:
    """Move a list in the manual order of the lists."""
    return await run_once(
        batches, user.user_id, idempotency_key, MoveList(list_id, body.place, if_match), list_response
    )


@unknown_ids.api_route("/{list_id}", methods=["GET", "PUT", "PATCH"])
@unknown_ids.post("/{list_id}/restore")
@unknown_ids.post("/{list_id}/move")
async def raise_not_found(
    list_id: str,  # noqa: ARG001 - any text
    _: CurrentUser,
    if_match: IfMatch,  # noqa: ARG001 - whatever it is, there is no list
    if_none_match: IfNoneMatch,  # noqa: ARG001
    idempotency_key: IdempotencyKey,  # noqa: ARG001
    request: Request,
) -> None:
    if request.method == "PUT":  # the caller may want to create it
        raise RequestError.at("path", "list_id", "must be a UUID, such as 019aa2f3-7c1e-7cc3-98c4-dc0c0c07398f")
    raise ListNotFoundError


@unknown_ids.delete("/{list_id}")
async def raise_not_found_to_delete(
    list_id: str,  # noqa: ARG001
    parameters: DeleteListParameters,  # noqa: ARG001
    _: CurrentUser,
    if_match: IfMatch,  # noqa: ARG001
    if_none_match: IfNoneMatch,  # noqa: ARG001
    idempotency_key: IdempotencyKey,  # noqa: ARG001
) -> None:
    raise ListNotFoundError
