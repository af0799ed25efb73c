"""The errors of HTTP requests, and the table that maps every error to a problem type (RFC 9457)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Self

from todo_api.application.access import (
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
    InvalidValueError,
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
    """A kind of problem. Clients tell problems apart by the `code`, which never changes."""

    status: int
    code: str
    title: str

    @property
    def uri(self) -> str:
        """The problem's `type`: a name, not an address."""
        return f"urn:todo-api:problem:{self.code}"

    def document(self, detail: str) -> dict[str, Any]:
        """Return the members that every problem document has."""
        return {
            "type": self.uri,
            "title": self.title,
            "status": int(self.status),
            "detail": detail,
            "code": self.code,
        }


@dataclass(frozen=True, slots=True)
class FieldError:
    """One error in the request: its location (body, query, path or header), the field, and the reason."""

    location: str
    field: str
    detail: str


class RequestError(TodoError):
    """The request is invalid."""

    problem = ProblemType(HTTPStatus.BAD_REQUEST, "invalid-request", "The request is not valid")

    def __init__(self, detail: str, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(detail)
        self.errors = tuple(errors)

    @classmethod
    def of(cls, errors: Sequence[FieldError]) -> Self:
        """Return an error with a detail made of its entries."""
        return cls("; ".join(f"{error.field}: {error.detail}" for error in errors), errors)


class MalformedJsonError(RequestError):
    """The body is not valid JSON."""

    problem = ProblemType(HTTPStatus.BAD_REQUEST, "malformed-json", "The body is not valid JSON")


class InvalidCursorError(RequestError):
    """The cursor is damaged, or belongs to another user or list."""

    problem = ProblemType(HTTPStatus.BAD_REQUEST, "invalid-cursor", "The cursor does not fit")


class InvalidSyncTokenError(RequestError):
    """The sync token is damaged, or belongs to another user."""

    problem = ProblemType(HTTPStatus.BAD_REQUEST, "invalid-sync-token", "The sync token does not fit")


class PreflightRefusedError(RequestError):
    """CORS does not allow the request."""

    problem = ProblemType(HTTPStatus.BAD_REQUEST, "preflight-refused", "Pages of this origin may not send this")


class NoSuchPathError(RequestError):
    """No route has this path."""

    problem = ProblemType(HTTPStatus.NOT_FOUND, "not-found", "There is nothing at this address")


class MethodNotAllowedError(RequestError):
    """The path has other methods only."""

    problem = ProblemType(HTTPStatus.METHOD_NOT_ALLOWED, "method-not-allowed", "This address has no such method")

    def __init__(self, method: str, allowed: Sequence[str]) -> None:
        super().__init__(f"{method} is not among the methods of this address: {', '.join(allowed)}")
        self.allowed = allowed


class ContentTooLargeError(RequestError):
    """The body is longer than the limit."""

    problem = ProblemType(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "content-too-large", "The body is too large")


class RequestTimeoutError(RequestError):
    """The request did not arrive in time."""

    problem = ProblemType(HTTPStatus.REQUEST_TIMEOUT, "request-timeout", "The request did not arrive in time")


class HeaderTooLargeError(RequestError):
    """The request line and headers are longer than the limit."""

    problem = ProblemType(
        HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "header-too-large", "The header of the request is too large"
    )


class TooManyConnectionsError(RequestError):
    """The server has reached its limit of connections."""

    problem = ProblemType(HTTPStatus.SERVICE_UNAVAILABLE, "too-many-connections", "There are too many connections")


class UnsupportedMediaTypeError(RequestError):
    """The body is not declared as JSON."""

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
    """Return the problem type of the error's class or its nearest base class in the table."""
    return next(PROBLEMS[kind] for kind in type(error).__mro__ if kind in PROBLEMS)


_BY_STATUS = {
    kind.problem.status: kind.problem
    for kind in (NoSuchPathError, ContentTooLargeError, RequestTimeoutError, UnsupportedMediaTypeError)
}


def problem_of_status(status: int) -> ProblemType:
    """Return the problem type for an HTTPException: one of ours, or one that is named like its status."""
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else f"Error {status}"
    return ProblemType(status, phrase.lower().replace(" ", "-").replace("'", ""), phrase)
