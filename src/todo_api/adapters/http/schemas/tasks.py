"""Tasks in requests and responses."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import MISSING, BaseModel, ConfigDict, Field, WithJsonSchema

from todo_api.adapters.http.schemas import fields
from todo_api.domain.task import TaskChanges
from todo_api.domain.text import DESCRIPTION_MAX_LENGTH, TITLE_MAX_LENGTH


class WritableFields(BaseModel):
    """The fields that clients set."""

    model_config = ConfigDict(strict=True, extra="forbid")

    title: fields.Title | MISSING = MISSING
    description: fields.Description | None | MISSING = MISSING
    completed: bool | MISSING = MISSING
    due_date: fields.DueDateText | None | MISSING = MISSING

    def changes(self) -> TaskChanges:
        """Return the fields that are present. A field that TaskChanges does not have raises a TypeError."""
        present = self.model_fields_set & WritableFields.model_fields.keys()
        return TaskChanges(**{name: getattr(self, name) for name in present})


class ReadOnlyFields(BaseModel):
    """The fields that the server sets. They are accepted and ignored, so that clients can send a task back as it is."""

    model_config = ConfigDict(strict=True, extra="forbid")

    id: fields.Ignored | MISSING = MISSING
    user_id: fields.Ignored | MISSING = MISSING
    completed_at: fields.Ignored | MISSING = MISSING
    created_at: fields.Ignored | MISSING = MISSING
    updated_at: fields.Ignored | MISSING = MISSING
    revision: fields.Ignored | MISSING = MISSING


class TaskUpdate(WritableFields, ReadOnlyFields):
    """The fields to change. Absent fields keep their value, null clears a field."""


class TaskCreate(TaskUpdate):
    """The fields of a new task."""

    title: fields.Title


class Completion(ReadOnlyFields):
    """The state to set. Without it, the state is toggled."""

    completed: bool | MISSING = MISSING

    @property
    def state(self) -> bool | None:
        """The state to set, or None to toggle it."""
        return None if self.completed is MISSING else self.completed


class Task(BaseModel):
    """A task."""

    id: UUID = Field(description="A UUID, version 7.", examples=["019aa2f3-7c1e-7cc3-98c4-dc0c0c07398f"])
    user_id: str = Field(description="The owner: the `sub` of the token.", examples=["dev-user"])
    title: str = Field(min_length=1, max_length=TITLE_MAX_LENGTH, examples=["Buy milk"])
    description: str | None = Field(max_length=DESCRIPTION_MAX_LENGTH, examples=["Two litres, whole"])
    completed: bool
    completed_at: datetime | None = Field(description="When it was completed; null unless completed.")
    due_date: Annotated[str, WithJsonSchema(fields.DUE_DATE_SCHEMA)] | None
    created_at: datetime = Field(examples=["2026-11-20T09:30:00.123456Z"])
    updated_at: datetime = Field(examples=["2026-11-20T09:30:00.123456Z"])
    revision: fields.Revision = Field(ge=1, description="The owner's revision when the task last changed.")


class TrashedTask(Task):
    """A task in the trash."""

    deleted_at: datetime = Field(examples=["2026-11-20T09:30:00.123456Z"])


class Tombstone(BaseModel):
    """A task that was deleted."""

    id: UUID = Field(examples=["019aa2f3-7c1e-7cc3-98c4-dc0c0c07398f"])
    revision: fields.Revision = Field(ge=1, description="The revision of the deletion.")


class Changes(BaseModel):
    """The changes since a token: apply the tasks and the deletions, and keep `next`."""

    tasks: list[Task] = Field(description="Tasks that were created, changed or restored, as they are now.")
    deleted: list[Tombstone] = Field(description="Tasks that were deleted.")
    next: str = Field(description="The token for the next request.", examples=["4mM3CI5Wv6wxNzk1NjAwMDAwMDAwMDAw"])
    has_more: bool = Field(description="Whether there are more changes now.")
