"""Errors as problem documents (RFC 9457): the exception handlers of the application, and the documents."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match
from starlette.types import ASGIApp, Receive, Scope, Send
from structlog.contextvars import get_contextvars

from todo_api.adapters.http import problems
from todo_api.adapters.http.context import add_allowance, context_of
from todo_api.adapters.http.etags import entity_tag
from todo_api.adapters.http.problems import Location, RequestError, problem_type
from todo_api.adapters.http.validation import to_request_error
from todo_api.application.access import AuthenticationError, InsufficientScopeError, MissingTokenError
from todo_api.application.events import TooManyStreamsError
from todo_api.application.rates import TooManyRequestsError
from todo_api.domain import errors as domain
from todo_api.domain.errors import TodoError

_log = logging.getLogger(__name__)


def add_exception_handlers(app: FastAPI) -> None:
    """Register the handlers. Exceptions without one are handled by the middleware `UnexpectedErrors`."""
    app.add_exception_handler(TodoError, _todo_error)  # type: ignore[arg-type] # Starlette types them as Exception
    app.add_exception_handler(RequestValidationError, _validation_error)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, _http_exception)  # type: ignore[arg-type]


class UnexpectedErrors:
    """The innermost middleware: sends a 500 problem document for exceptions without a handler, and logs them.

    Starlette's own handler for them runs outside all other middleware, so browsers would get a response without CORS
    headers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except Exception as error:
            if scope["type"] != "http" or context_of(scope).status is not None:
                raise
            if isinstance(error, ClientDisconnect):  # the client does not read the response
                response = Response(status_code=400)
            else:
                _log.exception("%s %s failed", scope["method"], getattr(scope.get("route"), "path_format", ""))
                response = problem_response(error)
            await response(scope, receive, send)


async def _todo_error(request: Request, error: TodoError) -> Response:
    if isinstance(error, TooManyRequestsError):
        add_allowance(request.scope, error.allowance)
    return problem_response(error)


async def _validation_error(request: Request, error: RequestValidationError) -> Response:
    by_location: dict[Location, list[dict[str, Any]]] = {}
    for item in error.errors():
        location, *path = [*item["loc"]] or ["body"]
        by_location.setdefault(location, []).append({**item, "loc": path})
    invalid = [to_request_error(place, items, _model_of(request, place)) for place, items in by_location.items()]
    if len(invalid) == 1:
        return problem_response(invalid[0])
    return problem_response(RequestError.of([item for part in invalid for item in part.errors]))


def _model_of(request: Request, location: str) -> type[BaseModel] | None:
    """Return the model of the endpoint's one parameter at the location, if it has one."""
    parameters = getattr(request.scope["route"].dependant, f"{location}_params", [])
    model = parameters[0].field_info.annotation if len(parameters) == 1 else None
    return model if isinstance(model, type) and issubclass(model, BaseModel) else None


async def _http_exception(request: Request, error: HTTPException) -> Response:
    if error.status_code < HTTPStatus.BAD_REQUEST:
        return Response(status_code=error.status_code, headers=error.headers)
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED and error.detail == HTTPStatus.METHOD_NOT_ALLOWED.phrase:
        return problem_response(problems.MethodNotAllowedError(request.method, _allowed_methods(request, error)))
    if error.status_code == HTTPStatus.NOT_FOUND and "endpoint" not in request.scope:  # raised by the router
        documentation = request.scope.get("root_path", "") + "/docs"
        detail = f"there is nothing at {request.url.path}; see {documentation} for all endpoints"
        return problem_response(problems.NoSuchPathError(detail))
    problem = problems.problem_of_status(error.status_code)
    content: object = error.detail  # FastAPI's HTTPException takes any JSON
    document = problem.document(content if isinstance(content, str) else problem.title)
    if not isinstance(content, str):
        document["data"] = jsonable_encoder(content)
    return document_response(document, error.headers or {})


def _allowed_methods(request: Request, error: HTTPException) -> list[str]:
    """Return the methods of all routes with this path. Starlette's Allow header has those of the first one only."""
    methods = set(((error.headers or {}).get("Allow") or "").split(", ")) - {""}
    for route in iter_route_contexts(request.app.routes):
        if route.matches(request.scope)[0] is not Match.NONE:
            methods |= route.methods or {"GET"}  # mounted files can be read
    return sorted(methods | {"HEAD"} if "GET" in methods else methods)


def problem_response(error: Exception) -> Response:
    """Return the response to an error. An error that is not a TodoError is a 500 without details."""
    match error:
        case domain.OperationError():
            return document_response(problem_document(error.error) | {"index": error.index}, headers_of(error.error))
        case domain.IncompleteImportError():
            names = ("imported", "skipped", "imported_lists", "skipped_lists")
            counts = {name: getattr(error, name) for name in names}
            return document_response(problem_document(error.error) | counts, headers_of(error.error))
        case TodoError():
            return document_response(problem_document(error), headers_of(error))
    return document_response(problems.INTERNAL.document("the error was logged; sending the request again may help"), {})


def document_response(document: Mapping[str, Any], headers: Mapping[str, str]) -> Response:
    request_id = get_contextvars().get("request_id")  # None outside of requests
    return Response(
        msgspec.json.encode({**document, "request_id": request_id} if request_id else document),
        status_code=document["status"],
        headers={"Cache-Control": "no-store", **headers},
        media_type=problems.MEDIA_TYPE,
    )


def problem_document(error: TodoError) -> dict[str, Any]:
    if isinstance(error, domain.InvalidFieldError):
        error = RequestError.at("body", error.field, error.detail)
    problem = problem_type(error)
    document = problem.document(problems.DETAILS.get(type(error)) or str(error) or problem.title)
    if isinstance(error, RequestError) and error.errors:
        document["errors"] = error.errors
    return document


def headers_of(error: TodoError) -> dict[str, str]:
    """Return the headers that belong to the error's response."""
    match error:
        case MissingTokenError():
            return {"WWW-Authenticate": "Bearer"}  # RFC 6750, section 3.1: no error code without a token
        case AuthenticationError():
            return {
                "WWW-Authenticate": f'Bearer error="invalid_token", error_description="{problem_type(error).title}"'
            }
        case InsufficientScopeError():
            return {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{error.scope}"'}
        case domain.RevisionMismatchError() | domain.TaskExistsError():
            return {"ETag": entity_tag(error.current)}
        case problems.MethodNotAllowedError():
            return {"Allow": ", ".join(error.allowed)}
    return _retry_after(error)


def _retry_after(error: TodoError) -> dict[str, str]:
    if isinstance(error, TooManyRequestsError):
        return {"Retry-After": str(error.allowance.reset)}
    is_temporary = isinstance(error, domain.IdempotencyKeyInUseError | TooManyStreamsError)
    is_unavailable = problem_type(error).status == HTTPStatus.SERVICE_UNAVAILABLE
    return {"Retry-After": problems.RETRY_AFTER} if is_temporary or is_unavailable else {}
