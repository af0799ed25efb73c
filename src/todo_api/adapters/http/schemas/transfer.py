"""The document that exports and imports an account."""

from dataclasses import replace
from datetime import date, datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID, uuid4

from pydantic import (
    MISSING,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from todo_api.adapters.http.schemas import fields
from todo_api.adapters.http.schemas.lists import Name, WritableListFields
from todo_api.adapters.http.schemas.lists import TaskList as ExportedList
from todo_api.adapters.http.schemas.lists import TrashedList as ExportedTrashedList
from todo_api.adapters.http.schemas.tasks import Recurrence, RecurrenceInput, Task, WritableFields
from todo_api.domain import task as domain
from todo_api.domain.due_date import DueKind, parse_due_date
from todo_api.domain.errors import InvalidFieldError
from todo_api.domain.positions import is_position
from todo_api.domain.recurrence import Occurrence
from todo_api.domain.repetition import Repetition
from todo_api.domain.task_list import TaskList, TrashedList

# Far beyond what a series can reach, and far from the end of a 32-bit integer: the next task has the next number.
_MAX_SEQUENCE = 10**9
_MAX_REVISION = 2**53 - 1
_STATE = ("sequence", "kind", "anchor", "slot")


def _position(value: object) -> str:
    if isinstance(value, str) and is_position(value):
        return value
    raise ValueError(
        "must be a position as this service makes them, such as m06613db42d4000; without it, the place is the end"
    )


def _wall_clock(value: object) -> date | datetime:
    if isinstance(value, str):
        found = parse_due_date(value)
        if not isinstance(found, datetime) or found.tzinfo is None:
            return found
    raise ValueError("must be a day or a local time, without an offset")


_WALL_CLOCK = {"type": "string", "examples": ["2026-12-31", "2026-12-31T17:00:00"]}
_POSITION = {"type": "string", "maxLength": 64, "pattern": "^[a-z][0-9a-f]{13,63}$", "examples": ["m06613db42d4000"]}
Position = Annotated[str, PlainValidator(_position), WithJsonSchema(_POSITION)]
WallClock = Annotated[date | datetime, PlainValidator(_wall_clock), WithJsonSchema(_WALL_CLOCK)]


class ExportedRecurrence(Recurrence):
    """How a task repeats, and where it stands in its series."""

    sequence: fields.Int32 = Field(ge=1, description="Which task of its series it is, from 1.")
    kind: DueKind = Field(description="The kind of the dates of the series.")
    anchor: Annotated[str, WithJsonSchema(_WALL_CLOCK)] = Field(
        description="The first date of the pattern, as the clock of the zone shows it."
    )
    slot: Annotated[str, WithJsonSchema(_WALL_CLOCK)] = Field(
        description="The date of the pattern that this task stands for, even if its due date was moved."
    )
    spawned_at: fields.Revision | None = Field(
        description="The revision at which it came of the one before it; null if the user created it."
    )


class ExportedTask(Task):
    """A task in an export."""

    recurrence: ExportedRecurrence | None


class ExportedTrashedTask(ExportedTask):
    """A task of the trash in an export."""

    deleted_at: datetime = Field(examples=["2026-11-20T09:30:00.123456Z"])


class Export(BaseModel):
    """All data of one user."""

    format: Literal["todo-api-export"]
    version: Literal[1]
    user_id: str
    exported_at: datetime
    lists: list[ExportedTrashedList | ExportedList] = Field(
        description="In the order of the ids. Those in the trash have `deleted_at`."
    )
    tasks: list[ExportedTrashedTask | ExportedTask] = Field(
        description="In the order of the ids. Those in the trash have `deleted_at`."
    )


class ImportedRecurrence(RecurrenceInput):
    """How a task repeats. Without the state of its series, that starts at the due date."""

    sequence: Annotated[fields.Int32, Field(ge=1, le=_MAX_SEQUENCE), fields.WholeFloats] | MISSING = MISSING
    kind: Annotated[DueKind, Field(strict=False)] | MISSING = MISSING
    anchor: WallClock | MISSING = MISSING
    slot: WallClock | MISSING = MISSING
    spawned_at: Annotated[fields.Revision, Field(ge=0, le=_MAX_REVISION), fields.WholeFloats] | None = None

    @field_validator("anchor", "slot")
    @classmethod
    def _is_of_its_kind(cls, value: date | datetime, info: ValidationInfo) -> date | datetime:
        kind = info.data.get("kind", MISSING)
        if kind is not MISSING and isinstance(value, datetime) is (kind is DueKind.DATE):
            raise ValueError(
                "must be a day (2026-12-31) if the kind is date, and otherwise a local time (2026-12-31T17:00:00)"
            )
        return value

    @field_validator("slot")
    @classmethod
    def _is_of_the_pattern(cls, value: date | datetime, info: ValidationInfo) -> date | datetime:
        anchor = info.data.get("anchor", MISSING)
        if anchor is MISSING:
            return value
        times = [found.time() for found in (anchor, value) if isinstance(found, datetime)]
        if len(times) == 1 or value < anchor or len(set(times)) > 1:
            raise ValueError("must not be before the anchor, and must have its time of day")
        return value

    @model_validator(mode="after")
    def _has_all_or_nothing(self) -> Self:
        if len(missing := [name for name in _STATE if getattr(self, name) is MISSING]) in {0, len(_STATE)}:
            return self
        raise ValueError(f"must have all of {', '.join(_STATE)} or none; {', '.join(missing)} are missing")

    def repetition(self) -> Repetition | None:
        """Return the recurrence with the state of its series; None without that."""
        if self.sequence is MISSING or self.kind is MISSING or self.anchor is MISSING or self.slot is MISSING:
            return None
        occurrence = Occurrence(sequence=self.sequence, kind=self.kind, anchor=self.anchor, slot=self.slot)
        return Repetition(self.recurrence(), occurrence, self.spawned_at)


class _Times(BaseModel):
    """When something in an import was created and changed."""

    created_at: fields.InstantText
    updated_at: fields.InstantText = Field(description="Not before `created_at`.")
    deleted_at: fields.InstantText | None = Field(None, description="When it was deleted, if it is in the trash.")

    @field_validator("updated_at")
    @classmethod
    def _is_not_before_creation(cls, value: datetime, info: ValidationInfo) -> datetime:
        if value < info.data.get("created_at", value):
            raise ValueError("must not be before created_at")
        return value


class ImportedTask(WritableFields, _Times):
    """A task in an import, with the fields of an exported one."""

    title: fields.Title
    completed: bool = Field(False, description="False by default.")  # noqa: FBT003
    recurrence: ImportedRecurrence | None | MISSING = Field(MISSING, description="Needs a due date.")
    id: fields.TaskUuid
    user_id: fields.Ignored | MISSING = MISSING
    completed_at: fields.InstantText | None = Field(
        None, validate_default=True, description="Required if the task is completed, otherwise absent or null."
    )
    position: Position | MISSING = Field(MISSING, description="By default at the end.")
    series_id: fields.TaskUuid | None = None
    previous_id: fields.TaskUuid | None = None
    next_id: fields.TaskUuid | None = None
    revision: fields.Ignored | MISSING = MISSING

    @field_validator("completed_at")
    @classmethod
    def _belongs_to_completed(cls, value: datetime | None, info: ValidationInfo) -> datetime | None:
        if info.data.get("completed", value is not None) != (value is not None):
            raise ValueError("must be given for tasks that are completed, and for no others")
        return value

    def task(self, user_id: str) -> domain.Task | domain.TrashedTask:
        """Return the task, owned by this user.

        Raises:
            InvalidFieldError: It has a recurrence and no due date, or the recurrence has no state and no further date.
        """
        values = self.changes(uuid4)
        kept = self._kept_recurrence()
        if kept is not None:
            values = replace(values, recurrence=None)
        task = domain.Task.create(task_id=self.id, user_id=user_id, values=values, now=self.created_at)
        task = replace(
            task,
            completed_at=self.completed_at,
            position="" if self.position is MISSING else self.position,
            recurrence=kept or task.recurrence,
            series_id=self._series(task, kept),
            previous_id=self.previous_id,
            next_id=self.next_id,
            updated_at=self.updated_at,
        )
        return task.discard(now=self.deleted_at) if self.deleted_at else task

    def _kept_recurrence(self) -> Repetition | None:
        """Return the recurrence that keeps the state of its series."""
        if self.recurrence is MISSING or self.recurrence is None:
            return None
        kept = self.recurrence.repetition()
        if kept is not None and (self.due_date is MISSING or self.due_date is None):
            raise InvalidFieldError("recurrence", "must have a due date")
        return kept

    def _series(self, task: domain.Task, kept: Repetition | None) -> UUID | None:
        if self.series_id is not None:
            return self.series_id
        return task.series_id if kept is None else self.id


class ImportedList(WritableListFields, _Times):
    """A list in an import, with the fields of an exported one."""

    name: Name
    id: fields.TaskUuid
    user_id: fields.Ignored | MISSING = MISSING
    position: Position | MISSING = Field(MISSING, description="By default at the end.")
    revision: fields.Ignored | MISSING = MISSING

    def task_list(self, user_id: str) -> TaskList | TrashedList:
        """Return the list, owned by this user."""
        created = TaskList.create(list_id=self.id, user_id=user_id, values=self.changes(), now=self.created_at)
        position = "" if self.position is MISSING else self.position
        found = replace(created, position=position, updated_at=self.updated_at)
        return found.discard(now=self.deleted_at) if self.deleted_at else found


def _is_not_true(value: Any) -> Any:
    if value is True:  # which equals 1 in Python
        raise ValueError("must be 1")
    return value


class Import(BaseModel):
    """An export. The lists precede the tasks, and the other fields both, so that they can be read one by one."""

    model_config = ConfigDict(strict=True, extra="forbid")

    format: Literal["todo-api-export"]
    version: Annotated[Literal[1], BeforeValidator(_is_not_true)]
    user_id: fields.Ignored | MISSING = MISSING
    exported_at: fields.Ignored | MISSING = MISSING
    lists: list[ImportedList] | MISSING = Field(MISSING, description="Exports of earlier versions have none.")
    tasks: list[ImportedTask]


class ImportResult(BaseModel):
    """The result of an import."""

    imported: fields.Int64 = Field(description="Tasks that were created.")
    skipped: fields.Int64 = Field(description="Tasks that were skipped: their ids existed already.")
    imported_lists: fields.Int64 = Field(description="Lists that were created.")
    skipped_lists: fields.Int64 = Field(description="Lists that were skipped: their ids existed already.")
