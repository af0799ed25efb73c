"""What requests and answers look like; Pydantic's models are for this adapter alone."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    MISSING,
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    WithJsonSchema,
)

from todo_api.domain.due_date import DUE_DATE_MAX_LENGTH, parse_due_date
from todo_api.domain.listing import MAX_PAGE_SIZE, Order, Sort, Status, TaskQuery
from todo_api.domain.task import TaskChanges
from todo_api.domain.text import DESCRIPTION_MAX_LENGTH, TITLE_MAX_LENGTH, clean_description, clean_title

WRITABLE_FIELDS = ("title", "description", "completed", "due_date")


def _due_date(value: object) -> date | datetime:
    if not isinstance(value, str):
        raise ValueError("must be a string")  # noqa: TRY004 - Pydantic takes ValueErrors
    return parse_due_date(value)


def _instant(value: object) -> datetime:
    if isinstance(value, str):
        instant = parse_due_date(value)
        if isinstance(instant, datetime) and instant.tzinfo is not None:
            return instant
    raise ValueError("must be an instant, such as 2026-12-31T17:00:00Z")


def _whole_number(value: object) -> object:
    # Pydantic would take " 5", "5.0" and "1_0" for numbers too.
    if isinstance(value, str) and not (value.isascii() and value.isdecimal()):
        raise ValueError(f"must be a whole number from 1 to {MAX_PAGE_SIZE:,}")
    return value


_TITLE = {
    "type": "string",
    "description": "White space around it is trimmed; then 1 to 500 Unicode code points, NUL excepted.",
    "minLength": 1,
    "maxLength": TITLE_MAX_LENGTH,
    "pattern": r"^[^\x00]*[^\x00\s\x1c-\x1f\x85][^\x00]*$",
    "examples": ["Buy milk"],
}
_DESCRIPTION = {
    "type": "string",
    "description": "Up to 10,000 Unicode code points, NUL excepted.",
    "maxLength": DESCRIPTION_MAX_LENGTH,
    "pattern": r"^[^\x00]*$",
    "examples": ["Two litres, whole"],
}
# The days that exist, of the years 2 to 9999; the times, and the offsets from UTC.
_LEAP_YEAR = "([0-9]{2}(0[48]|[2468][048]|[13579][26])|(0[48]|[2468][048]|[13579][26])00)"
_YEAR = "([0-9]{3}[2-9]|[0-9]{2}[1-9][01]|[0-9][1-9]0[01]|[1-9]00[01])"
_MONTH_AND_DAY = (
    "((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))"
)
_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]+)?)?"
_OFFSET = "([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
_DAY = f"({_YEAR}-{_MONTH_AND_DAY}|{_LEAP_YEAR}-02-29)"
_DUE_DATE = {
    "type": "string",
    "description": (
        "A day (`2026-12-31`), a floating local time (`2026-12-31T17:00:00`) or an instant (`2026-12-31T17:00:00Z`, "
        "any offset), returned in the kind it was given; instants are returned with `Z`. Seconds may be left out; "
        "fractions are kept to the microsecond."
    ),
    "maxLength": DUE_DATE_MAX_LENGTH,
    "pattern": f"^{_DAY}([Tt]{_TIME}{_OFFSET}?)?$",
    "examples": ["2026-12-31", "2026-12-31T17:00:00", "2026-12-31T17:00:00Z"],
}
_INSTANT = {
    "type": "string",
    "format": "date-time",
    "pattern": f"^{_DAY}[Tt]{_TIME}{_OFFSET}$",
    "examples": ["2026-11-20T09:30:00.123456Z"],
}

Title = Annotated[str, AfterValidator(clean_title), WithJsonSchema(_TITLE)]
Description = Annotated[str, AfterValidator(clean_description), WithJsonSchema(_DESCRIPTION)]
DueDateText = Annotated[date | datetime, PlainValidator(_due_date), WithJsonSchema(_DUE_DATE)]
InstantText = Annotated[datetime, PlainValidator(_instant), WithJsonSchema(_INSTANT)]
PageSize = Annotated[
    int,
    BeforeValidator(_whole_number),
    Field(ge=1, le=MAX_PAGE_SIZE),
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": MAX_PAGE_SIZE}),
]
Ignored = Annotated[Any, Field(json_schema_extra={"readOnly": True}, description="Accepted and ignored.")]


class PageParameters(BaseModel):
    """How many tasks, and from where on."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[PageSize, Field(description="How many tasks at most.")] = MAX_PAGE_SIZE
    cursor: Annotated[
        str | MISSING, Field(description="Where to go on: comes with the `Link` header of the page before.")
    ] = MISSING


class EventsParameters(BaseModel):
    """Since when."""

    model_config = ConfigDict(extra="forbid")

    since: Annotated[
        str | MISSING, Field(description="The `next` of the answer before. Without it, the copy starts from nothing.")
    ] = MISSING


class ChangesParameters(EventsParameters):
    """Since when, and how many."""

    limit: Annotated[PageSize, Field(description="How many tasks and deletions at most.")] = MAX_PAGE_SIZE


class ListParameters(PageParameters):
    """Which tasks, in what order, how many and from where on."""

    status: Annotated[Status, Field(description="Which tasks.")] = Status.ALL
    sort: Annotated[Sort, Field(description="By what to sort.")] = Sort.CREATED
    order: Annotated[
        Order | MISSING,
        Field(description="By default, created is newest first and the others ascend. No due date is last either way."),
    ] = MISSING

    def query(self) -> TaskQuery:
        """Return the query for the first page."""
        order = self.sort.default_order if self.order is MISSING else self.order
        return TaskQuery(status=self.status, sort=self.sort, order=order, limit=self.limit)


class ReadOnlyFields(BaseModel):
    """What the server alone decides: accepted and ignored, so that a client may send back the task it was given."""

    model_config = ConfigDict(strict=True, extra="forbid")

    id: Ignored | MISSING = MISSING
    user_id: Ignored | MISSING = MISSING
    completed_at: Ignored | MISSING = MISSING
    created_at: Ignored | MISSING = MISSING
    updated_at: Ignored | MISSING = MISSING
    revision: Ignored | MISSING = MISSING


class TaskUpdate(ReadOnlyFields):
    """The fields to change: those left out keep their value, null clears."""

    title: Title | MISSING = MISSING
    description: Description | None | MISSING = MISSING
    completed: bool | MISSING = MISSING
    due_date: DueDateText | None | MISSING = MISSING

    def changes(self) -> TaskChanges:
        """Return the fields that were given."""
        given = {name: getattr(self, name) for name in WRITABLE_FIELDS if name in self.model_fields_set}
        return TaskChanges(**given)


class TaskCreate(TaskUpdate):
    """The fields of a new task."""

    title: Title


class Completion(ReadOnlyFields):
    """The state to set; without it, the task's state is turned around."""

    completed: bool | MISSING = MISSING

    @property
    def state(self) -> bool | None:
        """The state to set, or None to turn it around."""
        return None if self.completed is MISSING else self.completed


class Task(BaseModel):
    """A task, as every answer shows it."""

    id: UUID = Field(description="A UUID, version 7.", examples=["019aa2f3-7c1e-7cc3-98c4-dc0c0c07398f"])
    user_id: str = Field(description="The owner: the `sub` of the token.", examples=["dev-user"])
    title: str = Field(min_length=1, max_length=TITLE_MAX_LENGTH, examples=["Buy milk"])
    description: str | None = Field(max_length=DESCRIPTION_MAX_LENGTH, examples=["Two litres, whole"])
    completed: bool
    completed_at: datetime | None = Field(description="Since when; null unless completed.")
    due_date: Annotated[str, WithJsonSchema(_DUE_DATE)] | None
    created_at: datetime = Field(examples=["2026-11-20T09:30:00.123456Z"])
    updated_at: datetime = Field(examples=["2026-11-20T09:30:00.123456Z"])
    revision: int = Field(ge=1, description="The owner's revision when the task last changed.", examples=[42])


class TrashedTask(Task):
    """A task in the trash."""

    deleted_at: datetime = Field(examples=["2026-11-20T09:30:00.123456Z"])


class Tombstone(BaseModel):
    """That a task is gone."""

    id: UUID = Field(examples=["019aa2f3-7c1e-7cc3-98c4-dc0c0c07398f"])
    revision: int = Field(ge=1, examples=[43])


class Changes(BaseModel):
    """What has changed since a token: apply the tasks and the deletions, and keep `next`."""

    tasks: list[Task] = Field(description="What was created, changed or restored, as it is now.")
    deleted: list[Tombstone] = Field(description="What is gone.")
    next: str = Field(description="The token to ask with next time.", examples=["Jx3vKQ5mJ1Y0Mg"])
    has_more: bool = Field(description="Whether there are further changes already.")


class FieldError(BaseModel):
    """One thing that is wrong with the request."""

    location: Literal["body", "query", "header"]
    field: str = Field(examples=["dueDate"])
    detail: str = Field(examples=["is no field of this call; did you mean due_date?"])


class Problem(BaseModel):
    """An error (RFC 9457)."""

    type: str = Field(examples=["urn:todo-api:problem:invalid-request"])
    title: str = Field(examples=["The request is not valid"])
    status: int = Field(examples=[400])
    detail: str = Field(examples=["dueDate: is no field of this call; did you mean due_date?"])
    code: str = Field(description="Stable: tell problems apart by it.", examples=["invalid-request"])
    errors: list[FieldError] | MISSING = Field(MISSING, description="For bad input, one entry a field.")
    index: int | MISSING = Field(MISSING, description="For a batch, the place of the operation that failed, from 0.")
    imported: int | MISSING = Field(MISSING, description="For an import, how many tasks came to be before the error.")
    skipped: int | MISSING = Field(MISSING, description="For an import, how many were there already.")


class Health(BaseModel):
    """The state of the service."""

    status: Literal["ok"]
