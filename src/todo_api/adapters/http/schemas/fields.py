"""The types of the fields: how a value is validated, and how the OpenAPI document describes it."""

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import MISSING, AfterValidator, BeforeValidator, Field, PlainValidator, WithJsonSchema

from todo_api.domain.due_date import parse_due_date
from todo_api.domain.listing import MAX_PAGE_SIZE
from todo_api.domain.recurrence.rule import RULE_MAX_LENGTH, normalize_rule
from todo_api.domain.recurrence.series import PREVIEW_MAX
from todo_api.domain.search import QUERY_MAX_LENGTH
from todo_api.domain.tags import MAX_TAGS, clean_tag, clean_tags
from todo_api.domain.task_changes import Priority
from todo_api.domain.text import (
    DESCRIPTION_MAX_LENGTH,
    NOT_STORABLE,
    TAG_MAX_LENGTH,
    TITLE_MAX_LENGTH,
    clean_description,
    clean_title,
    is_storable,
)
from todo_api.domain.time_zones import zone

UUID_PATTERN = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_UUID = re.compile(UUID_PATTERN)


def _uuid(value: object) -> UUID:
    if isinstance(value, str) and _UUID.fullmatch(value):
        return UUID(value)
    raise ValueError("must be a UUID, such as 019aa2f3-7c1e-7cc3-98c4-dc0c0c07398f")


def _due_date(value: object) -> date | datetime:
    if not isinstance(value, str):
        raise ValueError("must be a string")  # noqa: TRY004 - Pydantic wants ValueErrors
    return parse_due_date(value)


def _instant(value: object) -> datetime:
    if isinstance(value, str):
        instant = parse_due_date(value)
        if isinstance(instant, datetime) and instant.tzinfo is not None:
            return instant
    raise ValueError("must be an instant, such as 2026-12-31T17:00:00Z")


def _rule(value: str) -> str:
    try:
        return normalize_rule(value)
    except ValueError as error:  # its message begins with the name of the field
        raise ValueError(str(error).removeprefix("rule ")) from error


def _time_zone(value: str) -> str:
    return zone(value).key


def _list_name(value: object) -> UUID | Literal["inbox"]:
    if value == "inbox":
        return "inbox"
    if isinstance(value, str) and _UUID.fullmatch(value):
        return UUID(value)
    raise ValueError("must be the id of a list, or inbox")


def _search_text(value: str) -> str:
    if len(value) > QUERY_MAX_LENGTH:
        raise ValueError(f"must have at most {QUERY_MAX_LENGTH} characters, not {len(value):,}")
    if not is_storable(value):
        raise ValueError(NOT_STORABLE)
    return value


def _whole_number(highest: int) -> Callable[[object], object]:
    def check(value: object) -> object:
        # Pydantic would accept " 5", "5.0" and "1_0" too.
        if isinstance(value, str) and not (value.isascii() and value.isdecimal()):
            raise ValueError(f"must be a whole number from 1 to {highest:,}")
        return value

    return check


def _whole_float(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


_TITLE = {
    "type": "string",
    "description": "White space around it is trimmed; then 1 to 500 code points, one of them visible, without NUL.",
    "minLength": 1,
    "maxLength": TITLE_MAX_LENGTH,
    "pattern": r"^[^\x00]*[^\x00\s\x1c-\x1f\x85][^\x00]*$",
    "examples": ["Buy milk"],
}
_DESCRIPTION = {
    "type": "string",
    "description": "Up to 10,000 Unicode code points, without NUL.",
    "maxLength": DESCRIPTION_MAX_LENGTH,
    "pattern": r"^[^\x00]*$",
    "examples": ["Two litres, whole"],
}
_TAG = {
    "type": "string",
    "description": "White space around it is trimmed; then 1 to 50 code points, one of them visible, without NUL.",
    "minLength": 1,
    "maxLength": TAG_MAX_LENGTH,
    "pattern": r"^[^\x00]*[^\x00\s\x1c-\x1f\x85][^\x00]*$",
    "examples": ["home"],
}
_TAGS_DESCRIPTION = "In the user's order. Of tags that differ only in case, the first stays."
_RULE = {
    "type": "string",
    "description": (
        "A subset of RFC 5545's RRULE: FREQ (DAILY, WEEKLY, MONTHLY or YEARLY), INTERVAL, COUNT, UNTIL, BYDAY, "
        "BYMONTHDAY, BYMONTH, BYSETPOS and WKST."
    ),
    "maxLength": RULE_MAX_LENGTH,
    "examples": ["FREQ=WEEKLY;BYDAY=MO,TH"],
}
_TIME_ZONE = {
    "type": "string",
    "description": "The name of a time zone in the IANA database.",
    "examples": ["Europe/Berlin"],
}
_LIST_NAME = {
    "anyOf": [{"type": "string", "format": "uuid"}, {"type": "string", "enum": ["inbox"]}],
    "examples": ["inbox", "019aa2f3-7c1e-7cc3-98c4-dc0c0c07398f"],
}
_SEARCH_TEXT = {"type": "string", "maxLength": QUERY_MAX_LENGTH, "pattern": r"^[^\x00]*$", "examples": ["milk"]}
DUE_DATE_SCHEMA = {
    "anyOf": [
        {"type": "string", "format": "date", "description": "A day."},
        {"type": "string", "format": "date-time", "description": "An instant: with `Z` or any offset."},
        {
            "type": "string",
            "description": "A floating local time: without an offset. Seconds may be left out.",
            "pattern": r"^[0-9]{4}-[01][0-9]-[0-3][0-9][Tt][0-2][0-9]:[0-5][0-9](:[0-5][0-9](\.[0-9]{1,9})?)?$",
        },
    ],
    "description": (
        "A day (`2026-12-31`), a floating local time (`2026-12-31T17:00:00`) or an instant (`2026-12-31T17:00:00Z`), "
        "which exists, in the years 2 to 9999. It is returned in the same kind, instants with `Z`; fractions "
        "of seconds are kept to the microsecond."
    ),
    "examples": ["2026-12-31", "2026-12-31T17:00:00", "2026-12-31T17:00:00Z"],
}
_INSTANT = {"type": "string", "format": "date-time", "examples": ["2026-11-20T09:30:00.123456Z"]}

Title = Annotated[str, AfterValidator(clean_title), WithJsonSchema(_TITLE)]
Description = Annotated[str, AfterValidator(clean_description), WithJsonSchema(_DESCRIPTION)]
DueDateText = Annotated[date | datetime, PlainValidator(_due_date), WithJsonSchema(DUE_DATE_SCHEMA)]
Tag = Annotated[str, AfterValidator(clean_tag), WithJsonSchema(_TAG)]
TagList = Annotated[
    list[Tag],
    AfterValidator(clean_tags),
    Field(description=_TAGS_DESCRIPTION, json_schema_extra={"maxItems": MAX_TAGS}),
]
PriorityName = Annotated[Priority, Field(strict=False)]
RuleText = Annotated[str, AfterValidator(_rule), WithJsonSchema(_RULE)]
TimeZoneName = Annotated[str, AfterValidator(_time_zone), WithJsonSchema(_TIME_ZONE)]
ListName = Annotated[UUID | Literal["inbox"], PlainValidator(_list_name), WithJsonSchema(_LIST_NAME)]
SearchText = Annotated[str, AfterValidator(_search_text), WithJsonSchema(_SEARCH_TEXT)]
InstantText = Annotated[datetime, PlainValidator(_instant), WithJsonSchema(_INSTANT)]
PageSize = Annotated[
    int,
    BeforeValidator(_whole_number(MAX_PAGE_SIZE)),
    Field(ge=1, le=MAX_PAGE_SIZE),
    WithJsonSchema({"type": "integer", "format": "int32", "minimum": 1, "maximum": MAX_PAGE_SIZE}),
]
OccurrenceCount = Annotated[
    int,
    BeforeValidator(_whole_number(PREVIEW_MAX)),
    Field(ge=1, le=PREVIEW_MAX),
    WithJsonSchema({"type": "integer", "format": "int32", "minimum": 1, "maximum": PREVIEW_MAX}),
]
# Integers with the formats that generators choose their types by. A revision does not fit into 32 bits.
Revision = Annotated[int, Field(json_schema_extra={"format": "int64"}, examples=[1_795_600_000_000_000])]
Int32 = Annotated[int, Field(json_schema_extra={"format": "int32"})]
Int64 = Annotated[int, Field(json_schema_extra={"format": "int64"})]
# For integers in requests: 3.0 is one to JSON Schema. It comes last, so that limits stay in the OpenAPI document.
WholeFloats = BeforeValidator(_whole_float)

# Not `readOnly`: generators would make two types of each request, one for sending.
Ignored = Annotated[Any, Field(description="Accepted and ignored.")]
READ_ONLY = Ignored | MISSING

_ID = {"type": "string", "format": "uuid", "examples": ["019aa2f3-7c1e-7cc3-98c4-dc0c0c07398f"]}
TaskUuid = Annotated[UUID, PlainValidator(_uuid), WithJsonSchema(_ID)]
