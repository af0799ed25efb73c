"""Due dates have three kinds, and no kind is ever converted into another.

A day is a `date`, a floating local time is a `datetime` without a time zone, an instant is a `datetime` in UTC.
"""

import re
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import TypeAlias

from todo_api.domain.errors import InvalidValueError

DueDate: TypeAlias = date | datetime

_FORMAT = re.compile(
    r"""(?P<day> [0-9]{4} - [0-9]{2} - [0-9]{2})
        (?: [Tt] (?P<minute> [0-9]{2} : [0-9]{2})
            (?P<second> : [0-9]{2})?
            (?: (?<= : [0-9]{2} : [0-9]{2}) \. (?P<fraction> [0-9]+))?
            (?P<offset> [Zz] | [+-] [0-9]{2} : [0-5][0-9])?
        )?""",
    re.VERBOSE,
)
DUE_DATE_MAX_LENGTH = 64

# Tasks without a due date sort at these instants, before or after all others, so no task may be due there.
BEGINNING_OF_TIME = datetime.min.replace(tzinfo=UTC)
END_OF_TIME = datetime.max.replace(tzinfo=UTC)
FIRST_DUE_INSTANT = datetime(2, 1, 1, tzinfo=UTC)


class DueKind(StrEnum):
    """The kind of a due date."""

    DATE = "date"
    FLOATING = "floating"
    INSTANT = "instant"


def parse_due_date(text: str) -> DueDate:
    """Parse `2026-12-31`, `2026-12-31T17:00[:00[.123456]]`, or the latter with `Z` or an offset such as `+02:00`.

    The formats are the full-date and date-time of RFC 3339, with optional seconds and offset. Digits of the fraction
    beyond microseconds are dropped.

    Raises:
        InvalidValueError: The text has none of these formats, or is not in the years 2 to 9999 (UTC). Year 1, which
            some programs write for "no date", and the last microsecond are reserved for tasks without a due date.
    """
    match = _FORMAT.fullmatch(text) if len(text) <= DUE_DATE_MAX_LENGTH else None
    if match is None:
        raise InvalidValueError(
            "must be a date (2026-12-31), a local time (2026-12-31T17:00:00) or an instant (2026-12-31T17:00:00Z)"
        )
    try:
        due_date = _due_date(match)
    except (ValueError, OverflowError) as error:
        raise InvalidValueError(f"must be a day and time that exist ({error})") from error
    if not FIRST_DUE_INSTANT <= due_instant(due_date) < END_OF_TIME:
        raise InvalidValueError("must be in the years 2 to 9999, before the last microsecond; use null for no due date")
    return due_date


def _due_date(match: re.Match[str]) -> DueDate:
    if match["minute"] is None:
        return date.fromisoformat(match["day"])
    fraction = (match["fraction"] or "")[:6].ljust(6, "0")
    seconds = match["second"] or ":00"
    local = datetime.fromisoformat(
        f"{match['day']}T{match['minute']}{seconds}.{fraction}{(match['offset'] or '').upper()}"
    )
    return local if local.tzinfo is None else local.astimezone(UTC)


def due_kind(due_date: DueDate) -> DueKind:
    """Return the kind of the due date."""
    if not isinstance(due_date, datetime):
        return DueKind.DATE
    return DueKind.FLOATING if due_date.tzinfo is None else DueKind.INSTANT


def due_instant(due_date: DueDate) -> datetime:
    """Return the instant (UTC) that the due date is sorted by: a day at its start, a floating time as if in UTC."""
    if not isinstance(due_date, datetime):
        return datetime.combine(due_date, time(), UTC)
    return due_date.replace(tzinfo=UTC) if due_date.tzinfo is None else due_date


def due_date_from(instant: datetime, kind: DueKind) -> DueDate:
    """Return the due date with this instant (UTC) and kind: the inverse of `due_instant` and `due_kind`."""
    if kind is DueKind.INSTANT:
        return instant
    return instant.date() if kind is DueKind.DATE else instant.replace(tzinfo=None)


def is_over(due_date: DueDate, now: datetime) -> bool:
    """Return whether the due date has passed at `now` (UTC). A day has passed when it has ended in UTC."""
    if due_kind(due_date) is DueKind.DATE:
        return due_date < now.date()
    return due_instant(due_date) < now
