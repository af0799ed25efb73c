"""Live events: the changes that delta sync has, as server-sent events, while they happen."""

import random
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, TypeAlias

from fastapi import FastAPI, Query, Request, Response
from fastapi.sse import KEEPALIVE_COMMENT, EventSourceResponse, format_sse_event
from pydantic import MISSING
from starlette.types import Receive, Scope, Send

from todo_api.adapters.http import schemas
from todo_api.adapters.http.answers import add_call, encode
from todo_api.adapters.http.documentation import LAST_EVENT_ID, event_stream, problems
from todo_api.adapters.http.requests import principal_of
from todo_api.adapters.http.sync import changes_document, sync_point
from todo_api.application.events import EventService
from todo_api.domain.changes import Changes, SyncPoint

# The name that the lifespan's state has for what ends all streams: a server calls it when it begins to stop.
END_STREAMS = "todo_api.end_streams"

# Nginx would hold events back to fill its buffers.
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
# Milliseconds after which a client comes again: those whose streams end together come back one after the other.
_SHORTEST_RETRY, _LONGEST_RETRY = 1000, 3000

_EXAMPLE = format_sse_event(
    data_str='{"tasks": [], "deleted": [], "next": "Jx3vKQ5mJ1Y0Mg", "has_more": false}',
    id="Jx3vKQ5mJ1Y0Mg",
    retry=2000,
).decode()

Items: TypeAlias = AsyncGenerator[Changes | None]


class EventRoutes:
    """The one call that goes on until it is ended."""

    def __init__(self, events: EventService, keep_alive: float) -> None:
        """Take the use case, and after how many seconds without news to send a comment."""
        self._events = events
        self._keep_alive = keep_alive

    def register(self, app: FastAPI) -> None:
        """Add the call to the application, with what the OpenAPI document says of it."""
        responses = event_stream(_EXAMPLE) | problems(400, 401, 403, 410, 429, 503)
        add_call(
            app, "GET", "/events", self.follow_changes, responses, LAST_EVENT_ID,
            model=None, response_class=Response,
        )  # fmt: skip

    async def follow_changes(
        self, request: Request, parameters: Annotated[schemas.EventsParameters, Query()]
    ) -> Response:
        """Follow what changes. Each event is a page of changes, and its id the token to go on with."""
        principal = principal_of(request)
        since = _beginning(request, principal.user_id, parameters)
        items = self._events.follow(
            principal.user_id, since, expires_at=principal.expires_at, keep_alive=self._keep_alive
        )
        first = await anext(items)  # here, where an error can still be answered
        return _EventStream(principal.user_id, first, items)


def _beginning(request: Request, user_id: str, parameters: schemas.EventsParameters) -> SyncPoint:
    if last := request.headers.get("last-event-id"):
        return sync_point(user_id, last, "header", "Last-Event-ID")
    return SyncPoint() if parameters.since is MISSING else sync_point(user_id, parameters.since, "query", "since")


class _EventStream(EventSourceResponse):
    """Writes each item when the client has taken those before, until they end or the client hangs up."""

    def __init__(self, user_id: str, first: Changes | None, later: Items) -> None:
        self._later = later
        self._chunks = _chunks(user_id, first, later)
        super().__init__(self._chunks, headers=_HEADERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self._later), aclosing(self._chunks):
            await super().__call__(scope, receive, send)


async def _chunks(user_id: str, first: Changes | None, later: Items) -> AsyncGenerator[bytes]:
    yield _retry() + _event(user_id, first)
    del first  # nothing need be kept while the stream waits
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
    return format_sse_event(retry=random.randint(_SHORTEST_RETRY, _LONGEST_RETRY))  # noqa: S311 - no secret
