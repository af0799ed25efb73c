"""Delta sync: the changes since a sync token, as pages, and as server-sent events as they happen."""

import random
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TypeAlias

from fastapi import Response
from fastapi.sse import KEEPALIVE_COMMENT, EventSourceResponse, format_sse_event
from pydantic import MISSING
from starlette.types import Receive, Scope, Send

from todo_api.adapters.http.dependencies import (
    ChangesParameters,
    CurrentUser,
    Events,
    EventsParameters,
    IfNoneMatchToken,
    KeepAlive,
    LastEventId,
    Tasks,
)
from todo_api.adapters.http.openapi import SYNC_TAG, event_stream, problems, success
from todo_api.adapters.http.responses import encode, json_response, not_modified
from todo_api.adapters.http.routes import protected_router
from todo_api.adapters.http.schemas import tasks as schemas
from todo_api.adapters.http.schemas.parameters import SinceParameters
from todo_api.adapters.http.sync_tokens import changes_document, read_sync_token
from todo_api.domain.changes import Changes, SyncPoint

# Otherwise nginx buffers the events.
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
# Milliseconds until a client reconnects: random, so that clients do not all reconnect at the same moment.
_MIN_RETRY, _MAX_RETRY = 1000, 3000

_EXAMPLE = format_sse_event(
    data_str=(
        '{"tasks": [], "deleted": [], "lists": [], "deleted_lists": [], '
        '"next": "4mM3CI5Wv6wxNzk1NjAwMDAwMDAwMDAw", "has_more": false}'
    ),
    id="4mM3CI5Wv6wxNzk1NjAwMDAwMDAwMDAw",
    retry=2000,
).decode()

_Items: TypeAlias = AsyncGenerator[Changes | None]

router = protected_router("/api/tasks", "tasks")


@router.get(
    "/changes",
    response_model=schemas.Changes,
    responses=success(200, "The changes, in the order of the revisions.", SYNC_TAG)
    | success(304, "Not modified.", SYNC_TAG)
    | problems(410),
)
async def list_changes(
    parameters: ChangesParameters, user: CurrentUser, tasks: Tasks, if_none_match: IfNoneMatchToken
) -> Response:
    """List changes since a token.

    Apply the tasks, the lists and the deletions to the local copy, keep `next`, and send it as `since` in the next
    request: at once while `has_more` is true, later otherwise. Without `since`, all tasks and lists are returned. A
    task may come a page before its list.
    """
    since = _since(user.user_id, parameters)
    document = changes_document(user.user_id, await tasks.changes(user.user_id, since, parameters.limit))
    tag = f'"{document["next"]}"'
    if if_none_match and if_none_match.names(document["next"]):
        return not_modified(tag)
    return json_response(document, {"ETag": tag})


@router.get(
    "/events",
    response_model=None,
    response_class=Response,
    responses=event_stream(_EXAMPLE) | problems(410),
)
async def follow_changes(
    parameters: EventsParameters,
    user: CurrentUser,
    events: Events,
    keep_alive: KeepAlive,
    last_event_id: LastEventId = None,
) -> Response:
    """Follow changes. Each event is a page of changes; its id is the token to continue with."""
    if last_event_id:
        since = read_sync_token(user.user_id, last_event_id, "header", "Last-Event-ID")
    elif parameters.last_event_id:
        since = read_sync_token(user.user_id, parameters.last_event_id, "query", "lastEventId")
    else:
        since = _since(user.user_id, parameters)
    items = events.follow(user.user_id, since, expires_at=user.expires_at, keep_alive=keep_alive)
    first = await anext(items)  # before the response starts, so that an error can still become a response
    return _EventStream(user.user_id, first, items)


def _since(user_id: str, parameters: SinceParameters) -> SyncPoint:
    if parameters.since is MISSING:
        return SyncPoint()
    return read_sync_token(user_id, parameters.since, "query", "since")


class _EventStream(EventSourceResponse):
    """Sends each item when the client has received the previous one, until the items end or the client disconnects."""

    def __init__(self, user_id: str, first: Changes | None, later: _Items) -> None:
        self._later = later
        self._chunks = _chunks(user_id, first, later)
        super().__init__(self._chunks, headers=_HEADERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self._later), aclosing(self._chunks):
            await super().__call__(scope, receive, send)


async def _chunks(user_id: str, first: Changes | None, later: _Items) -> AsyncGenerator[bytes]:
    yield _retry() + _event(user_id, first)
    del first  # free the memory while the stream waits
    async for item in later:
        yield _event(user_id, item)
        del item
    yield _retry()


def _event(user_id: str, found: Changes | None) -> bytes:
    if found is None:
        return KEEPALIVE_COMMENT
    document = changes_document(user_id, found)
    return format_sse_event(data_str=encode(document).decode(), id=document["next"])


def _retry() -> bytes:
    return format_sse_event(retry=random.randint(_MIN_RETRY, _MAX_RETRY))  # noqa: S311 - not a secret
