"""What the account looks like, and the document that everything of it goes out as and comes back in."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import MISSING, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator

from todo_api.adapters.http import schemas
from todo_api.adapters.http.ids import TaskUuid
from todo_api.domain.task import Task


class Counts(BaseModel):
    """How many tasks there are; those in the trash count for `trash` alone."""

    all: int
    pending: int
    completed: int
    overdue: int = Field(description="Pending and due before now; a day is over at its end in UTC.")
    trash: int


class AccountLimits(BaseModel):
    """How much there may be, and how long it is kept."""

    tasks: int = Field(description="Tasks that are not in the trash.", examples=[10_000])
    page_size: int = Field(description="The highest `limit` of a list.", examples=[1_000])
    batch_operations: int = Field(description="Operations of one batch.", examples=[100])
    event_streams: int = Field(description="Streams of events at the same time, in each process.", examples=[10])
    body_bytes: int = Field(description="Bytes of a request's body; of an import, those of each task.")
    trash_days: int = Field(description="After so many days in the trash, a task is purged.", examples=[30])
    sync_days: int = Field(description="For so many days, at least, a sync token is good.", examples=[90])
    idempotency_hours: int = Field(description="For so many hours, an Idempotency-Key is remembered.", examples=[24])


class Account(BaseModel):
    """The signed-in user's account."""

    user_id: str = Field(description="The `sub` of the token.", examples=["dev-user"])
    first_seen_at: datetime | None = Field(description="When the first task came to be; null before that.")
    revision: int = Field(
        ge=0, description="The user's revision; 0 before the first task.", json_schema_extra={"format": "int64"}
    )
    counts: Counts
    limits: AccountLimits


class Export(BaseModel):
    """Everything of one user."""

    format: Literal["todo-api-export"]
    version: Literal[1]
    user_id: str
    exported_at: datetime
    tasks: list[schemas.TrashedTask | schemas.Task] = Field(
        description="In the order of the ids. Those in the trash have `deleted_at`."
    )


class ImportedTask(BaseModel):
    """A task as an export has it."""

    model_config = ConfigDict(strict=True, extra="forbid")

    id: TaskUuid
    user_id: schemas.Ignored | MISSING = MISSING
    title: schemas.Title
    description: schemas.Description | None = None
    completed: bool = False
    completed_at: schemas.InstantText | None = Field(
        None, validate_default=True, description="Given if, and only if, the task is completed."
    )
    due_date: schemas.DueDateText | None = None
    created_at: schemas.InstantText
    updated_at: schemas.InstantText = Field(description="Not before `created_at`.")
    revision: schemas.Ignored | MISSING = MISSING
    deleted_at: schemas.InstantText | None = Field(None, description="Since when it is in the trash, if it is.")

    @field_validator("completed_at")
    @classmethod
    def _is_given_for_completed_ones(cls, value: datetime | None, info: ValidationInfo) -> datetime | None:
        if info.data.get("completed", value is not None) != (value is not None):
            raise ValueError("must be given for tasks that are completed, and for no others")
        return value

    @field_validator("updated_at")
    @classmethod
    def _is_not_before_creation(cls, value: datetime, info: ValidationInfo) -> datetime:
        if value < info.data.get("created_at", value):
            raise ValueError("must not be before created_at")
        return value

    def task(self, user_id: str) -> Task:
        """Return the task as the user's own."""
        task = Task(
            id=self.id,
            user_id=user_id,
            title=self.title,
            description=self.description,
            completed=self.completed,
            completed_at=self.completed_at,
            due_date=self.due_date,
            created_at=self.created_at,
            updated_at=self.updated_at,
            revision=0,
        )
        return task.discard(now=self.deleted_at) if self.deleted_at else task


def _is_no_truth(value: object) -> object:
    if value is True:  # which Python takes for 1
        raise ValueError("must be 1")
    return value


class Import(BaseModel):
    """An export. What is not a task comes before the tasks, so that they can be read one by one."""

    model_config = ConfigDict(strict=True, extra="forbid")

    format: Literal["todo-api-export"]
    version: Annotated[Literal[1], BeforeValidator(_is_no_truth)]
    user_id: schemas.Ignored | MISSING = MISSING
    exported_at: schemas.Ignored | MISSING = MISSING
    tasks: list[ImportedTask]


class ImportResult(BaseModel):
    """What came of an import."""

    imported: int = Field(description="Tasks that came to be.")
    skipped: int = Field(description="Tasks that were left as they are: there was one of their id already.")
