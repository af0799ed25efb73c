"""Figures about the tasks: how many there are in each view, list and tag."""

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from todo_api.adapters.http.schemas import fields
from todo_api.domain.overview import Counts
from todo_api.domain.overview import TagCount as DomainTagCount


class CountsParameters(BaseModel):
    """The time zone of the counts."""

    model_config = ConfigDict(extra="forbid")

    time_zone: fields.TimeZoneName = Field("UTC", description="The zone whose day is today.")


class ListCount(BaseModel):
    """How many tasks are in a list."""

    list_id: UUID | None = Field(description="null for the inbox.")
    all: fields.Int32
    pending: fields.Int32


class TagCount(BaseModel):
    """How many tasks have a tag."""

    name: str = Field(description="One of its spellings, which may differ in case.", examples=["home"])
    all: fields.Int32
    pending: fields.Int32

    @classmethod
    def of(cls, found: DomainTagCount) -> "TagCount":
        return cls(name=found.name, all=found.tasks, pending=found.pending)


class TaskCounts(BaseModel):
    """Task counts. Tasks in the trash only count for `trash`, and completed ones for no due date."""

    all: fields.Int32
    pending: fields.Int32
    completed: fields.Int32
    overdue: fields.Int32 = Field(description="Pending tasks whose due date has passed.")
    today: fields.Int32 = Field(description="Pending tasks that are due on this day, also earlier on it.")
    upcoming: fields.Int32 = Field(description="Pending tasks that are due after this day.")
    without_date: fields.Int32 = Field(description="Pending tasks without a due date.")
    trash: fields.Int32
    lists: list[ListCount] = Field(description="The inbox, and all lists in the order of their ids.")
    tags: list[TagCount] = Field(description="The tags in use, in the order of the alphabet.")

    @classmethod
    def of(cls, found: Counts) -> "TaskCounts":
        numbers = {None: (0, 0), **found.lists}
        ids = sorted(numbers, key=lambda list_id: (list_id is not None, str(list_id)))
        return cls(
            all=found.pending + found.completed,
            pending=found.pending,
            completed=found.completed,
            overdue=found.overdue,
            today=found.today,
            upcoming=found.upcoming,
            without_date=found.without_date,
            trash=found.trash,
            lists=[ListCount(list_id=each, all=numbers[each][0], pending=numbers[each][1]) for each in ids],
            tags=[TagCount.of(tag) for tag in found.tags],
        )


class TagRename(BaseModel):
    """The new name of a tag."""

    model_config = ConfigDict(strict=True, extra="forbid")

    name: fields.Tag
