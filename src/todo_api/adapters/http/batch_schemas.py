"""What a batch looks like: its operations have the fields and the preconditions of the single calls."""

from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeAlias
from uuid import UUID

from pydantic import (
    MISSING,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
    WithJsonSchema,
    WrapValidator,
)

from todo_api.adapters.http import schemas
from todo_api.adapters.http.etags import TAGS_PATTERN, parse_condition
from todo_api.adapters.http.ids import TaskUuid
from todo_api.adapters.http.problems import FieldError, RequestError
from todo_api.adapters.http.validation import to_request_error
from todo_api.application.batches import MAX_OPERATIONS
from todo_api.domain.errors import TodoError
from todo_api.domain.operations import Change, Complete, Create, Delete, Operation, Restore
from todo_api.domain.task import Task
from todo_api.domain.workspace import Workspace

NewId: TypeAlias = Callable[[], UUID]


def _revisions(value: object) -> frozenset[int] | None:
    if isinstance(value, str) and (condition := parse_condition(value)):
        return condition.revisions
    raise ValueError('must be what the header If-Match has, such as "\\"42\\"" or "*"')


_TAGS = {
    "type": "string",
    "pattern": TAGS_PATTERN,
    "description": "Do it only if the task has this ETag, as the header `If-Match` says it.",
    "examples": ['"42"'],
}
IfMatch = Annotated[frozenset[int] | None, PlainValidator(_revisions), WithJsonSchema(_TAGS)]


class CreateOperation(schemas.TaskCreate):
    """Create a task."""

    op: Literal["create"]
    id: TaskUuid | MISSING = Field(MISSING, description="The id to create it under; without one, the server chooses.")

    def operation(self, new_id: NewId) -> Operation:
        """Return what to do."""
        if self.id is MISSING:
            return Create(new_id(), self.changes(), is_fresh=True)
        return Create(self.id, self.changes())


class UpdateOperation(schemas.TaskUpdate):
    """Change a task: fields that are left out keep their value, null clears."""

    op: Literal["update"]
    id: TaskUuid
    if_match: IfMatch | MISSING = MISSING

    def operation(self, _: NewId) -> Operation:
        """Return what to do."""
        return Change(self.id, self.changes(), _if_revisions(self.if_match))


class CompleteOperation(schemas.Completion):
    """Complete or reopen a task; without `completed`, its state is turned around."""

    op: Literal["complete"]
    id: TaskUuid
    if_match: IfMatch | MISSING = MISSING

    def operation(self, _: NewId) -> Operation:
        """Return what to do."""
        return Complete(self.id, self.state, _if_revisions(self.if_match))


class DeleteOperation(schemas.ReadOnlyFields):
    """Move a task to the trash."""

    op: Literal["delete"]
    id: TaskUuid
    if_match: IfMatch | MISSING = MISSING

    def operation(self, _: NewId) -> Operation:
        """Return what to do."""
        return Delete(self.id, _if_revisions(self.if_match))


class RestoreOperation(schemas.ReadOnlyFields):
    """Restore a task from the trash."""

    op: Literal["restore"]
    id: TaskUuid

    def operation(self, _: NewId) -> Operation:
        """Return what to do."""
        return Restore(self.id)


class Refused:
    """An operation that cannot even be tried."""

    task_id = None

    def __init__(self, error: TodoError) -> None:
        """Take why."""
        self._error = error

    def operation(self, _: NewId) -> Operation:
        """Return what there is instead of something to do."""
        return self

    def apply(self, _: Workspace) -> Task:
        """Raise the error."""
        raise self._error


_MODELS: dict[object, type[BaseModel]] = {
    "create": CreateOperation,
    "update": UpdateOperation,
    "complete": CompleteOperation,
    "delete": DeleteOperation,
    "restore": RestoreOperation,
}


def _read(value: object, _: object) -> object:
    """Return the operation, or its error: the others may be fine."""
    if not isinstance(value, dict):
        return Refused(RequestError.of([FieldError("body", "body", "must be a JSON object")]))
    name = value.get("op")
    model = _MODELS.get(name) if isinstance(name, str) else None
    if model is None:
        return Refused(RequestError.of([FieldError("body", "op", f"must be one of {', '.join(map(str, _MODELS))}")]))
    try:
        return model.model_validate(value)
    except ValidationError as error:
        names = [field for field in model.model_fields if field not in schemas.ReadOnlyFields.model_fields]
        return Refused(to_request_error("body", error, [*names, "id"]))


AnyOperation = Annotated[
    CreateOperation | UpdateOperation | CompleteOperation | DeleteOperation | RestoreOperation,
    Field(discriminator="op"),
    WrapValidator(_read),
]


class Batch(BaseModel):
    """Operations, in the order in which to do them."""

    model_config = ConfigDict(strict=True, extra="forbid")

    operations: list[AnyOperation] = Field(min_length=1, max_length=MAX_OPERATIONS)
    atomic: bool = Field(True, description="All or nothing; with false, operations that fail are left out.")  # noqa: FBT003


class OperationResult(BaseModel):
    """What came of one operation."""

    status: int = Field(description="The status that the single call would have had.", examples=[201])
    etag: str | MISSING = Field(MISSING, description="The task's ETag now.", examples=['"42"'])
    task: schemas.Task | MISSING = Field(MISSING, description="The task, if it is there.")
    problem: schemas.Problem | MISSING = Field(MISSING, description="Why nothing was done.")


class BatchResults(BaseModel):
    """What came of a batch."""

    revision: int = Field(
        ge=0, description="The user's revision after it.", json_schema_extra={"format": "int64"}, examples=[42]
    )
    results: list[OperationResult] = Field(description="In the order of the operations.")


def _if_revisions(value: Any) -> frozenset[int] | None:
    return None if value is MISSING else value
