"""The query parameters of lists."""

from pydantic import MISSING, BaseModel, ConfigDict, Field

from todo_api.adapters.http.schemas.fields import PageSize
from todo_api.domain.listing import MAX_PAGE_SIZE, Order, Sort, Status, TaskQuery


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
        MISSING, description="The `next` of the previous response. Without it, all tasks are returned."
    )


class ChangesParameters(SinceParameters):
    """Where the changes start, and the size of the page."""

    limit: PageSize = Field(MAX_PAGE_SIZE, description="How many tasks and deletions at most.")


class EventsParameters(SinceParameters):
    """Where the events start."""

    last_event_id: str = Field(
        "",
        alias="lastEventId",
        description="The same as the header `Last-Event-ID`, for clients such as `event-source-polyfill`.",
    )


class ListParameters(PageParameters):
    """Which tasks, in which order."""

    status: Status = Field(Status.ALL, description="Which tasks.")
    sort: Sort = Field(Sort.CREATED, description="The field to sort by.")
    order: Order | MISSING = Field(
        MISSING,
        description="By default, created is newest first and the others ascend. Tasks without a due date come last.",
    )

    def query(self) -> TaskQuery:
        """Return the query for the first page."""
        order = self.sort.default_order if self.order is MISSING else self.order
        return TaskQuery(status=self.status, sort=self.sort, order=order, limit=self.limit)
