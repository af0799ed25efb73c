"""The due dates of a series, as texts."""

import re
from datetime import UTC, datetime

from todo_api.domain.due_date import DueDate, parse_due_date
from todo_api.domain.recurrence import CountedFrom, Occurrence, Recurrence

LONG_AGO = datetime(1900, 1, 1, tzinfo=UTC)


def at(text: str) -> datetime:
    due_date = parse_due_date(text)
    assert isinstance(due_date, datetime)
    return due_date


def preview(
    rule: str, due: str, count: int, *, time_zone: str = "UTC", now: datetime = LONG_AGO, completion: bool = False
) -> list[str]:
    recurrence = Recurrence.parse(rule, CountedFrom.COMPLETION if completion else CountedFrom.DUE, time_zone)
    due_date = parse_due_date(due)
    return written(Occurrence.at(recurrence, due_date).upcoming(recurrence, due_date, now, count))


def written(due_dates: list[DueDate]) -> list[str]:
    texts = (due_date.isoformat().replace("+00:00", "Z") for due_date in due_dates)
    return [re.sub(r"(T..:..):00", r"\1", text) for text in texts]  # as the tests write them, without seconds


def following(
    rule: str, due: str, now: str, *, time_zone: str = "UTC", completion: bool = False, moved: str | None = None
) -> str | None:
    recurrence = Recurrence.parse(rule, CountedFrom.COMPLETION if completion else CountedFrom.DUE, time_zone)
    occurrence = Occurrence.at(recurrence, parse_due_date(due))
    found = occurrence.following(recurrence, parse_due_date(moved or due), at(now))
    return written([found[1]])[0] if found else None
