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
    problem = ProblemType(HTTPStatus.BAD_REQUEST, "malformed-json", "The body is not valid JSON")


class InvalidCursorError(RequestError):
    problem = ProblemType(HTTPStatus.BAD_REQUEST, "invalid-cursor", "The cursor is not valid")


class InvalidSyncTokenError(RequestError):
    problem = ProblemType(HTTPStatus.BAD_REQUEST, "invalid-sync-token", "The sync token is not valid")


class PreflightRefusedError(RequestError):
    problem = ProblemType(HTTPStatus.BAD_REQUEST, "preflight-refused", "CORS does not allow this request")


class NoSuchPathError(RequestError):
    problem = ProblemType(HTTPStatus.NOT_FOUND, "not-found", "There is nothing at this address")


class MethodNotAllowedError(RequestError):
    problem = ProblemType(
        HTTPStatus.METHOD_NOT_ALLOWED, "method-not-allowed", "This address does not support the method"
    )

    def __init__(self, method: str, allowed: Sequence[str]) -> None:
        super().__init__(f"{method} is not supported; the methods of this address are {', '.join(allowed)}")
        self.allowed = allowed


class ContentTooLargeError(RequestError):
    problem = ProblemType(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "content-too-large", "The body is too large")


class RequestTimeoutError(RequestError):
    problem = ProblemType(HTTPStatus.REQUEST_TIMEOUT, "request-timeout", "The request did not arrive in time")


class HeaderTooLargeError(RequestError):
    problem = ProblemType(
        HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "header-too-large", "The header of the request is too large"
    )


class TooManyConnectionsError(RequestError):
    problem = ProblemType(HTTPStatus.SERVICE_UNAVAILABLE, "too-many-connections", "Too many connections")


class UnsupportedMediaTypeError(RequestError):
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
    TaskExistsError: ProblemType(HTTPStatus.PRECONDITION_FAILED, "task-exists", "A task with this id exists"),
    QuotaExceededError: ProblemType(HTTPStatus.CONFLICT, "quota-exceeded", "Too many tasks"),
    IdempotencyKeyInUseError: ProblemType(
        HTTPStatus.CONFLICT, "idempotency-key-in-use", "The first request with this key is still running"
    ),
    IdempotencyKeyReusedError: ProblemType(
        HTTPStatus.UNPROCESSABLE_ENTITY, "idempotency-key-reused", "The key belongs to another request"
    ),
    TooManyRequestsError: ProblemType(HTTPStatus.TOO_MANY_REQUESTS, "too-many-requests", "Too many requests"),
    FeedClosedError: ProblemType(HTTPStatus.SERVICE_UNAVAILABLE, "shutting-down", "The service is shutting down"),
    TooManyStreamsError: ProblemType(
        HTTPStatus.TOO_MANY_REQUESTS, "too-many-streams", "Too many event streams are open"
    ),
    TaskNotInTrashError: ProblemType(HTTPStatus.CONFLICT, "task-not-in-trash", "The task is not in the trash"),
    ForgottenRevisionError: ProblemType(HTTPStatus.GONE, "sync-token-expired", "The sync token is too old"),
    RevisionMismatchError: ProblemType(
        HTTPStatus.PRECONDITION_FAILED, "revision-mismatch", "The task has changed in the meantime"
    ),
    ContentionError: ProblemType(
        HTTPStatus.SERVICE_UNAVAILABLE, "contention", "Too many concurrent changes of this task"
    ),
    RepositoryUnavailableError: ProblemType(
        HTTPStatus.SERVICE_UNAVAILABLE, "database-unavailable", "The database is unavailable"
    ),
    VerifierUnavailableError: ProblemType(
        HTTPStatus.SERVICE_UNAVAILABLE, "verifier-unavailable", "The keys for verifying tokens are unavailable"
    ),
}
PROBLEMS[RequestError] = RequestError.problem
PROBLEMS.update({error: error.problem for error in RequestError.__subclasses__()})

DETAILS: Mapping[type[TodoError], str] = {
    MissingTokenError: "send the header `Authorization: Bearer <token>` with the token from the sign-in",
    ExpiredTokenError: "get a new token and send the request again",
    PrematureTokenError: "its nbf is more than 30 seconds ahead of the clock here: wait, or correct its issuer's clock",
    TaskNotFoundError: "the task does not exist, was deleted, or belongs to another user",
    TaskExistsError: "the task exists, perhaps from an earlier attempt of this request; its ETag is in this response",
    TaskNotInTrashError: "the task was not deleted, so it cannot be restored",
    ForgottenRevisionError: "send the request without `since`, and replace the local copy",
    IdempotencyKeyInUseError: "send the request again after a second to get the response of the first one",
    IdempotencyKeyReusedError: "use a new Idempotency-Key for each request, and the same one for its retries",
    RevisionMismatchError: "read the task again (its ETag is in this response), apply the change, and send it again",
}


def problem_type(error: TodoError) -> ProblemType:
    """Return the problem type of the error's class or its nearest base class in the table."""
    return next(PROBLEMS[kind] for kind in type(error).__mro__ if kind in PROBLEMS)


_BY_STATUS = {
    kind.problem.status: kind.problem
    for kind in (RequestError, NoSuchPathError, ContentTooLargeError, RequestTimeoutError, UnsupportedMediaTypeError)
}


def problem_of_status(status: int) -> ProblemType:
    """Return the problem type for an HTTPException: one of ours, or one that is named like its status."""
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else f"Error {status}"
    return ProblemType(status, phrase.lower().replace(" ", "-").replace("'", ""), phrase)
