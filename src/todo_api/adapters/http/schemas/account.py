"""The account, and the document that exports and imports it."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import MISSING, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator

from todo_api.adapters.http.schemas import fields
from todo_api.adapters.http.schemas.tasks import Task, TrashedTask, WritableFields
from todo_api.application.batches import MAX_OPERATIONS
from todo_api.application.services import Limits
from todo_api.domain import account
from todo_api.domain import task as domain
from todo_api.domain.idempotency import KEY_LIFETIME
from todo_api.domain.listing import MAX_PAGE_SIZE


class Counts(BaseModel):
    """Task counts. Tasks in the trash only count for `trash`."""

    all: fields.Int32
    pending: fields.Int32
    completed: fields.Int32
    overdue: fields.Int32 = Field(description="Pending and due before now; a day is over at its end in UTC.")
    trash: fields.Int32


class AccountLimits(BaseModel):
    """The limits of the account, and how long data is kept."""

    tasks: fields.Int32 = Field(description="Tasks that are not in the trash.", examples=[10_000])
    page_size: fields.Int32 = Field(description="The highest `limit` of a list.", examples=[1_000])
    batch_operations: fields.Int32 = Field(description="Operations of one batch.", examples=[100])
    event_streams: fields.Int32 = Field(description="Open streams of events, for each process.", examples=[10])
    body_bytes: fields.Int64 = Field(description="Bytes of a request's body; in an import, of each task.")
    trash_days: fields.Int32 = Field(description="Days after which a task in the trash is purged.", examples=[30])
    sync_days: fields.Int32 = Field(description="Days for which a sync token is valid, at least.", examples=[90])
    idempotency_hours: fields.Int32 = Field(description="Hours for which an Idempotency-Key is stored.", examples=[24])


class Account(BaseModel):
    """The signed-in user's account."""

    user_id: str = Field(description="The `sub` of the token.", examples=["dev-user"])
    first_seen_at: datetime | None = Field(description="When the first task was created; null before that.")
    revision: fields.Revision = Field(description="The user's revision; 0 before the first task.")
    counts: Counts
    limits: AccountLimits

    @classmethod
    def of(cls, found: account.Account, limits: Limits, max_body_bytes: int) -> "Account":
        counts = {name: getattr(found, name) for name in Counts.model_fields if name != "all"}
        return cls(
            user_id=found.user_id,
            first_seen_at=found.first_seen_at,
            revision=found.revision,
            counts=Counts(all=found.pending + found.completed, **counts),
            limits=AccountLimits(
                tasks=limits.tasks,
                page_size=MAX_PAGE_SIZE,
                batch_operations=MAX_OPERATIONS,
                event_streams=limits.event_streams,
                body_bytes=max_body_bytes,
                trash_days=limits.trash_days,
                sync_days=limits.tombstone_days,
                idempotency_hours=KEY_LIFETIME // timedelta(hours=1),
            ),
        )


class Export(BaseModel):
    """All data of one user."""

    format: Literal["todo-api-export"]
    version: Literal[1]
    user_id: str
    exported_at: datetime
    tasks: list[TrashedTask | Task] = Field(
        description="In the order of the ids. Those in the trash have `deleted_at`."
    )


class ImportedTask(WritableFields):
    """A task in an import, with the fields of an exported one."""

    title: fields.Title
    completed: bool = Field(False, description="False by default.")  # noqa: FBT003
    id: fields.TaskUuid
    user_id: fields.Ignored | MISSING = MISSING
    completed_at: fields.InstantText | None = Field(
        None, validate_default=True, description="Required if the task is completed, otherwise absent or null."
    )
    created_at: fields.InstantText
    updated_at: fields.InstantText = Field(description="Not before `created_at`.")
    revision: fields.Ignored | MISSING = MISSING
    deleted_at: fields.InstantText | None = Field(None, description="When it was deleted, if it is in the trash.")

    @field_validator("completed_at")
    @classmethod
    def _belongs_to_completed(cls, value: datetime | None, info: ValidationInfo) -> datetime | None:
        if info.data.get("completed", value is not None) != (value is not None):
            raise ValueError("must be given for tasks that are completed, and for no others")
        return value

    @field_validator("updated_at")
    @classmethod
    def _is_not_before_creation(cls, value: datetime, info: ValidationInfo) -> datetime:
        if value < info.data.get("created_at", value):
            raise ValueError("must not be before created_at")
        return value

    def task(self, user_id: str) -> domain.Task | domain.TrashedTask:
        """Return the task, owned by this user."""
        task = domain.Task.create(task_id=self.id, user_id=user_id, values=self.changes(), now=self.created_at)
        task = replace(task, completed_at=self.completed_at, updated_at=self.updated_at)
        return task.discard(now=self.deleted_at) if self.deleted_at else task


def _is_not_true(value: object) -> object:
    if value is True:  # which equals 1 in Python
        raise ValueError("must be 1")
    return value


class Import(BaseModel):
    """An export. The other fields precede the tasks, so that the tasks can be read one by one."""

    model_config = ConfigDict(strict=True, extra="forbid")

    format: Literal["todo-api-export"]
    version: Annotated[Literal[1], BeforeValidator(_is_not_true)]
    user_id: fields.Ignored | MISSING = MISSING
    exported_at: fields.Ignored | MISSING = MISSING
    tasks: list[ImportedTask]


class ImportResult(BaseModel):
    """The result of an import."""

    imported: fields.Int64 = Field(description="Tasks that were created.")
    skipped: fields.Int64 = Field(description="Tasks that were skipped: their ids existed already.")
