"""Which due dates a view shows: conditions on each kind, computed for a time zone.

A day begins at its first instant in the zone, also where clocks skip midnight, and it begins once, also where they are
set back over midnight. A wall clock has passed a time for good, also when it is set back.
"""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from todo_api.domain.due_date import BEGINNING_OF_TIME, END_OF_TIME, DueDate, DueKind, due_instant, due_kind


@dataclass(frozen=True, slots=True)
class Span:
    """A range of instants from `start` to before `end`; None is unbounded."""

    start: datetime | None = None
    end: datetime | None = None

    def __contains__(self, instant: datetime) -> bool:
        """Return whether the instant is in the range."""
        return (self.start is None or self.start <= instant) and (self.end is None or instant < self.end)

    def __and__(self, other: "Span") -> "Span":
        """Return the range that both have in common."""
        starts = [start for start in (self.start, other.start) if start is not None]
        ends = [end for end in (self.end, other.end) if end is not None]
        return Span(max(starts, default=None), min(ends, default=None))


@dataclass(frozen=True, slots=True, kw_only=True)
class DueRange:
    """A range of due dates: for each kind, the span of what `due_instant` returns."""

    date: Span
    floating: Span
    instant: Span

    def __contains__(self, due: DueDate) -> bool:
        """Return whether the due date is in the range of its kind."""
        match due_kind(due):
            case DueKind.DATE:
                span = self.date
            case DueKind.FLOATING:
                span = self.floating
            case DueKind.INSTANT:
                span = self.instant
        return due_instant(due) in span

    def __and__(self, other: "DueRange") -> "DueRange":
        """Return the range that both have in common."""
        return DueRange(
            date=self.date & other.date, floating=self.floating & other.floating, instant=self.instant & other.instant
        )


class DueView(StrEnum):
    """What a list shows by due date."""

    OVERDUE = "overdue"
    TODAY = "today"
    UPCOMING = "upcoming"
    NONE = "none"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class _Moment:
    """A moment as each kind has it: the first due date that is not before it, as `due_instant` returns it."""

    date: datetime
    floating: datetime
    instant: datetime


def due_range(view: DueView, zone: ZoneInfo, now: datetime) -> DueRange | None:
    """Return the due dates that the view shows at `now` (UTC) in the zone; None if it shows tasks without one.

    What is overdue is also pending, which callers check.
    """
    match view:
        case DueView.OVERDUE:
            return _before(_overdue_before(now, zone))
        case DueView.TODAY:
            today = _today(now, zone)
            return _from(_day(today, zone)) & _before(_day_after(today, zone))
        case DueView.UPCOMING:
            return _from(_day_after(_today(now, zone), zone))
        case DueView.NONE:
            return None
        case DueView.ANY:
            return DueRange(date=Span(), floating=Span(), instant=Span())


def due_from(bound: DueDate, zone: ZoneInfo) -> DueRange:
    """Return the due dates that are not before the bound in the zone.

    A day is its start, and a floating time the zone's wall clock.
    """
    return _from(_moment(bound, zone))


def due_before(bound: DueDate, zone: ZoneInfo) -> DueRange:
    """Return the due dates that are before the bound in the zone: all others than `due_from` returns."""
    return _before(_moment(bound, zone))


def _from(moment: _Moment) -> DueRange:
    return DueRange(
        date=Span(start=moment.date), floating=Span(start=moment.floating), instant=Span(start=moment.instant)
    )


def _before(moment: _Moment) -> DueRange:
    return DueRange(date=Span(end=moment.date), floating=Span(end=moment.floating), instant=Span(end=moment.instant))


def _moment(bound: DueDate, zone: ZoneInfo) -> _Moment:
    match due_kind(bound):
        case DueKind.DATE:
            return _day(bound, zone)
        case DueKind.FLOATING:
            floating = due_instant(bound)
            return _Moment(_midnight_from(floating), floating, _instant(floating, zone))
        case DueKind.INSTANT:
            instant = due_instant(bound)
            return _Moment(_day_from(instant, zone), _floating_from(instant, zone), instant)


def _overdue_before(now: datetime, zone: ZoneInfo) -> _Moment:
    return _Moment(due_instant(_today(now, zone)), _floating_from(now, zone), now)


def _today(now: datetime, zone: ZoneInfo) -> date:
    """Return the last day that has begun."""
    today = _wall_clock(now, zone).date()
    while today < date.max and _day_start(today + timedelta(1), zone) <= now:
        today += timedelta(1)
    return today


def _day(day: date, zone: ZoneInfo) -> _Moment:
    return _Moment(due_instant(day), due_instant(day), _day_start(day, zone))


def _day_after(day: date, zone: ZoneInfo) -> _Moment:
    if day == date.max:
        return _Moment(END_OF_TIME, END_OF_TIME, END_OF_TIME)
    return _day(day + timedelta(1), zone)


def _midnight_from(floating: datetime) -> datetime:
    """Return the first midnight that is not before the floating time."""
    midnight = floating.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight if midnight == floating else _plus(midnight, timedelta(1))


def _day_from(instant: datetime, zone: ZoneInfo) -> datetime:
    """Return the first day that does not begin before the instant, as `due_instant` returns it."""
    # A day that clocks skip begins where the next one does.
    midnight = _plus(_wall_clock(instant, zone), timedelta(-1)).replace(hour=0, minute=0, second=0, microsecond=0)
    while midnight < END_OF_TIME and _day_start(midnight.date(), zone) < instant:
        midnight = _plus(midnight, timedelta(1))
    return midnight


def _floating_from(instant: datetime, zone: ZoneInfo) -> datetime:
    """Return the first floating time that the zone's wall clock has not shown before the instant."""
    wall_clock = _wall_clock(instant, zone)
    first = _instant(wall_clock, zone)
    if first >= instant:
        return wall_clock
    # The clock shows this time once more. The last time that it showed before it was set back is the bound.
    back = instant - first
    change = _first(first, back, lambda moment: _wall_clock(moment, zone) - moment == wall_clock - instant)
    return _plus(_wall_clock(change, zone), back)


def _day_start(day: date, zone: ZoneInfo) -> datetime:
    """Return the first instant at which the zone's wall clock shows the day, or the next one where it skips the day."""
    midnight = datetime.combine(day, time(), UTC)
    instant = _instant(midnight, zone)
    skipped = _wall_clock(instant, zone) - midnight
    if skipped <= timedelta():
        return instant
    return _first(_plus(instant, -skipped), skipped, lambda moment: _wall_clock(moment, zone) >= midnight)


def _first(low: datetime, span: timedelta, is_reached: Callable[[datetime], bool]) -> datetime:
    """Return the first whole second, up to `span` after `low`, from which the predicate holds."""
    low = low.replace(microsecond=0)
    seconds = range(int(span.total_seconds()))
    passed = bisect_left(seconds, x=True, key=lambda second: is_reached(_plus(low, timedelta(seconds=second))))
    return _plus(low, timedelta(seconds=passed))


def _wall_clock(instant: datetime, zone: ZoneInfo) -> datetime:
    """Return what the zone's clocks show, as if in UTC."""
    try:
        return instant.astimezone(zone).replace(tzinfo=UTC, fold=0)
    except OverflowError:
        return _nearest_end(instant)


def _instant(wall_clock: datetime, zone: ZoneInfo) -> datetime:
    """Return the instant at which the zone's clocks show it first; a time that they skip moves forward."""
    offset = wall_clock.replace(tzinfo=zone).utcoffset() or timedelta()
    return _plus(wall_clock, -offset)


def _plus(moment: datetime, step: timedelta) -> datetime:
    try:
        return moment + step
    except OverflowError:
        return _nearest_end(moment)


def _nearest_end(moment: datetime) -> datetime:
    return BEGINNING_OF_TIME if moment.year == 1 else END_OF_TIME
