"""The dependencies of the endpoints: everything that they can declare as a parameter."""

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeAlias
from uuid import UUID

from fastapi import Depends, Header, Path, Query, Request, Response
from pydantic import WithJsonSchema
from starlette.convertors import StringConvertor, register_url_convertor

from todo_api.adapters.http.authentication import authenticate
from todo_api.adapters.http.etags import TAGS_PATTERN, Condition, read_condition, read_revisions
from todo_api.adapters.http.idempotency import idempotency_key
from todo_api.adapters.http.requests import base_url
from todo_api.adapters.http.schemas import overview, parameters
from todo_api.adapters.http.schemas.fields import UUID_PATTERN, Tag
from todo_api.application.access import Principal
from todo_api.application.accounts import AccountService
from todo_api.application.batches import BatchService
from todo_api.application.events import EventService
from todo_api.application.lists import ListService
from todo_api.application.services import Limits
from todo_api.application.tasks import TaskService
from todo_api.domain import idempotency as domain
from todo_api.domain.ports import TaskRepository

_BARE_TOKEN = re.compile("[A-Za-z0-9_-]+")

# The verified caller. Endpoints with it refuse requests without a token (401), too many requests (429), and tokens
# without the scope (403); in routers with `route_class=ProtectedRoute` this happens before the body is read.
CurrentUser: TypeAlias = Annotated[Principal, Depends(authenticate)]


# The use cases and settings that were passed to `create_http_app`.


def _from_state(source: str, name: str) -> Any:
    async def get(request: Request) -> Any:
        return getattr(getattr(request.app.state, source), name)

    return Depends(get)


Tasks: TypeAlias = Annotated[TaskService, _from_state("services", "tasks")]
Lists: TypeAlias = Annotated[ListService, _from_state("services", "lists")]
Batches: TypeAlias = Annotated[BatchService, _from_state("services", "batches")]
Events: TypeAlias = Annotated[EventService, _from_state("services", "events")]
Accounts: TypeAlias = Annotated[AccountService, _from_state("services", "accounts")]
Repository: TypeAlias = Annotated[TaskRepository, _from_state("services", "repository")]
NewId: TypeAlias = Annotated[Callable[[], UUID], _from_state("services", "new_id")]
UserLimits: TypeAlias = Annotated[Limits, _from_state("services", "limits")]
MaxBodyBytes: TypeAlias = Annotated[int, _from_state("config", "max_body_bytes")]
KeepAlive: TypeAlias = Annotated[float, _from_state("config", "keep_alive")]


# Paths and queries


class _IdConvertor(StringConvertor):
    """Matches `{task_id:task_id}` and `{list_id:list_id}`: UUIDs only, so that other routes can use other words."""

    regex = UUID_PATTERN + r"(?!\n)"  # Starlette ends the pattern with $, which matches before a final newline too


register_url_convertor("task_id", _IdConvertor())
register_url_convertor("list_id", _IdConvertor())


class _TagConvertor(StringConvertor):
    """Matches `{tag:tag}` at the end of paths: any text, slashes and line breaks included."""

    regex = r"(?s:.+)"


register_url_convertor("tag", _TagConvertor())

TagName: TypeAlias = Annotated[Tag, Path(description="The tag, percent-encoded. Case does not matter.")]
TaskId: TypeAlias = Annotated[UUID, Path(description="The task's id.")]
ListId: TypeAlias = Annotated[UUID, Path(description="The list's id.")]
ListParameters: TypeAlias = Annotated[parameters.ListParameters, Query()]
PageParameters: TypeAlias = Annotated[parameters.PageParameters, Query()]
ChangesParameters: TypeAlias = Annotated[parameters.ChangesParameters, Query()]
DeleteListParameters: TypeAlias = Annotated[parameters.DeleteListParameters, Query()]
OccurrenceParameters: TypeAlias = Annotated[parameters.OccurrenceParameters, Query()]
CountsParameters: TypeAlias = Annotated[overview.CountsParameters, Query()]
EventsParameters: TypeAlias = Annotated[parameters.EventsParameters, Query()]

# What precedes the paths of the API in absolute URLs: scheme, host and prefix, as the client used them.
BaseUrl: TypeAlias = Annotated[str, Depends(base_url)]


# Headers. Those that may be repeated are read as lists, with the values of all header fields of their name.


_TAGS_SCHEMA = {"type": "string", "pattern": TAGS_PATTERN}
_TOKENS_SCHEMA = {"type": "string", "pattern": f"{TAGS_PATTERN}|^[A-Za-z0-9_-]+$"}
_Read: TypeAlias = Callable[[str, list[str] | None], Any]


def _conditional(
    header: str, description: str, read: _Read = read_condition, schema: Mapping[str, Any] = _TAGS_SCHEMA
) -> Any:
    field = Header(alias=header, description=description)

    async def get(values: Annotated[list[str] | None, field, WithJsonSchema(dict(schema))] = None) -> Any:
        return read(header, values)

    return Depends(get)


def _read_token(header: str, values: list[str] | None) -> Condition | None:
    if values and len(values) == 1 and _BARE_TOKEN.fullmatch(values[0]):
        return Condition(frozenset(values))
    return read_condition(header, values)


async def _idempotency_key(
    request: Request,
    keys: Annotated[
        list[str] | None,
        Header(
            alias="Idempotency-Key",
            description=(
                "The client's key for this request, such as a UUID. A retry with the same key within 24 hours is not "
                "run again: it gets the response of the first request."
            ),
        ),
        WithJsonSchema({"type": "string", "pattern": "^[!-~]{1,255}$"}),
    ] = None,
) -> domain.IdempotencyKey[Response] | None:
    return await idempotency_key(request, keys)


# The revisions that If-Match names; None without the header, and for `*`.
IfMatch: TypeAlias = Annotated[
    frozenset[int] | None,
    _conditional(
        "If-Match",
        'Change it only at this revision, such as `"1795600000000000"`; also a list, or `*`.',
        read_revisions,
    ),
]
IfNoneMatch: TypeAlias = Annotated[
    Condition | None,
    _conditional(
        "If-None-Match", 'Respond with 304 if the ETag is this one, such as `"1795600000000000"`; also a list, or `*`.'
    ),
]
# If-None-Match with a sync token, in quotes as in `ETag` or without them as in `next`.
IfNoneMatchToken: TypeAlias = Annotated[
    Condition | None,
    _conditional(
        "If-None-Match",
        "Respond with 304 if the token is this one, as in `ETag` or as in `next`.",
        _read_token,
        _TOKENS_SCHEMA,
    ),
]
CreateOnly: TypeAlias = Annotated[
    Condition | None,
    _conditional(
        "If-None-Match",
        "Create it with the id in the path, and only if there is none.",
        schema={"type": "string", "enum": ["*"]},
    ),
]
# The request that a retry repeats; None without the header.
IdempotencyKey: TypeAlias = Annotated[domain.IdempotencyKey[Response] | None, Depends(_idempotency_key)]
LastEventId: TypeAlias = Annotated[
    str | None,
    Header(alias="Last-Event-ID", description="The id of the last event that the client has seen; overrides `since`."),
    WithJsonSchema({"type": "string"}),
]
