"""Problem documents (RFC 9457): the response to every error."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.responses import Response

from todo_api.adapters.http.etags import entity_tag
from todo_api.adapters.http.problems import (
    DETAILS,
    INTERNAL,
    MEDIA_TYPE,
    RETRY_AFTER,
    MethodNotAllowedError,
    RequestError,
    problem_type,
)
from todo_api.adapters.http.request_id import current_request_id
from todo_api.application.access import AuthenticationError, InsufficientScopeError, MissingTokenError
from todo_api.application.events import TooManyStreamsError
from todo_api.application.rates import TooManyRequestsError
from todo_api.domain.errors import (
    IdempotencyKeyInUseError,
    IncompleteImportError,
    OperationError,
    RevisionMismatchError,
    TaskExistsError,
    TodoError,
)


def problem_response(error: Exception) -> Response:
    """Return the response to an error; one that is no TodoError is a 500 that reveals nothing about it."""
    match error:
        case OperationError():
            return document_response(problem_document(error.error) | {"index": error.index}, headers_of(error.error))
        case IncompleteImportError():
            counts = {"imported": error.imported, "skipped": error.skipped}
            return document_response(problem_document(error.error) | counts, headers_of(error.error))
        case TodoError():
            return document_response(problem_document(error), headers_of(error))
    return document_response(INTERNAL.document("the error was logged; sending the request again may help"), {})


def document_response(document: Mapping[str, Any], headers: Mapping[str, str]) -> Response:
    request_id = current_request_id()
    return Response(
        msgspec.json.encode({**document, "request_id": request_id} if request_id else document),
        status_code=document["status"],
        headers={"Cache-Control": "no-store", **headers},
        media_type=MEDIA_TYPE,
    )


def problem_document(error: TodoError) -> dict[str, Any]:
    problem = problem_type(error)
    document = problem.document(DETAILS.get(type(error)) or str(error) or problem.title)
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
        case RevisionMismatchError() | TaskExistsError():
            return {"ETag": entity_tag(error.current)}
        case MethodNotAllowedError():
            return {"Allow": ", ".join(error.allowed)}
    return _retry_after(error)


def _retry_after(error: TodoError) -> dict[str, str]:
    if isinstance(error, TooManyRequestsError):
        return {"Retry-After": str(error.allowance.reset)}
    is_temporary = isinstance(error, IdempotencyKeyInUseError | TooManyStreamsError)
    is_unavailable = problem_type(error).status == HTTPStatus.SERVICE_UNAVAILABLE
    return {"Retry-After": RETRY_AFTER} if is_temporary or is_unavailable else {}
