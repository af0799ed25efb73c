"""The OpenAPI document, and the pages that show it."""

from collections.abc import Collection, Iterable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeAlias

import fastapi_offline
from fastapi import FastAPI
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html
from fastapi.openapi.utils import get_openapi
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import HTMLResponse

from todo_api.adapters.http import schemas
from todo_api.adapters.http.account_schemas import Import
from todo_api.adapters.http.etags import TAGS_PATTERN
from todo_api.adapters.http.problems import DETAILS, MEDIA_TYPE, PROBLEMS, RETRY_AFTER

Responses: TypeAlias = dict[int | str, dict[str, Any]]

_ASSETS = "/docs/assets"
# The pages come with all they need. ReDoc would ask its maker for a logo; the policy keeps it from doing so.
_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline' blob:; worker-src blob:; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)

DESCRIPTION = """\
Tasks for the signed-in user. Every call under `/api` needs a Better Auth token: `Authorization: Bearer <JWT>`.

* Errors are [RFC 9457](https://www.rfc-editor.org/rfc/rfc9457) problem documents; tell them apart by `code`.
* Each answer that carries a task has its revision as `ETag`. Send it back as `If-Match` to change the task only if
  nobody else has, and as `If-None-Match` to read it only if it is new.
* Lists are pages; the `Link` header leads to the next one.
"""


def _header(description: str, example: str) -> dict[str, Any]:
    return {"description": description, "required": True, "schema": {"type": "string"}, "example": example}


ETAG = {"ETag": _header("The revision.", '"42"')}
SYNC_TAG = {"ETag": _header("The `next` token, as a tag.", '"Jx3vKQ5mJ1Y0Mg"')}
LOCATION = {"Location": _header("Where the task is.", "/api/tasks/019aa2f3-7c1e-7cc3-98c4-dc0c0c07398f")}
LINK = {
    "Link": _header(
        "The next page, where there is one (RFC 8288).",
        '<http://localhost:8000/api/tasks?limit=50&cursor=pX2…>; rel="next"',
    )
    | {"required": False}
}
CONTENT_DISPOSITION = {
    "Content-Disposition": _header("A name for the file.", 'attachment; filename="todo-api-2026-11-20.json"')
}
_PROBLEM_HEADERS: Mapping[int, Mapping[str, Any]] = {
    401: {"WWW-Authenticate": _header("How to sign in (RFC 6750).", "Bearer")},
    403: {"WWW-Authenticate": _header("The missing scope.", 'Bearer error="insufficient_scope", scope="tasks:write"')},
    412: {"ETag": _header("The task's revision now.", '"43"')},
    429: {"Retry-After": _header("Seconds to wait before the next try.", RETRY_AFTER)},
    503: {"Retry-After": _header("Seconds to wait before the next try.", RETRY_AFTER)},
}


def _condition(name: str, description: str) -> dict[str, Any]:
    schema = {"type": "string", "pattern": TAGS_PATTERN}
    return {"name": name, "in": "header", "required": False, "description": description, "schema": schema}


IF_MATCH = _condition("If-Match", 'Change the task only at this revision, such as `"42"`; also a list, or `*`.')
CREATE = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "Create the task under the id that the address has, instead of changing it; only if there is none.",
    "schema": {"type": "string", "enum": ["*"]},
}
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": (
        "The client's name for this request, such as a UUID. Sent again within 24 hours with the same name, it is done "
        "once and gets the first answer again."
    ),
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
}
REPLAYED = {
    "Idempotent-Replayed": _header("This is the answer to an earlier request of the same name.", "true")
    | {"required": False}
}
LAST_EVENT_ID = {
    "name": "Last-Event-ID",
    "in": "header",
    "required": False,
    "description": "The id of the last event that the client has seen: goes before `since`.",
    "schema": {"type": "string"},
}
IF_NONE_MATCH = _condition("If-None-Match", 'Answer 304 at this revision, such as `"42"`; also a list, or `*`.')


def answer(status: int, description: str, headers: Mapping[str, Any] | None = None) -> Responses:
    """Return the documentation of an answer that is no problem."""
    return {status: {"description": description, "headers": dict(headers or {})}}


def event_stream(event: str) -> Responses:
    """Return the documentation of an answer that goes on: what it is, and what it looks like."""
    page = {"$ref": "#/components/schemas/Changes"}
    fields = {
        "data": {"type": "string", "contentMediaType": "application/json", "contentSchema": page},
        "id": {"type": "string", "description": "The page's `next`."},
        "retry": {"type": "integer", "description": "Milliseconds to wait before coming again, once it has ended."},
    }
    items = {"type": "object", "properties": fields, "required": ["data", "id"]}  # as OpenAPI 3.2 and FastAPI have it
    content = {"text/event-stream": {"itemSchema": items, "example": event}}
    return {200: {"description": "What changes, while it does: each event is a page of changes.", "content": content}}


def json_body(model: type[BaseModel]) -> dict[str, Any]:
    """Return the documentation of a body that is not read as a whole; `describe` has to know the model."""
    return {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}},
    }


def problems(*statuses: int) -> Responses:
    """Return the documentation of problem answers, with an example for every code that the table has for a status."""
    return {status: _problem(status) for status in statuses}


def _problem(status: int) -> dict[str, Any]:
    examples = {
        kind.code: {
            "value": {
                "type": kind.uri,
                "title": kind.title,
                "status": status,
                "detail": DETAILS.get(error, kind.title),
                "code": kind.code,
            }
        }
        for error, kind in PROBLEMS.items()
        if kind.status == status
    }
    return {
        "description": HTTPStatus(status).phrase,
        "headers": dict(_PROBLEM_HEADERS.get(status, {})),
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": examples}},
    }


def describe(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document: FastAPI's, less what this service does differently."""
    document = get_openapi(title=app.title, version=app.version, description=DESCRIPTION, routes=app.routes, tags=_TAGS)
    components = document.setdefault("components", {})
    for model in (schemas.Problem, Import):
        components["schemas"] |= _definitions(model)
    for unused in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(unused, None)
    components["securitySchemes"] = {"bearerAuth": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    for path, operation in _operations(document):
        if MEDIA_TYPE not in operation["responses"].get("422", {}).get("content", {}):
            operation["responses"].pop("422", None)  # FastAPI's own: here, bad input is answered with 400
        _drop_other_calls_examples(operation)
        operation["security"] = [{"bearerAuth": []}] if path.startswith("/api/") else []
    return document


# Problems that only some calls have: those with such a parameter, with a body, or of such a name. Those of nothing no
# call has, but the way to it.
_PROBLEMS_OF: Mapping[str, Collection[str]] = {
    "malformed-json": {"requestBody"},
    "invalid-cursor": {"cursor"},
    "invalid-sync-token": {"since"},
    "task-exists": {"If-None-Match", "runBatch"},
    "task-not-in-trash": {"restoreTask", "runBatch"},
    "idempotency-key-in-use": {"Idempotency-Key"},
    "idempotency-key-reused": {"Idempotency-Key"},
    "too-many-streams": {"followChanges"},
    "shutting-down": (),
    "too-many-connections": (),
    "not-found": (),
    "preflight-refused": (),
}


def _drop_other_calls_examples(operation: dict[str, Any]) -> None:
    parameters = {parameter["name"] for parameter in operation.get("parameters", [])}
    has = {operation["operationId"], *parameters, *operation}
    for response in operation["responses"].values():
        examples = response.get("content", {}).get(MEDIA_TYPE, {}).get("examples", {})
        for code in [code for code in examples if code in _PROBLEMS_OF and has.isdisjoint(_PROBLEMS_OF[code])]:
            del examples[code]


_TAGS = [
    {"name": "tasks", "description": "The user's tasks."},
    {"name": "account", "description": "The user's account: figures, everything out, everything in, nothing left."},
    {"name": "health", "description": "For operators."},
]


def _definitions(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    return {**schema.pop("$defs", {}), model.__name__: schema}


def _operations(document: Mapping[str, Any]) -> Iterable[tuple[str, dict[str, Any]]]:
    return ((path, operation) for path, methods in document["paths"].items() for operation in methods.values())


def add_documentation(app: FastAPI) -> None:
    """Serve the document at `/openapi.json` (FastAPI does) and the pages `/docs` and `/redoc`, all from here."""
    app.openapi = lambda: app.openapi_schema or _remember(app)  # type: ignore[method-assign] # FastAPI's way to do it
    app.mount(_ASSETS, StaticFiles(directory=Path(fastapi_offline.__file__).parent / "static"))

    async def swagger_ui(request: Request) -> HTMLResponse:
        root = request.scope.get("root_path", "")
        page = get_swagger_ui_html(
            openapi_url=f"{root}{app.openapi_url}",
            title=app.title,
            swagger_js_url=f"{root}{_ASSETS}/swagger-ui-bundle.js",
            swagger_css_url=f"{root}{_ASSETS}/swagger-ui.css",
            swagger_favicon_url=f"{root}{_ASSETS}/favicon.png",
            swagger_ui_parameters={"persistAuthorization": True, "validatorUrl": None},
        )
        return _with_policy(page)

    async def redoc(request: Request) -> HTMLResponse:
        root = request.scope.get("root_path", "")
        page = get_redoc_html(
            openapi_url=f"{root}{app.openapi_url}",
            title=app.title,
            redoc_js_url=f"{root}{_ASSETS}/redoc.standalone.js",
            redoc_favicon_url=f"{root}{_ASSETS}/favicon.png",
            with_google_fonts=False,
        )
        return _with_policy(page)

    app.add_route("/docs", swagger_ui, include_in_schema=False)
    app.add_route("/redoc", redoc, include_in_schema=False)


def _remember(app: FastAPI) -> dict[str, Any]:
    app.openapi_schema = describe(app)
    return app.openapi_schema


def _with_policy(page: HTMLResponse) -> HTMLResponse:
    page.headers["Content-Security-Policy"] = _POLICY
    return page
