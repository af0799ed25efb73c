"""Batches: operations with the fields and preconditions of the single endpoints, and their results."""

from typing import Annotated, Any, Literal

from pydantic import (
    MISSING,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    WithJsonSchema,
    WrapValidator,
)
from typing_extensions import TypeAliasType

from todo_api.adapters.http.etags import TAGS_PATTERN, parse_condition
from todo_api.adapters.http.problems import Problem, RequestError
from todo_api.adapters.http.schemas import lists, tasks
from todo_api.adapters.http.schemas.fields import Int32, Revision, TaskUuid
from todo_api.adapters.http.schemas.moves import Move, TaskMove
from todo_api.adapters.http.schemas.tasks import NewId
from todo_api.adapters.http.validation import validated
from todo_api.application.batches import MAX_OPERATIONS
from todo_api.domain import operations
from todo_api.domain.errors import TodoError
from todo_api.domain.operations import Change, Complete, Create, Delete, Operation, Restore
from todo_api.domain.selection import Selection
from todo_api.domain.task import Task
from todo_api.domain.workspace import Workspace


def _revisions(value: object) -> frozenset[int] | None:
    if isinstance(value, str) and (condition := parse_condition(value)):
        return condition.revisions
    raise ValueError('must be a value of the header If-Match, such as "\\"1795600000000000\\"" or "*"')


_TAGS = {
    "type": "string",
    "pattern": TAGS_PATTERN,
    "description": "Run the operation only if the task or list has this ETag, as with the header `If-Match`.",
    "examples": ['"1795600000000000"'],
}
IfMatch = Annotated[frozenset[int] | None, PlainValidator(_revisions), WithJsonSchema(_TAGS)]


class CreateOperation(tasks.TaskCreate):
    """Create a task."""

    op: Literal["create"]
    id: TaskUuid | MISSING = Field(MISSING, description="The id of the new task; by default the server chooses one.")

    def operation(self, new_id: NewId) -> Operation:
        if self.id is MISSING:
            return Create(new_id(), self.changes(new_id), is_fresh=True)
        return Create(self.id, self.changes(new_id))


class UpdateOperation(tasks.TaskUpdate):
    """Change a task. Absent fields keep their value, null clears a field."""

    op: Literal["update"]
    id: TaskUuid
    if_match: IfMatch | MISSING = MISSING

    def operation(self, new_id: NewId) -> Operation:
        return Change(self.id, self.changes(new_id), _if_revisions(self.if_match))


class CompleteOperation(tasks.Completion):
    """Complete or reopen a task. Without `completed`, its state is toggled."""

    op: Literal["complete"]
    id: TaskUuid
    if_match: IfMatch | MISSING = MISSING

    def operation(self, _: NewId) -> Operation:
        return Complete(self.id, self.state, _if_revisions(self.if_match))


class DeleteOperation(tasks.ReadOnlyFields):
    """Move a task to the trash."""

    op: Literal["delete"]
    id: TaskUuid
    if_match: IfMatch | MISSING = MISSING

    def operation(self, _: NewId) -> Operation:
        return Delete(self.id, _if_revisions(self.if_match))


class RestoreOperation(tasks.ReadOnlyFields):
    """Restore a task from the trash."""

    op: Literal["restore"]
    id: TaskUuid
    if_match: IfMatch | MISSING = MISSING

    def operation(self, _: NewId) -> Operation:
        return Restore(self.id, _if_revisions(self.if_match))


class MoveOperation(TaskMove):
    """Move a task in the manual order, and into a list."""

    op: Literal["move"]
    id: TaskUuid
    if_match: IfMatch | MISSING = MISSING

    def operation(self, _: NewId) -> Operation:
        return operations.Move(self.id, self.place, self.new_list, _if_revisions(self.if_match))


class SkipOperation(tasks.ReadOnlyFields):
    """Skip this date of a task that repeats."""

    op: Literal["skip"]
    id: TaskUuid
    if_match: IfMatch | MISSING = MISSING

    def operation(self, _: NewId) -> Operation:
        return operations.Skip(self.id, _if_revisions(self.if_match))


class CreateListOperation(lists.ListCreate):
    """Create a list."""

    op: Literal["create_list"]
    id: TaskUuid | MISSING = Field(MISSING, description="The id of the new list; by default the server chooses one.")

    def operation(self, new_id: NewId) -> Operation:
        return operations.CreateList(new_id() if self.id is MISSING else self.id, self.changes())


class UpdateListOperation(lists.ListUpdate):
    """Change a list. Absent fields keep their value, null clears the color."""

    op: Literal["update_list"]
    id: TaskUuid
    if_match: IfMatch | MISSING = MISSING

    def operation(self, _: NewId) -> Operation:
        return operations.ChangeList(self.id, self.changes(), _if_revisions(self.if_match))


class DeleteListOperation(lists.ReadOnlyListFields):
    """Move a list to the trash, and its tasks with it."""

    op: Literal["delete_list"]
    id: TaskUuid
    if_match: IfMatch | MISSING = MISSING
    tasks: Literal["trash", "keep"] | MISSING = Field(
        MISSING, description="`keep` moves the tasks into the inbox instead."
    )

    def operation(self, _: NewId) -> Operation:
        return operations.DeleteList(self.id, self.tasks == "keep", _if_revisions(self.if_match))


class RestoreListOperation(lists.ReadOnlyListFields):
    """Restore a list from the trash, with the tasks that were deleted with it."""

    op: Literal["restore_list"]
    id: TaskUuid
    if_match: IfMatch | MISSING = MISSING

    def operation(self, _: NewId) -> Operation:
        return operations.RestoreList(self.id, _if_revisions(self.if_match))


class MoveListOperation(Move):
    """Move a list in the manual order of the lists."""

    op: Literal["move_list"]
    id: TaskUuid
    if_match: IfMatch | MISSING = MISSING

    def operation(self, _: NewId) -> Operation:
        return operations.MoveList(self.id, self.place, _if_revisions(self.if_match))


class InvalidOperation:
    """An operation that is not valid. Running it raises the error, so that the other operations can run."""

    selection = Selection()

    def __init__(self, error: TodoError) -> None:
        self._error = error

    def operation(self, _: NewId) -> Operation:
        return self

    def apply(self, _: Workspace) -> Task:
        raise self._error


_MODELS: dict[str, type[BaseModel]] = {
    "create": CreateOperation,
    "update": UpdateOperation,
    "complete": CompleteOperation,
    "delete": DeleteOperation,
    "restore": RestoreOperation,
    "move": MoveOperation,
    "skip": SkipOperation,
    "create_list": CreateListOperation,
    "update_list": UpdateListOperation,
    "delete_list": DeleteListOperation,
    "restore_list": RestoreListOperation,
    "move_list": MoveListOperation,
}


def _read(value: object, _: object) -> object:
    if not isinstance(value, dict):
        return InvalidOperation(RequestError.at("body", "body", "must be a JSON object"))
    name = value.get("op")
    model = _MODELS.get(name) if isinstance(name, str) else None
    if model is None:
        return InvalidOperation(RequestError.at("body", "op", f"must be one of {', '.join(_MODELS)}"))
    try:
        return validated("body", model, value)
    except RequestError as error:
        return InvalidOperation(error)


# A type alias with a name, so that the OpenAPI document has it under this name.
BatchOperation = TypeAliasType(
    "BatchOperation",
    Annotated[
        CreateOperation
        | UpdateOperation
        | CompleteOperation
        | DeleteOperation
        | RestoreOperation
        | MoveOperation
        | SkipOperation
        | CreateListOperation
        | UpdateListOperation
        | DeleteListOperation
        | RestoreListOperation
        | MoveListOperation,
        Field(discriminator="op"),
        WrapValidator(_read),
    ],
)


class Batch(BaseModel):
    """Operations, in the order in which they are run."""

    model_config = ConfigDict(strict=True, extra="forbid")

    operations: list[BatchOperation] = Field(min_length=1, max_length=MAX_OPERATIONS)
    atomic: bool = Field(True, description="All or nothing, by default; with false, failed operations are skipped.")  # noqa: FBT003


class OperationResult(BaseModel):
    """The result of one operation."""

    status: Int32 = Field(description="The status of the corresponding single request.", examples=[201])
    etag: str | MISSING = Field(
        MISSING, description="The current ETag of the task or list.", examples=['"1795600000000000"']
    )
    task: tasks.Task | MISSING = Field(MISSING, description="The task, unless it was deleted.")
    list: lists.TaskList | MISSING = Field(MISSING, description="The list, unless it was deleted.")
    problem: Problem | MISSING = Field(MISSING, description="The error, if the operation failed.")


class BatchResults(BaseModel):
    """The results of a batch."""

    revision: Revision = Field(description="The user's revision after the batch.")
    results: list[OperationResult] = Field(description="In the order of the operations.")


def _if_revisions(value: Any) -> frozenset[int] | None:
    return None if value is MISSING else value
