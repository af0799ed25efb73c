"""The query parameters of lists."""

from typing import Annotated, Any

import msgspec
from pydantic import MISSING, BaseModel, ConfigDict, Field

from todo_api.adapters.http.schemas.fields import (
    DueDateText,
    ListName,
    OccurrenceCount,
    PageSize,
    PriorityName,
    SearchText,
    Tag,
    TimeZoneName,
)
from todo_api.adapters.http.schemas.lists import TasksOfList
from todo_api.domain.due_views import DueView
from todo_api.domain.filters import NO_FILTER, TaskFilter
from todo_api.domain.listing import MAX_PAGE_SIZE, Order, Sort, Status, TaskQuery
from todo_api.domain.tags import MAX_TAGS, tag_key
from todo_api.domain.task_changes import UNSET

_Tags = Annotated[list[Tag], Field(max_length=MAX_TAGS)]


class PageParameters(BaseModel):
    """The size of the page, and where it starts."""

    model_config = ConfigDict(extra="forbid")

    limit: PageSize = Field(MAX_PAGE_SIZE, description="How many tasks at most.")
    cursor: str | MISSING = Field(
        MISSING, description="Where the page starts: from the `Link` header of the page before."
    )


class SinceParameters(BaseModel):
    """Where the changes start."""

    model_config = ConfigDict(extra="forbid")

    since: str | MISSING = Field(
        MISSING, description="The `next` of the previous response. Without it, all tasks and lists are returned."
    )


class ChangesParameters(SinceParameters):
    """Where the changes start, and the size of the page."""

    limit: PageSize = Field(MAX_PAGE_SIZE, description="How many tasks, lists and deletions at most.")


class EventsParameters(SinceParameters):
    """Where the events start."""

    last_event_id: str = Field(
        "",
        alias="lastEventId",
        description="The same as the header `Last-Event-ID`, for clients such as `event-source-polyfill`.",
    )


class DeleteListParameters(BaseModel):
    """What becomes of the tasks of a list that is deleted."""

    model_config = ConfigDict(extra="forbid")

    tasks: TasksOfList = Field(
        TasksOfList.TRASH, description="`trash` moves the tasks to the trash too, `keep` into the inbox."
    )


class OccurrenceParameters(BaseModel):
    """How many dates."""

    model_config = ConfigDict(extra="forbid")

    count: OccurrenceCount = Field(10, description="How many dates at most.")


class FilterParameters(BaseModel):
    """The conditions of a list, beside the status. A task must meet all of them."""

    model_config = ConfigDict(extra="forbid")

    list_: ListName | MISSING = Field(MISSING, alias="list", description="The id of the list, or `inbox`.")
    # MISSING and not []: Pydantic copies such a default for each request.
    tag: _Tags | MISSING = Field(MISSING, description="May be repeated: the tasks with all of these tags.")
    priority: list[PriorityName] | MISSING = Field(
        MISSING, description="May be repeated: the tasks with one of these priorities."
    )
    due: DueView | MISSING = Field(
        MISSING,
        description=(
            "`overdue`: pending and past the due date; `today`: due on this day; `upcoming`: due later; `none`: "
            "without a due date; `any`: with one. The first three depend on the time: their lists have no ETag."
        ),
    )
    due_from: DueDateText | MISSING = Field(MISSING, description="The earliest due date.")
    due_before: DueDateText | MISSING = Field(MISSING, description="Due dates before this one.")
    time_zone: TimeZoneName = Field("UTC", description="The zone in which due dates and the time are compared.")
    q: SearchText | MISSING = Field(
        MISSING,
        description=(
            "Words, or their beginnings, all of which are in the title, the description, the tags or the checklist. "
            "Case and accents do not matter."
        ),
    )

    def given(self) -> dict[str, Any]:
        """Return the conditions that were sent, as JSON; `model_validate` reads them."""
        if self.model_fields_set.isdisjoint(_FILTERS):
            return {}
        names = (name for name in FilterParameters.model_fields if name in self.model_fields_set)
        values = {FilterParameters.model_fields[name].alias or name: getattr(self, name) for name in names}
        found: dict[str, Any] = msgspec.to_builtins(values)
        return found

    def task_filter(self) -> TaskFilter:
        """Return the filter. Tags and priorities are in an order of their own, so that equal filters are equal."""
        if self.model_fields_set.isdisjoint(_FILTERS):
            return NO_FILTER
        tags = () if self.tag is MISSING else map(tag_key, self.tag)
        priorities = () if self.priority is MISSING else self.priority
        list_id = None if self.list_ == "inbox" else self.list_
        return TaskFilter(
            list_id=UNSET if list_id is MISSING else list_id,
            tags=tuple(sorted(set(tags))),
            priorities=tuple(sorted(set(priorities), key=lambda priority: priority.rank)),
            due=None if self.due is MISSING else self.due,
            due_from=None if self.due_from is MISSING else self.due_from,
            due_before=None if self.due_before is MISSING else self.due_before,
            time_zone=self.time_zone,
            q=None if self.q is MISSING else self.q,
        )


_FILTERS = frozenset(FilterParameters.model_fields)
NO_FILTERS = FilterParameters()


class ListParameters(FilterParameters, PageParameters):
    """Which tasks, in which order."""

    status: Status = Field(Status.ALL, description="Which tasks.")
    sort: Sort = Field(Sort.CREATED, description="The field to sort by.")
    order: Order | MISSING = Field(
        MISSING,
        description=(
            "By default, created and updated are newest first, priority is high first, and the others ascend. "
            "Tasks without a due date come last."
        ),
    )

    def query(self) -> TaskQuery:
        """Return the query for the first page."""
        order = self.sort.default_order if self.order is MISSING else self.order
        return TaskQuery(status=self.status, sort=self.sort, order=order, limit=self.limit, filter=self.task_filter())
