"""A task's recurrence, and where the task stands in its series.

Every date is computed from the anchor of the series, in wall-clock time of the zone: so the 31st comes back after
February, and 02:30 on the day after the one whose clocks went from 02:00 to 03:00.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import islice
from zoneinfo import ZoneInfo

from todo_api.domain.due_date import END_OF_TIME, FIRST_DUE_INSTANT, DueDate, DueKind, due_instant, due_kind
from todo_api.domain.errors import InvalidValueError
from todo_api.domain.recurrence.pattern import Pattern
from todo_api.domain.recurrence.rule import Rule, normalize_rule, parse_rule
from todo_api.domain.time_zones import zone

PREVIEW_MAX = 100


class CountedFrom(StrEnum):
    """The date from which the next one is counted."""

    DUE = "due"
    COMPLETION = "completion"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence:
    """What the user wrote: a rule in upper case, and the name of a time zone."""

    rule: str
    counted_from: CountedFrom
    time_zone: str

    @classmethod
    def parse(cls, rule: str, counted_from: CountedFrom = CountedFrom.DUE, time_zone: str = "UTC") -> "Recurrence":
        """Check the rule and the zone.

        Raises:
            InvalidValueError: One of them is not supported; the message begins with its name.
        """
        rule = normalize_rule(rule)
        try:
            zone(time_zone)
        except InvalidValueError as error:
            raise InvalidValueError(f"time_zone {error}") from error
        return cls(rule=rule, counted_from=counted_from, time_zone=time_zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """Where a task stands in its series.

    The anchor is the first date of the pattern, and the slot the one that this task stands for, even if its due date
    is moved. Both are days, or wall-clock times in the zone, and `kind` is that of the due dates made from them.
    """

    sequence: int
    kind: DueKind
    anchor: date | datetime
    slot: date | datetime

    @classmethod
    def first(cls, recurrence: Recurrence, due_date: DueDate, sequence: int = 1) -> "Occurrence":
        """Begin a pattern at the due date, as the task of this number in its series.

        Raises:
            InvalidValueError: No other date follows in the 50 years after the due date, or before COUNT or UNTIL ends
                the series.
        """
        occurrence = cls.at(recurrence, due_date, sequence)
        if next(_after(occurrence, recurrence, due_date), None) is None:
            raise InvalidValueError(
                "rule must have another date in the 50 years after the due date, before COUNT or UNTIL ends it"
            )
        return occurrence

    @classmethod
    def at(cls, recurrence: Recurrence, due_date: DueDate, sequence: int = 1) -> "Occurrence":
        """Do as `first` does, also if nothing follows: a task that was written before may be the last of its series."""
        kind = due_kind(due_date)
        anchor = _converted(due_date, DueKind.FLOATING if kind is DueKind.INSTANT else kind, zone(recurrence.time_zone))
        return cls(sequence=sequence, kind=kind, anchor=anchor, slot=anchor)

    def following(
        self, recurrence: Recurrence, due_date: DueDate, now: datetime
    ) -> tuple["Occurrence", DueDate] | None:
        """Return the next occurrence and its due date, if this one is completed or skipped at `now` (UTC).

        There is none after COUNT or UNTIL, if the next date is more than 50 years away, or after the year 9999.
        """
        return next(self._successors(recurrence, due_date, now), None)

    def upcoming(self, recurrence: Recurrence, due_date: DueDate, now: datetime, count: int) -> list[DueDate]:
        """Return up to 100 of the dates that follow if this one is completed at `now`, and the others in time."""
        successors = self._successors(recurrence, due_date, now)
        return [due for _, due in islice(successors, max(0, min(count, PREVIEW_MAX)))]

    def _successors(
        self, recurrence: Recurrence, due_date: DueDate, now: datetime
    ) -> Iterator[tuple["Occurrence", DueDate]]:
        time_zone = zone(recurrence.time_zone)
        today = _wall_clock(now, time_zone).date()
        if recurrence.counted_from is CountedFrom.COMPLETION:
            start = self.slot_on(today)
            origin = replace(self, anchor=start, slot=start)
            passed = _converted(start, self.kind, time_zone)
        else:
            origin = self
            passed = max(_converted(self.slot, self.kind, time_zone), _moved_to(due_date, self.kind, time_zone))
        until_now = _days_before(today, 1) if self.kind is DueKind.DATE else _converted(now, self.kind, time_zone)
        return _after(origin, recurrence, max(passed, until_now))

    def slot_on(self, day: date) -> date | datetime:
        """Return the day, at the pattern's time if it has one."""
        return datetime.combine(day, self.anchor.time()) if isinstance(self.anchor, datetime) else day


def _after(origin: Occurrence, recurrence: Recurrence, passed: DueDate) -> Iterator[tuple[Occurrence, DueDate]]:
    """Yield the occurrences after this one whose due dates are after `passed`, which is of the pattern's kind."""
    rule, time_zone = parse_rule(recurrence.rule), zone(recurrence.time_zone)
    sequence = origin.sequence
    # A zone that skipped a whole day moved the times of this day to the next one: hence two days.
    start = max(_day(origin.slot), _days_before(_converted(passed, DueKind.DATE, time_zone), 2))
    for day in Pattern(rule, _day(origin.anchor)).days_after(start):
        slot = origin.slot_on(day)
        due = _converted(slot, origin.kind, time_zone)
        if due <= passed:
            continue
        sequence += 1
        if _is_over(rule, sequence, due, time_zone) or not _is_storable(due):
            return
        yield replace(origin, sequence=sequence, slot=slot), due
        passed = due


def _is_over(rule: Rule, sequence: int, due: DueDate, time_zone: ZoneInfo) -> bool:
    """Return whether COUNT or UNTIL ended the series before this task. A day as UNTIL goes on until its end."""
    if rule.count is not None:
        return sequence > rule.count
    if rule.until is None:
        return False
    if due_kind(rule.until) is DueKind.DATE:
        return _converted(due, DueKind.DATE, time_zone) > rule.until
    return due > _converted(rule.until, due_kind(due), time_zone)


def _is_storable(due: DueDate) -> bool:
    return FIRST_DUE_INSTANT <= due_instant(due) < END_OF_TIME


def _moved_to(due_date: DueDate, kind: DueKind, time_zone: ZoneInfo) -> DueDate:
    """Return the due date in the pattern's kind; a day, which is due until its end, as its last moment."""
    if due_kind(due_date) is DueKind.DATE and kind is not DueKind.DATE:
        due_date = datetime.combine(due_date, time.max)
    return _converted(due_date, kind, time_zone)


def _converted(due_date: DueDate, kind: DueKind, time_zone: ZoneInfo) -> DueDate:
    """Return the due date in this kind, as the zone's clock shows it; a day as its midnight."""
    if due_kind(due_date) is kind:
        return due_date
    if not isinstance(due_date, datetime):
        due_date = datetime.combine(due_date, time())
    if kind is DueKind.INSTANT:
        return _instant(due_date, time_zone)
    wall_clock = due_date if due_date.tzinfo is None else _wall_clock(due_date, time_zone)
    return wall_clock.date() if kind is DueKind.DATE else wall_clock


def _instant(wall_clock: datetime, time_zone: ZoneInfo) -> datetime:
    """Return the instant (UTC) at which the zone's clock shows this time, for the first time.

    If the clock skips the time, it is as long after the change as the time is after what the clock showed before: the
    offset before the change counts (RFC 5545, section 3.3.5). Instants outside the years 1 to 9999 are cut.
    """
    try:
        return wall_clock.replace(tzinfo=time_zone, fold=0).astimezone(UTC)
    except OverflowError:
        return END_OF_TIME if wall_clock.year > 1 else datetime.min.replace(tzinfo=UTC)


def _wall_clock(instant: datetime, time_zone: ZoneInfo) -> datetime:
    """Return what the zone's clock shows at the instant, within the years 1 to 9999."""
    try:
        return instant.astimezone(time_zone).replace(tzinfo=None, fold=0)
    except OverflowError:
        return datetime.max if instant.year > 1 else datetime.min  # noqa: DTZ901 - wall-clock times have no zone


def _day(slot: date | datetime) -> date:
    return slot.date() if isinstance(slot, datetime) else slot


def _days_before(day: date, days: int) -> date:
    return day - timedelta(days=days) if day.toordinal() > days else date.min
