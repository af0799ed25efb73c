"""Live events: the changes of delta sync as server-sent events, as they happen."""

import random
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TypeAlias

from fastapi import APIRouter, Response
from fastapi.sse import KEEPALIVE_COMMENT, EventSourceResponse, format_sse_event
from pydantic import MISSING
from starlette.types import Receive, Scope, Send

from todo_api.adapters.http.dependencies import CurrentUser, Events, EventsParameters, KeepAlive, LastEventId
from todo_api.adapters.http.openapi import event_stream, operation_id, problems
from todo_api.adapters.http.responses import encode
from todo_api.adapters.http.route_class import ProtectedRoute
from todo_api.adapters.http.schemas import parameters as schemas
from todo_api.adapters.http.sync_tokens import changes_document, read_sync_token
from todo_api.domain.changes import Changes, SyncPoint

# The key in the lifespan state of the function that ends all streams. The server calls it when it begins to stop.
END_STREAMS = "todo_api.end_streams"

# Nginx would buffer the events otherwise.
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
# Milliseconds until a client reconnects: random, so that clients whose streams end together do not return together.
_MIN_RETRY, _MAX_RETRY = 1000, 3000

_EXAMPLE = format_sse_event(
    data_str='{"tasks": [], "deleted": [], "next": "Jx3vKQ5mJ1Y0Mg", "has_more": false}',
    id="Jx3vKQ5mJ1Y0Mg",
    retry=2000,
).decode()

_Items: TypeAlias = AsyncGenerator[Changes | None]

router = APIRouter(
    prefix="/api/tasks", tags=["tasks"], route_class=ProtectedRoute, generate_unique_id_function=operation_id
)


@router.get(
    "/events",
    response_model=None,
    response_class=Response,
    responses=event_stream(_EXAMPLE) | problems(400, 401, 403, 410, 429, 503),
)
async def follow_changes(
    parameters: EventsParameters,
    user: CurrentUser,
    events: Events,
    keep_alive: KeepAlive,
    last_event_id: LastEventId = None,
) -> Response:
    """Follow changes. Each event is a page of changes; its id is the token to continue with."""
    since = _start(user.user_id, parameters, last_event_id)
    items = events.follow(user.user_id, since, expires_at=user.expires_at, keep_alive=keep_alive)
    first = await anext(items)  # before the response starts, so that errors have a response of their own
    return _EventStream(user.user_id, first, items)


def _start(user_id: str, parameters: schemas.EventsParameters, last_event_id: str | None) -> SyncPoint:
    if last_event_id:
        return read_sync_token(user_id, last_event_id, "header", "Last-Event-ID")
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
