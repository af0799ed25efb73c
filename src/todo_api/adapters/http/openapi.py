"""The OpenAPI document: FastAPI's, with problem documents instead of its own errors."""

from collections.abc import Collection, Iterator, Mapping
from copy import deepcopy
from http import HTTPStatus
from typing import Any, TypeAlias

from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter
from pydantic.alias_generators import to_camel
from starlette.routing import BaseRoute

from todo_api.adapters.http.problems import DETAILS, MEDIA_TYPE, PROBLEMS, RETRY_AFTER, Problem
from todo_api.adapters.http.schemas.transfer import Import

Responses: TypeAlias = dict[int | str, dict[str, Any]]

DESCRIPTION = """\
Tasks for the signed-in user. Every request under `/api` needs a Better Auth token: `Authorization: Bearer <JWT>`.

* Errors are [RFC 9457](https://www.rfc-editor.org/rfc/rfc9457) problem documents; tell them apart by `code`.
* Each response with one task or list has its revision as `ETag`. Send it as `If-Match` to change it only if nobody
  else has changed it, and as `If-None-Match` to read it only if it has changed.
* Lists of tasks are pages; the `Link` header leads to the next one.
"""
TAGS = [
    {"name": "tasks", "description": "The user's tasks."},
    {"name": "lists", "description": "The user's lists, such as projects."},
    {"name": "account", "description": "The user's account: numbers, export, import, deletion."},
    {"name": "health", "description": "For operators."},
]
# Models that no endpoint declares: those of errors, and of a streamed body.
_SCHEMAS = TypeAdapter(Problem | Import).json_schema(ref_template="#/components/schemas/{model}")["$defs"]


def _header(name: str, description: str, example: str, *, required: bool = True) -> dict[str, Any]:
    header = {"description": description, "required": required, "schema": {"type": "string"}, "example": example}
    return {name: header}


ETAG = _header("ETag", "The revision.", '"1795600000000000"')
LIST_TAG = _header(
    "ETag", "The user's revision; absent if the list depends on the time.", '"1795600000000000"', required=False
)
SYNC_TAG = _header("ETag", "The `next` token, as a tag.", '"4mM3CI5Wv6wxNzk1NjAwMDAwMDAwMDAw"')
LOCATION = _header(
    "Location", "Where the task is.", "http://localhost:8000/api/tasks/019aa2f3-7c1e-7cc3-98c4-dc0c0c07398f"
)
LIST_LOCATION = _header(
    "Location", "Where the list is.", "http://localhost:8000/api/lists/019aa2f3-7c1e-7cc3-98c4-dc0c0c07398f"
)
LINK = _header(
    "Link",
    "The next page, if there is one (RFC 8288).",
    '<http://localhost:8000/api/tasks?limit=50&cursor=_OxixV7xkLhbImFsbCIsImNyZWF0ZWQi…>; rel="next"',
    required=False,
)
CONTENT_DISPOSITION = _header("Content-Disposition", "A file name.", 'attachment; filename="todo-api-2026-11-20.json"')
REPLAYED = _header(
    "Idempotent-Replayed", "The response to an earlier request with the same key.", "true", required=False
)
_RETRY = _header("Retry-After", "Seconds to wait before the next try.", RETRY_AFTER)
_SCOPE = 'Bearer error="insufficient_scope", scope="tasks:write"'
_PROBLEM_HEADERS: Mapping[int, Mapping[str, Any]] = {
    401: _header("WWW-Authenticate", "How to sign in (RFC 6750).", "Bearer"),
    403: _header("WWW-Authenticate", "The missing scope.", _SCOPE),
    412: _header("ETag", "The revision now.", '"1795600000000001"'),
    429: _RETRY,
    503: _RETRY,
}


def success(
    status: int, description: str, headers: Mapping[str, Any] | None = None, model: type[BaseModel] | None = None
) -> Responses:
    """Return the documentation of a successful response. The endpoint's own status has its `response_model`."""
    response = {"description": description, "headers": dict(headers or {})}
    return {status: response if model is None else {**response, "model": model}}


def event_stream(event: str) -> Responses:
    """Return the documentation of a stream of server-sent events."""
    description = (
        "Changes as they happen. The `data` of each event is a page, as `GET /api/tasks/changes` returns it; "
        "its `id` is the page's `next`, and `retry` the milliseconds to wait before reconnecting."
    )
    content = {"text/event-stream": {"schema": {"type": "string"}, "example": event}}
    return {200: {"description": description, "content": content}}


# The documentation of a streamed body. `_SCHEMAS` must have its model.
IMPORT_BODY = {"required": True, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Import"}}}}


def problems(*statuses: int) -> Responses:
    """Return the documentation of error responses, with an example for each problem type of each status."""
    return {status: _problem(status) for status in statuses}


def _problem(status: int) -> dict[str, Any]:
    examples = {
        kind.code: {"value": kind.document(DETAILS.get(error, kind.title))}
        for error, kind in PROBLEMS.items()
        if kind.status == status
    }
    return {
        "description": HTTPStatus(status).phrase,
        "headers": dict(_PROBLEM_HEADERS.get(status, {})),
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": examples}},
    }


def operation_id(route: APIRoute) -> str:
    """Return the name of the endpoint in camel case, for generated clients."""
    return to_camel(route.name)


def summarize(route: BaseRoute) -> BaseRoute:
    """Give the route a summary: the first sentence of its endpoint's docstring."""
    if isinstance(route, APIRoute) and route.summary is None:
        route.summary = route.description.partition(".")[0]
    return route


def customize_openapi(app: FastAPI) -> None:
    """Replace `app.openapi`, as FastAPI's manual describes."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        document = generate()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        if not _SCHEMAS.keys() <= schemas.keys():  # FastAPI keeps the document until a route is added
            schemas |= deepcopy(_SCHEMAS)
            _document_problems(document)
            _help_generators(document)
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def _document_problems(document: Mapping[str, Any]) -> None:
    """Remove FastAPI's own errors, and the examples of problems that an operation does not have."""
    for unused in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(unused, None)
    for operation in (operation for methods in document["paths"].values() for operation in methods.values()):
        if MEDIA_TYPE not in operation["responses"].get("422", {}).get("content", {}):
            operation["responses"].pop("422", None)  # FastAPI's own: invalid input is a 400 here
        _remove_examples_of_others(operation)
        operation.setdefault("security", [])


def _help_generators(document: Mapping[str, Any]) -> None:
    """Remove what spoils the names and types of generated clients.

    Generators name types after the titles that Pydantic derives from the names of fields, and openapi-typescript takes
    a property with a default for one that is always there, and so for a required one in a request.
    """
    for name, schema in document["components"]["schemas"].items():
        for inner in _inner_schemas(schema):
            inner.pop("title", None)
            inner.pop("default", None)
        schema["title"] = name
    for operation in (operation for methods in document["paths"].values() for operation in methods.values()):
        contents = [operation.get("requestBody", {}), *operation["responses"].values()]
        for media in (media for content in contents for media in content.get("content", {}).values()):
            for inner in _inner_schemas(media.get("schema", {})):
                inner.pop("title", None)
                inner.pop("default", None)
        for parameter in operation.get("parameters", ()):
            parameter["schema"].pop("title", None)


def _inner_schemas(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the schema and those inside it."""
    yield schema
    children = [*schema.get("properties", {}).values(), schema.get("items")]
    for keyword in ("anyOf", "oneOf", "allOf"):
        children += schema.get(keyword, [])
    for child in children:
        if isinstance(child, dict):
            yield from _inner_schemas(child)


# Problems of some operations only: those with this parameter, with a body, or with this id. Problems without any
# precede the operation.
_PROBLEMS_OF: Mapping[str, Collection[str]] = {
    "malformed-json": {"requestBody"},
    "invalid-cursor": {"cursor"},
    "invalid-sync-token": {"since"},
    "task-not-found": {"task_id", "runBatch"},
    "task-exists": {"putTask", "runBatch"},
    "tag-not-found": {"renameTag", "deleteTag"},
    "task-not-in-trash": {"restoreTask", "runBatch"},
    "list-not-found": {"list_id", "runBatch"},
    "list-exists": {"putList", "runBatch"},
    "list-not-in-trash": {"restoreList", "runBatch"},
    "neighbour-not-found": {"moveTask", "moveList", "runBatch"},
    "occurrence-exists": (),
    "not-recurring": {"skipTask", "runBatch"},
    "quota-exceeded": {
        *("createTask", "putTask", "updateTask", "completeTask", "restoreTask"),
        *("createList", "putList", "restoreList", "runBatch", "importAccount"),
    },
    "idempotency-key-in-use": {"Idempotency-Key"},
    "idempotency-key-reused": {"Idempotency-Key"},
    "too-many-streams": {"followChanges"},
    "shutting-down": (),
    "too-many-connections": (),
    "not-found": (),
    "preflight-refused": (),
}


def _remove_examples_of_others(operation: dict[str, Any]) -> None:
    parameters = {parameter["name"] for parameter in operation.get("parameters", [])}
    has = {operation["operationId"], *parameters, *operation}
    for response in operation["responses"].values():
        examples = response.get("content", {}).get(MEDIA_TYPE, {}).get("examples", {})
        for code in [code for code in examples if code in _PROBLEMS_OF and has.isdisjoint(_PROBLEMS_OF[code])]:
            del examples[code]
