"""Delta sync: what has changed since a client last asked."""

import re
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request, Response
from pydantic import MISSING

from todo_api.adapters.http import schemas
from todo_api.adapters.http.answers import PRIVATE, add_call, json_answer
from todo_api.adapters.http.documentation import IF_NONE_MATCH, SYNC_TAG, answer, problems
from todo_api.adapters.http.etags import Condition
from todo_api.adapters.http.problems import FieldError, InvalidSyncTokenError
from todo_api.adapters.http.requests import condition, user_of
from todo_api.adapters.http.sync_tokens import decode_sync_token, encode_sync_token
from todo_api.application.tasks import TaskService
from todo_api.domain.changes import Changes, SyncPoint

_BARE_TOKEN = re.compile("[A-Za-z0-9_-]+")


class SyncRoutes:
    """One method for each call; each asks one use case."""

    def __init__(self, tasks: TaskService) -> None:
        """Take the use cases."""
        self._tasks = tasks

    def register(self, app: FastAPI) -> None:
        """Add the calls to the application, with what the OpenAPI document says of them."""
        changes = answer(200, "What has changed, in the order of the revisions.", SYNC_TAG)
        unchanged = answer(304, "Nothing has changed since.", SYNC_TAG)
        responses = changes | unchanged | problems(400, 401, 403, 410, 503)
        add_call(app, "GET", "/changes", self.list_changes, responses, IF_NONE_MATCH, model=schemas.Changes)

    async def list_changes(
        self, request: Request, parameters: Annotated[schemas.ChangesParameters, Query()]
    ) -> Response:
        """List what has changed since a token.

        Apply the tasks and the deletions to the copy, keep `next`, and ask again with it: at once while there is more,
        and later for what comes. Without `since`, the copy starts from nothing.
        """
        user_id = user_of(request)
        since = SyncPoint() if parameters.since is MISSING else sync_point(user_id, parameters.since, "query", "since")
        unless = _held(request)
        found = await self._tasks.changes(user_id, since, parameters.limit)
        document = changes_document(user_id, found)
        tag = {"ETag": f'"{document["next"]}"'}
        if unless is not None and unless.names(document["next"]):
            return Response(status_code=304, headers={**tag, **PRIVATE})
        return json_answer(document, tag)


def _held(request: Request) -> Condition | None:
    """Return which tokens the client has: with quotes, as `ETag` has it, or without, as `next` has it."""
    value = request.headers.get("if-none-match", "")
    return Condition(frozenset({value})) if _BARE_TOKEN.fullmatch(value) else condition(request, "If-None-Match")


def changes_document(user_id: str, found: Changes) -> dict[str, Any]:
    """Return what to tell of the changes, for msgspec to encode."""
    token = encode_sync_token(user_id, found.next)
    return {"tasks": found.tasks, "deleted": found.deleted, "next": token, "has_more": found.more}


def sync_point(user_id: str, token: str, location: str, field: str) -> SyncPoint:
    """Return the point that the token names, or raise InvalidSyncTokenError about the field that had it."""
    point = decode_sync_token(user_id, token)
    if point is None:
        detail = "is damaged or is not yours: start again without it"
        raise InvalidSyncTokenError.of([FieldError(location, field, detail)])
    return point
