"""Errors as RFC 9457 problem documents: the one table that maps what went wrong to an HTTP answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Self

import msgspec
from starlette.responses import Response

from todo_api.adapters.http.etags import entity_tag
from todo_api.adapters.http.request_id import current_request_id
from todo_api.application.access import (
    AuthenticationError,
    ExpiredTokenError,
    InsufficientScopeError,
    InvalidTokenError,
    MissingTokenError,
    PrematureTokenError,
    VerifierUnavailableError,
)
from todo_api.application.events import TooManyStreamsError
from todo_api.application.rates import TooManyRequestsError
from todo_api.domain.errors import (
    ContentionError,
    FeedClosedError,
    ForgottenRevisionError,
    IdempotencyKeyInUseError,
    IdempotencyKeyReusedError,
    IncompleteImportError,
    InvalidValueError,
    OperationError,
    QuotaExceededError,
    RepositoryUnavailableError,
    RevisionMismatchError,
    TaskExistsError,
    TaskNotFoundError,
    TaskNotInTrashError,
    TodoError,
)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER = "1"  # seconds


@dataclass(frozen=True, slots=True)
class ProblemType:
    """A kind of problem: clients tell kinds apart by the code, which never changes."""

    status: HTTPStatus
    code: str
    title: str

    @property
    def uri(self) -> str:
        """The problem's `type`, a name and not an address."""
        return f"urn:todo-api:problem:{self.code}"


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing that is wrong with the request: where (body, query, path or header), in which field, and what."""

    location: str
    field: str
    detail: str


class RequestError(TodoError):
    """The request itself is at fault, before any use case is asked."""

    problem = ProblemType(HTTPStatus.BAD_REQUEST, "invalid-request", "The request is not valid")

    def __init__(self, detail: str, errors: Sequence[FieldError] = ()) -> None:
        """Take what to tell the caller, and where the faults are."""
        super().__init__(detail)
        self.errors = tuple(errors)

    @classmethod
    def of(cls, errors: Sequence[FieldError]) -> Self:
        """Return an error whose detail sums up its entries."""
        return cls("; ".join(f"{error.field}: {error.detail}" for error in errors), errors)


class MalformedJsonError(RequestError):
    """The body is no JSON object."""

    problem = ProblemType(HTTPStatus.BAD_REQUEST, "malformed-json", "The body is not valid JSON")


class InvalidCursorError(RequestError):
    """The cursor is damaged, somebody else's, or for another list."""

    problem = ProblemType(HTTPStatus.BAD_REQUEST, "invalid-cursor", "The cursor does not fit")


class InvalidSyncTokenError(RequestError):
    """The sync token is damaged, or somebody else's."""

    problem = ProblemType(HTTPStatus.BAD_REQUEST, "invalid-sync-token", "The sync token does not fit")


class PreflightRefusedError(RequestError):
    """A page of this origin may not send such a request."""

    problem = ProblemType(HTTPStatus.BAD_REQUEST, "preflight-refused", "Pages of this origin may not send this")


class NoSuchPathError(RequestError):
    """There is nothing at this address."""

    problem = ProblemType(HTTPStatus.NOT_FOUND, "not-found", "There is nothing at this address")


class MethodNotAllowedError(RequestError):
    """The address knows other methods only."""

    problem = ProblemType(HTTPStatus.METHOD_NOT_ALLOWED, "method-not-allowed", "This address has no such method")

    def __init__(self, method: str, allowed: Sequence[str]) -> None:
        """Take the method and those that would do."""
        super().__init__(f"{method} is not among the methods of this address: {', '.join(allowed)}")
        self.allowed = allowed


class ContentTooLargeError(RequestError):
    """The body is longer than the server takes."""

    problem = ProblemType(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "content-too-large", "The body is too large")


class RequestTimeoutError(RequestError):
    """The request does not arrive."""

    problem = ProblemType(HTTPStatus.REQUEST_TIMEOUT, "request-timeout", "The request did not arrive in time")


class HeaderTooLargeError(RequestError):
    """The header is longer than the server takes."""

    problem = ProblemType(
        HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "header-too-large", "The header of the request is too large"
    )


class TooManyConnectionsError(RequestError):
    """The server has no room for another connection."""

    problem = ProblemType(HTTPStatus.SERVICE_UNAVAILABLE, "too-many-connections", "There are too many connections")


class UnsupportedMediaTypeError(RequestError):
    """The body is something else than JSON."""

    problem = ProblemType(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "The body must be JSON")


INTERNAL = ProblemType(HTTPStatus.INTERNAL_SERVER_ERROR, "internal-error", "Something went wrong on the server")

PROBLEMS: dict[type[TodoError], ProblemType] = {
    InvalidValueError: ProblemType(HTTPStatus.BAD_REQUEST, "invalid-request", "The request is not valid"),
    MissingTokenError: ProblemType(HTTPStatus.UNAUTHORIZED, "missing-token", "The request carries no bearer token"),
    ExpiredTokenError: ProblemType(HTTPStatus.UNAUTHORIZED, "expired-token", "The bearer token has expired"),
    PrematureTokenError: ProblemType(HTTPStatus.UNAUTHORIZED, "premature-token", "The bearer token is not valid yet"),
    InvalidTokenError: ProblemType(HTTPStatus.UNAUTHORIZED, "invalid-token", "The bearer token is not valid"),
    InsufficientScopeError: ProblemType(HTTPStatus.FORBIDDEN, "insufficient-scope", "The token does not allow this"),
    TaskNotFoundError: ProblemType(HTTPStatus.NOT_FOUND, "task-not-found", "There is no such task"),
    TaskExistsError: ProblemType(HTTPStatus.PRECONDITION_FAILED, "task-exists", "There is a task of this id"),
    QuotaExceededError: ProblemType(HTTPStatus.CONFLICT, "quota-exceeded", "There are too many tasks"),
    IdempotencyKeyInUseError: ProblemType(
        HTTPStatus.CONFLICT, "idempotency-key-in-use", "The first request with this key is still running"
    ),
    IdempotencyKeyReusedError: ProblemType(
        HTTPStatus.UNPROCESSABLE_ENTITY, "idempotency-key-reused", "The key was another request's"
    ),
    TooManyRequestsError: ProblemType(
        HTTPStatus.TOO_MANY_REQUESTS, "too-many-requests", "There were too many requests"
    ),
    FeedClosedError: ProblemType(HTTPStatus.SERVICE_UNAVAILABLE, "shutting-down", "The service is about to stop"),
    TooManyStreamsError: ProblemType(
        HTTPStatus.TOO_MANY_REQUESTS, "too-many-streams", "There are too many streams of yours"
    ),
    TaskNotInTrashError: ProblemType(HTTPStatus.CONFLICT, "task-not-in-trash", "The task is not in the trash"),
    ForgottenRevisionError: ProblemType(HTTPStatus.GONE, "sync-token-expired", "The sync token is too old"),
    RevisionMismatchError: ProblemType(
        HTTPStatus.PRECONDITION_FAILED, "revision-mismatch", "The task has changed in the meantime"
    ),
    ContentionError: ProblemType(HTTPStatus.SERVICE_UNAVAILABLE, "contention", "Too many change this task at once"),
    RepositoryUnavailableError: ProblemType(
        HTTPStatus.SERVICE_UNAVAILABLE, "database-unavailable", "The database cannot be used right now"
    ),
    VerifierUnavailableError: ProblemType(
        HTTPStatus.SERVICE_UNAVAILABLE, "verifier-unavailable", "The keys that tokens are verified with cannot be had"
    ),
}
PROBLEMS[RequestError] = RequestError.problem
PROBLEMS.update({error: error.problem for error in RequestError.__subclasses__()})

DETAILS: Mapping[type[TodoError], str] = {
    MissingTokenError: "send the header `Authorization: Bearer <token>` with the token that the sign-in gave",
    ExpiredTokenError: "get a new token and send the request again",
    PrematureTokenError: "its nbf is more than 30 seconds ahead of the clock here: wait, or set its issuer's clock",
    TaskNotFoundError: "the task never was, was deleted, or is not yours",
    TaskExistsError: "it was created before, perhaps by this very request; its ETag is in this answer",
    TaskNotInTrashError: "there is nothing to restore: the task was not deleted",
    ForgottenRevisionError: "load everything afresh: ask again without `since`, and replace the copy",
    IdempotencyKeyInUseError: "send the request again after a second: it will get the first one's answer",
    IdempotencyKeyReusedError: "make a new Idempotency-Key for each request, and keep it for the retries of that one",
    RevisionMismatchError: "read the task again (its ETag is in this answer), apply the change to it, and send that",
}


def problem_type(error: TodoError) -> ProblemType:
    """Return the row of the table for the error's class or the nearest class above it."""
    return next(PROBLEMS[kind] for kind in type(error).__mro__ if kind in PROBLEMS)


def problem_response(error: Exception) -> Response:
    """Return the answer to a request that met this error; one that nobody planned for tells nothing of itself."""
    match error:
        case OperationError():
            return _response({**problem_document(error.error), "index": error.index}, problem_headers(error.error))
        case IncompleteImportError():
            so_far = {"imported": error.imported, "skipped": error.skipped}
            return _response({**problem_document(error.error), **so_far}, problem_headers(error.error))
    if isinstance(error, TodoError):
        return _response(problem_document(error), problem_headers(error))
    return _response(_document(INTERNAL, "the error was logged; sending the request again may help"), {})


def problem_document(error: TodoError) -> dict[str, Any]:
    """Return what to tell of this error."""
    problem = problem_type(error)
    document = _document(problem, DETAILS.get(type(error)) or str(error) or problem.title)
    if isinstance(error, RequestError) and error.errors:
        document["errors"] = error.errors
    return document


def problem_headers(error: TodoError) -> dict[str, str]:
    """Return the headers that go with it."""
    match error:
        case MissingTokenError():
            return {"WWW-Authenticate": "Bearer"}  # RFC 6750, section 3.1: no error code where no token was sent
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
    return _when_to_retry(error)


def _when_to_retry(error: TodoError) -> dict[str, str]:
    if isinstance(error, TooManyRequestsError):
        return {"Retry-After": str(error.allowance.reset)}
    later = isinstance(error, IdempotencyKeyInUseError | TooManyStreamsError)
    unavailable = problem_type(error).status is HTTPStatus.SERVICE_UNAVAILABLE
    return {"Retry-After": RETRY_AFTER} if later or unavailable else {}


def _document(problem: ProblemType, detail: str) -> dict[str, Any]:
    return {
        "type": problem.uri,
        "title": problem.title,
        "status": problem.status.value,
        "detail": detail,
        "code": problem.code,
    }


def _response(document: Mapping[str, Any], headers: Mapping[str, str]) -> Response:
    request_id = current_request_id()
    return Response(
        msgspec.json.encode({**document, "request_id": request_id} if request_id else document),
        status_code=document["status"],
        headers={"Cache-Control": "no-store", **headers},
        media_type=MEDIA_TYPE,
    )
