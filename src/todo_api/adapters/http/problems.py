"""The errors of HTTP requests, and the table that maps every error to a problem type (RFC 9457)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import MISSING, BaseModel, Field

from todo_api.adapters.http.schemas.fields import Int32, Int64
from todo_api.application import access
from todo_api.application.events import TooManyStreamsError
from todo_api.application.rates import TooManyRequestsError
from todo_api.domain import errors as domain
from todo_api.domain.errors import TodoError

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER = "1"  # seconds

Location: TypeAlias = Literal["body", "query", "path", "header", "cookie"]


@dataclass(frozen=True, slots=True)
class ProblemType:
    """A kind of problem. Clients tell problems apart by the `code`, which never changes."""

    status: int
    code: str
    title: str

    def document(self, detail: str) -> dict[str, Any]:
        """Return the members that every problem document has. The `type` is a URN, not a URL."""
        name = f"urn:todo-api:problem:{self.code}"
        return {"type": name, "title": self.title, "status": int(self.status), "detail": detail, "code": self.code}


@dataclass(frozen=True, slots=True)
class FieldError:
    """One error in the request."""

    location: Location
    field: Annotated[str, Field(examples=["dueDate"])]
    detail: Annotated[str, Field(examples=["is not a field of this request; did you mean due_date?"])]


class Problem(BaseModel):
    """An error (RFC 9457)."""

    type: str = Field(examples=["urn:todo-api:problem:invalid-request"])
    title: str = Field(examples=["The request is not valid"])
    status: Int32 = Field(examples=[400])
    detail: str = Field(examples=["dueDate: is not a field of this request; did you mean due_date?"])
    code: str = Field(description="Stable: tell problems apart by it.", examples=["invalid-request"])
    errors: list[FieldError] | MISSING = Field(MISSING, description="For invalid input, one entry for each field.")
    index: Int32 | MISSING = Field(MISSING, description="For a batch, the index of the failed operation, from 0.")
    imported: Int64 | MISSING = Field(
        MISSING, description="For an import, the number of tasks that were created before the error."
    )
    skipped: Int64 | MISSING = Field(MISSING, description="For an import, the tasks that existed already.")
    imported_lists: Int64 | MISSING = Field(MISSING, description="For an import, the lists that were created.")
    skipped_lists: Int64 | MISSING = Field(MISSING, description="For an import, the lists that existed already.")
    request_id: str | MISSING = Field(MISSING, description="The `X-Request-ID` of the response.")


class RequestError(TodoError):
    """The request is invalid."""

    problem = ProblemType(400, "invalid-request", "The request is not valid")

    def __init__(self, detail: str, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(detail)
        self.errors = tuple(errors)

    @classmethod
    def at(cls, location: Location, field: str, detail: str) -> Self:
        return cls.of([FieldError(location, field, detail)])

    @classmethod
    def of(cls, errors: Sequence[FieldError]) -> Self:
        """Return an error whose detail lists its entries."""
        return cls("; ".join(f"{error.field}: {error.detail}" for error in errors), errors)


class MalformedJsonError(RequestError):
    problem = ProblemType(400, "malformed-json", "The body is not valid JSON")


class InvalidCursorError(RequestError):
    problem = ProblemType(400, "invalid-cursor", "The cursor is not valid")


class InvalidSyncTokenError(RequestError):
    problem = ProblemType(400, "invalid-sync-token", "The sync token is not valid")


class UnsupportedPreconditionError(RequestError):
    problem = ProblemType(400, "unsupported-precondition", "The call does not support this precondition")


class PreflightRefusedError(RequestError):
    problem = ProblemType(400, "preflight-refused", "CORS does not allow this request")


class NoSuchPathError(RequestError):
    problem = ProblemType(404, "not-found", "There is nothing at this address")


class MethodNotAllowedError(RequestError):
    problem = ProblemType(405, "method-not-allowed", "This address does not support the method")

    def __init__(self, method: str, allowed: Sequence[str]) -> None:
        super().__init__(f"{method} is not supported; the methods of this address are {', '.join(allowed)}")
        self.allowed = allowed


class ContentTooLargeError(RequestError):
    problem = ProblemType(413, "content-too-large", "The body is too large")


class RequestTimeoutError(RequestError):
    problem = ProblemType(408, "request-timeout", "The request did not arrive in time")


class HeaderTooLargeError(RequestError):
    problem = ProblemType(431, "header-too-large", "The header of the request is too large")


class TooManyConnectionsError(RequestError):
    problem = ProblemType(503, "too-many-connections", "Too many connections")


class UnsupportedMediaTypeError(RequestError):
    problem = ProblemType(415, "unsupported-media-type", "The body must be JSON")


INTERNAL = ProblemType(500, "internal-error", "Something went wrong on the server")

PROBLEMS: dict[type[TodoError], ProblemType] = {
    domain.InvalidValueError: ProblemType(400, "invalid-request", "The request is not valid"),
    access.MissingTokenError: ProblemType(401, "missing-token", "The request carries no bearer token"),
    access.ExpiredTokenError: ProblemType(401, "expired-token", "The bearer token has expired"),
    access.PrematureTokenError: ProblemType(401, "premature-token", "The bearer token is not valid yet"),
    access.InvalidTokenError: ProblemType(401, "invalid-token", "The bearer token is not valid"),
    access.InsufficientScopeError: ProblemType(403, "insufficient-scope", "The token does not allow this"),
    domain.TaskNotFoundError: ProblemType(404, "task-not-found", "There is no such task"),
    domain.TaskInTrashError: ProblemType(412, "task-exists", "A task with this id exists"),
    domain.TaskExistsError: ProblemType(412, "task-exists", "A task with this id exists"),
    domain.TagNotFoundError: ProblemType(404, "tag-not-found", "There is no such tag"),
    domain.ListNotFoundError: ProblemType(404, "list-not-found", "There is no such list"),
    domain.ListInTrashError: ProblemType(412, "list-exists", "A list with this id exists"),
    domain.ListExistsError: ProblemType(412, "list-exists", "A list with this id exists"),
    domain.ListNotInTrashError: ProblemType(409, "list-not-in-trash", "The list is not in the trash"),
    domain.NeighbourNotFoundError: ProblemType(409, "neighbour-not-found", "The neighbour is not there"),
    domain.OccurrenceExistsError: ProblemType(409, "occurrence-exists", "Another task is this occurrence"),
    domain.NotRecurringError: ProblemType(409, "not-recurring", "There is no date to skip"),
    domain.QuotaExceededError: ProblemType(409, "quota-exceeded", "Too many tasks or lists"),
    domain.IdempotencyKeyInUseError: ProblemType(
        409, "idempotency-key-in-use", "The first request with this key is still running"
    ),
    domain.IdempotencyKeyReusedError: ProblemType(422, "idempotency-key-reused", "The key belongs to another request"),
    TooManyRequestsError: ProblemType(429, "too-many-requests", "Too many requests"),
    domain.FeedClosedError: ProblemType(503, "shutting-down", "The service is shutting down"),
    TooManyStreamsError: ProblemType(429, "too-many-streams", "Too many event streams are open"),
    domain.TaskNotInTrashError: ProblemType(409, "task-not-in-trash", "The task is not in the trash"),
    domain.ForgottenRevisionError: ProblemType(410, "sync-token-expired", "The sync token has expired"),
    domain.RevisionMismatchError: ProblemType(412, "revision-mismatch", "It has changed in the meantime"),
    domain.ContentionError: ProblemType(503, "contention", "Too many concurrent changes of this task"),
    domain.RepositoryUnavailableError: ProblemType(503, "database-unavailable", "The database is unavailable"),
    access.VerifierUnavailableError: ProblemType(
        503, "verifier-unavailable", "The keys for verifying tokens are unavailable"
    ),
}
PROBLEMS[domain.InvalidFieldError] = PROBLEMS[domain.InvalidValueError]
PROBLEMS[RequestError] = RequestError.problem
PROBLEMS.update({error: error.problem for error in RequestError.__subclasses__()})

DETAILS: Mapping[type[TodoError], str] = {
    access.MissingTokenError: "send the header `Authorization: Bearer <token>` with the token from the sign-in",
    access.ExpiredTokenError: "get a new token and send the request again",
    access.PrematureTokenError: (
        "its nbf is more than 30 seconds ahead of the clock here: wait, or correct its issuer's clock"
    ),
    domain.TaskNotFoundError: "the task does not exist, was deleted, or belongs to another user",
    domain.TagNotFoundError: "no task outside the trash has this tag; GET /api/tags lists those in use",
    domain.TaskExistsError: (
        "the task exists, perhaps from an earlier attempt of this request; its ETag is in this response"
    ),
    domain.TaskInTrashError: (
        "it is in the trash: restore it (POST /api/tasks/{id}/restore), or delete it for good "
        "(DELETE /api/tasks/trash/{id})"
    ),
    domain.ListNotFoundError: (
        "the list does not exist, was deleted, or is another user's; yours are at GET /api/lists and /api/lists/trash"
    ),
    domain.ListExistsError: (
        "the list exists, perhaps from an earlier attempt of this request; its ETag is in this response"
    ),
    domain.ListInTrashError: (
        "it is in the trash: restore it (POST /api/lists/{id}/restore), or create one with another id"
    ),
    domain.ListNotInTrashError: "the list was not deleted, so it cannot be restored",
    domain.OccurrenceExistsError: (
        "another task outside the trash is this occurrence of the series: delete that one first, or leave this one "
        "in the trash"
    ),
    domain.TaskNotInTrashError: "the task was not deleted, so it cannot be restored",
    domain.ForgottenRevisionError: "send the request without `since`, and replace the local copy",
    domain.IdempotencyKeyInUseError: "send the request again after a second to get the response of the first one",
    domain.IdempotencyKeyReusedError: "use a new Idempotency-Key for each request, and the same one for its retries",
    domain.RevisionMismatchError: ("read it again (its ETag is in this response), apply the change, and send it again"),
}


def problem_type(error: TodoError) -> ProblemType:
    """Return the problem type of the error's class or its nearest base class in the table."""
    return next(PROBLEMS[kind] for kind in type(error).__mro__ if kind in PROBLEMS)


_BY_STATUS = {
    kind.problem.status: kind.problem
    for kind in (RequestError, NoSuchPathError, ContentTooLargeError, RequestTimeoutError, UnsupportedMediaTypeError)
}


def problem_of_status(status: int) -> ProblemType:
    """Return the problem type for an HTTPException: one of ours, or one named after its status."""
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else f"Error {status}"
    return ProblemType(status, phrase.lower().replace(" ", "-").replace("'", ""), phrase)
