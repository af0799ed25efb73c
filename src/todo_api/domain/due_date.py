"""Due dates come in three kinds, and none is ever turned into another.

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

# Where tasks without a due date stand in lists: before or after all others, so that none may be due there.
BEGINNING_OF_TIME = datetime.min.replace(tzinfo=UTC)
END_OF_TIME = datetime.max.replace(tzinfo=UTC)
FIRST_DUE_INSTANT = datetime(2, 1, 1, tzinfo=UTC)


class DueKind(StrEnum):
    """Which of the three kinds a due date is."""

    DATE = "date"
    FLOATING = "floating"
    INSTANT = "instant"


def parse_due_date(text: str) -> DueDate:
    """Read `2026-12-31`, `2026-12-31T17:00[:00[.123456]]`, or the latter with `Z` or an offset such as `+02:00`.

    The formats are RFC 3339's full-date and date-time, with optional seconds and offset. Digits of the fraction
    beyond the microsecond are dropped.

    Raises:
        InvalidValueError: The text is none of these, or no day or time of the years 2 to 9999 in UTC. The first year,
            which some programs write for "no date", and the last microsecond are where tasks without a due date stand.
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
        raise InvalidValueError("must be of the years 2 to 9999, the last microsecond excepted; null is no due date")
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
    """Return the kind."""
    if not isinstance(due_date, datetime):
        return DueKind.DATE
    return DueKind.FLOATING if due_date.tzinfo is None else DueKind.INSTANT


def due_instant(due_date: DueDate) -> datetime:
    """Return where the due date stands among others: a day at its start, a floating time as if it were UTC."""
    if not isinstance(due_date, datetime):
        return datetime.combine(due_date, time(), UTC)
    return due_date.replace(tzinfo=UTC) if due_date.tzinfo is None else due_date


def due_date_from(instant: datetime, kind: DueKind) -> DueDate:
    """Return the due date of this kind that stands at this instant of UTC: the inverse of the two above."""
    if kind is DueKind.INSTANT:
        return instant
    return instant.date() if kind is DueKind.DATE else instant.replace(tzinfo=None)


def is_over(due_date: DueDate, now: datetime) -> bool:
    """Say whether the due date lies before this instant of UTC; a day does when all of it has passed, in UTC."""
    if due_kind(due_date) is DueKind.DATE:
        return due_date < now.date()
    return due_instant(due_date) < now
