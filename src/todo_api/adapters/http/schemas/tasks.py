"""Tasks in requests and responses."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, TypeAlias
from uuid import UUID

from pydantic import MISSING, AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from todo_api.adapters.http.schemas import fields
from todo_api.adapters.http.schemas.lists import TaskList
from todo_api.domain import checklist
from todo_api.domain import recurrence as domain
from todo_api.domain.checklist import CHECKLIST_MAX_ITEMS
from todo_api.domain.recurrence import CountedFrom
from todo_api.domain.tags import MAX_TAGS
from todo_api.domain.task_changes import Priority, TaskChanges
from todo_api.domain.text import DESCRIPTION_MAX_LENGTH, TITLE_MAX_LENGTH

NewId: TypeAlias = Callable[[], UUID]


class ChecklistItemInput(BaseModel):
    """A step of a checklist."""

    model_config = ConfigDict(strict=True, extra="forbid")

    id: fields.TaskUuid | MISSING = Field(MISSING, description="By default, the server chooses one.")
    title: fields.Title
    completed: bool = Field(False, description="False by default.")  # noqa: FBT003

    def item(self, new_id: NewId) -> checklist.ChecklistItem:
        item_id = new_id() if self.id is MISSING else self.id
        return checklist.ChecklistItem(id=item_id, title=self.title, completed=self.completed)


def _with_different_ids(items: list[ChecklistItemInput]) -> list[ChecklistItemInput]:
    ids = [item.id for item in items if item.id is not MISSING]
    if len(set(ids)) < len(ids):
        raise ValueError("must not have two items with the same id")
    return items


_Checklist = Annotated[
    list[ChecklistItemInput],
    Field(max_length=CHECKLIST_MAX_ITEMS, description="Written as a whole. The ids of its items differ."),
    AfterValidator(_with_different_ids),
]


class RecurrenceInput(BaseModel):
    """How a task repeats: completing it creates the next one."""

    model_config = ConfigDict(strict=True, extra="forbid")

    rule: fields.RuleText
    counted_from: Annotated[CountedFrom, Field(strict=False)] = Field(
        CountedFrom.DUE, alias="from", description="The date from which the next one is counted; `due` by default."
    )
    time_zone: fields.TimeZoneName = Field("UTC", description="The zone of the rule's days and times; UTC by default.")

    def recurrence(self) -> domain.Recurrence:
        return domain.Recurrence(rule=self.rule, counted_from=self.counted_from, time_zone=self.time_zone)


class WritableFields(BaseModel):
    """The fields that clients set."""

    model_config = ConfigDict(strict=True, extra="forbid")

    title: fields.Title | MISSING = MISSING
    description: fields.Description | None | MISSING = MISSING
    completed: bool | MISSING = MISSING
    due_date: fields.DueDateText | None | MISSING = MISSING
    list_id: fields.TaskUuid | None | MISSING = Field(MISSING, description="The list; null for the inbox.")
    priority: fields.PriorityName | None | MISSING = Field(MISSING, description="null for `none`.")
    tags: fields.TagList | None | MISSING = Field(MISSING, description="null for no tags.")
    checklist: _Checklist | None | MISSING = Field(MISSING, description="null for no items.")
    recurrence: RecurrenceInput | None | MISSING = Field(MISSING, description="Needs a due date; null ends it.")

    def changes(self, new_id: NewId) -> TaskChanges:
        """Return the fields that are present. A field that TaskChanges does not have raises a TypeError.

        Args:
            new_id: Returns the ids of the items of a checklist that have none.
        """
        present = self.model_fields_set & WritableFields.model_fields.keys()
        return TaskChanges(**{name: _to_domain(getattr(self, name), new_id) for name in present})


def _to_domain(value: Any, new_id: NewId) -> Any:
    match value:
        case [ChecklistItemInput(), *_]:
            return [item.item(new_id) for item in value]
        case RecurrenceInput():
            return value.recurrence()
    return value


class ReadOnlyFields(BaseModel):
    """The fields that the server sets. They are accepted and ignored, so that clients can send a task back as it is."""

    model_config = ConfigDict(strict=True, extra="forbid")

    id: fields.Ignored | MISSING = MISSING
    user_id: fields.Ignored | MISSING = MISSING
    completed_at: fields.Ignored | MISSING = MISSING
    created_at: fields.Ignored | MISSING = MISSING
    updated_at: fields.Ignored | MISSING = MISSING
    revision: fields.Ignored | MISSING = MISSING
    position: fields.Ignored | MISSING = MISSING
    series_id: fields.Ignored | MISSING = MISSING
    previous_id: fields.Ignored | MISSING = MISSING
    next_id: fields.Ignored | MISSING = MISSING


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


class ChecklistItem(BaseModel):
    """A step of a checklist."""

    id: UUID = Field(examples=["019aa2f3-7c1e-7cc3-98c4-dc0c0c07398f"])
    title: str = Field(min_length=1, max_length=TITLE_MAX_LENGTH, examples=["Compare prices"])
    completed: bool


class Recurrence(BaseModel):
    """How a task repeats: completing it creates the next one."""

    rule: str = Field(description="In RFC 5545's format for RRULE.", examples=["FREQ=WEEKLY;BYDAY=MO,TH"])
    counted_from: CountedFrom = Field(alias="from", description="The date from which the next one is counted.")
    time_zone: str = Field(description="The zone of the rule's days and times.", examples=["Europe/Berlin"])


class Task(BaseModel):
    """A task."""

    id: UUID = Field(description="A UUID, version 7.", examples=["019aa2f3-7c1e-7cc3-98c4-dc0c0c07398f"])
    user_id: str = Field(description="The owner: the `sub` of the token.", examples=["dev-user"])
    title: str = Field(min_length=1, max_length=TITLE_MAX_LENGTH, examples=["Buy milk"])
    description: str | None = Field(max_length=DESCRIPTION_MAX_LENGTH, examples=["Two litres, whole"])
    completed: bool
    completed_at: datetime | None = Field(description="When it was completed; null unless completed.")
    due_date: Annotated[str, WithJsonSchema(fields.DUE_DATE_SCHEMA)] | None
    list_id: UUID | None = Field(description="The list that it is in; null for the inbox.")
    priority: Priority
    tags: list[str] = Field(max_length=MAX_TAGS, examples=[["home", "garden"]])
    checklist: list[ChecklistItem] = Field(max_length=CHECKLIST_MAX_ITEMS)
    position: str = Field(
        description="Where it stands in the manual order: positions are compared by bytes.", examples=["m6610f0ad83000"]
    )
    recurrence: Recurrence | None = Field(description="How it repeats; null unless it does.")
    series_id: UUID | None = Field(description="The first task of its series; null unless it repeats.")
    previous_id: UUID | None = Field(description="The occurrence that it came of.")
    next_id: UUID | None = Field(description="The occurrence that came of it.")
    created_at: datetime = Field(examples=["2026-11-20T09:30:00.123456Z"])
    updated_at: datetime = Field(examples=["2026-11-20T09:30:00.123456Z"])
    revision: fields.Revision = Field(ge=1, description="The owner's revision when the task last changed.")


class TrashedTask(Task):
    """A task in the trash."""

    deleted_at: datetime = Field(examples=["2026-11-20T09:30:00.123456Z"])


class Tombstone(BaseModel):
    """A task or list that was deleted."""

    id: UUID = Field(examples=["019aa2f3-7c1e-7cc3-98c4-dc0c0c07398f"])
    revision: fields.Revision = Field(ge=1, description="The revision of the deletion.")


class Changes(BaseModel):
    """The changes since a token: apply the tasks, the lists and the deletions, and keep `next`."""

    tasks: list[Task] = Field(description="Tasks that were created, changed or restored, as they are now.")
    deleted: list[Tombstone] = Field(description="Tasks that were deleted.")
    lists: list[TaskList] = Field(description="Lists that were created, changed or restored, as they are now.")
    deleted_lists: list[Tombstone] = Field(description="Lists that were deleted.")
    next: str = Field(description="The token for the next request.", examples=["4mM3CI5Wv6wxNzk1NjAwMDAwMDAwMDAw"])
    has_more: bool = Field(description="Whether there are more changes now.")
