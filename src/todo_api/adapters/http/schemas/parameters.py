"""The query parameters of lists."""

from typing import Annotated

from pydantic import MISSING, BaseModel, ConfigDict, Field

from todo_api.adapters.http.schemas.fields import PageSize
from todo_api.domain.listing import MAX_PAGE_SIZE, Order, Sort, Status, TaskQuery


class PageParameters(BaseModel):
    """The size of the page, and where it starts."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[PageSize, Field(description="How many tasks at most.")] = MAX_PAGE_SIZE
    cursor: Annotated[
        str | MISSING, Field(description="Where the page starts: from the `Link` header of the page before.")
    ] = MISSING


class EventsParameters(BaseModel):
    """Where the changes start."""

    model_config = ConfigDict(extra="forbid")

    since: Annotated[
        str | MISSING, Field(description="The `next` of the previous response. Without it, everything is a change.")
    ] = MISSING


class ChangesParameters(EventsParameters):
    """Where the changes start, and the size of the page."""

    limit: Annotated[PageSize, Field(description="How many tasks and deletions at most.")] = MAX_PAGE_SIZE


class ListParameters(PageParameters):
    """Which tasks, in which order."""

    status: Annotated[Status, Field(description="Which tasks.")] = Status.ALL
    sort: Annotated[Sort, Field(description="The field to sort by.")] = Sort.CREATED
    order: Annotated[
        Order | MISSING,
        Field(description="By default, created is newest first and the others ascend. No due date is last either way."),
    ] = MISSING

    def query(self) -> TaskQuery:
        """Return the query for the first page."""
        order = self.sort.default_order if self.order is MISSING else self.order
        return TaskQuery(status=self.status, sort=self.sort, order=order, limit=self.limit)
