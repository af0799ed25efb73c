"""The days of a rule: python-dateutil finds those of a year, and this module counts periods and bounds the search.

Left alone, dateutil looks until the year 9999 for a day that never comes, which takes seconds. Which days of a year a
rule names depends only on the year's length and first weekday, so that dateutil is asked for at most 14 years.
"""

import calendar
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import MAXYEAR, date, datetime

from dateutil.rrule import YEARLY, rrule, weekday

from todo_api.domain.recurrence.rule import Frequency, Rule

HORIZON_YEARS = 50
# The calendar repeats after 400 years. A hundred dates that take longer are not worth their cost.
LONGEST_YEARS = 400

_ALL_MONTHS = tuple(range(1, 13))
_ALL_MONTH_DAYS = tuple(range(1, 32))
_LAST_DAY = date.max.toordinal()


class Pattern:
    """The days of a rule that begins on the anchor. Within the class, days are numbered as in `date.toordinal`."""

    def __init__(self, rule: Rule, anchor: date) -> None:
        self._rule = rule
        self._anchor = anchor
        self._days_of_years: dict[tuple[bool, int], Sequence[int]] = {}

    def days_after(self, after: date) -> Iterator[date]:
        """Yield the days of the pattern after this day, which must not be before the anchor.

        They end where none follows within 50 years, and after 400 years.
        """
        start = after.toordinal() + 1
        limit, end = (_years_after(after, years) for years in (HORIZON_YEARS, LONGEST_YEARS))
        while (day := self._named_day(start, limit)) is not None:
            period = self._period(day)
            if off := -period % self._rule.interval:
                start = self._start(period + off)
                continue
            next_start = self._start(period + 1)
            for found in self._positioned(self._start(period), next_start):
                if start <= found <= limit:
                    yield date.fromordinal(found)
                    limit = min(_years_after(date.fromordinal(found), HORIZON_YEARS), end)
            start = next_start

    def _positioned(self, start: int, end: int) -> list[int]:
        """Return the days from `start` to before `end`, a period, that BYSETPOS leaves of it."""
        days = self._named_days(start, end)
        if not self._rule.positions:
            return days
        indexes = {position - 1 if position > 0 else len(days) + position for position in self._rule.positions}
        return [days[index] for index in sorted(indexes) if 0 <= index < len(days)]

    def _named_days(self, start: int, end: int) -> list[int]:
        """Return the days from `start` to before `end` that the rule names, whatever INTERVAL and BYSETPOS say."""
        first, last = (date.fromordinal(max(1, min(day, _LAST_DAY))).year for day in (start, end - 1))
        named: list[int] = []
        for year in range(first, last + 1):
            new_year, days = date(year, 1, 1).toordinal(), self._days_of(year)
            part = days[bisect_left(days, start - new_year) : bisect_left(days, end - new_year)]
            named += [new_year + day for day in part]
        return named

    def _named_day(self, start: int, end: int) -> int | None:
        """Return the first day from `start` to `end` that the rule names."""
        while start <= min(end, _LAST_DAY):
            year = date.fromordinal(start).year
            new_year = date(year, 1, 1).toordinal()
            days = self._days_of(year)
            index = bisect_left(days, start - new_year)
            if index < len(days):
                day = new_year + days[index]
                return day if day <= end else None
            start = new_year + 365 + calendar.isleap(year)
        return None

    def _period(self, day: int) -> int:
        """Return the number of the period in which the day is, counted from the anchor's, 0."""
        match self._rule.frequency:
            case Frequency.DAILY:
                return day - self._anchor.toordinal()
            case Frequency.WEEKLY:
                return (day - self._first_week) // 7
            case Frequency.MONTHLY:
                return _month_number(date.fromordinal(day)) - _month_number(self._anchor)
            case Frequency.YEARLY:
                return date.fromordinal(day).year - self._anchor.year

    def _start(self, period: int) -> int:
        """Return the first day of the period."""
        match self._rule.frequency:
            case Frequency.DAILY:
                return self._anchor.toordinal() + period
            case Frequency.WEEKLY:
                return self._first_week + period * 7
            case Frequency.MONTHLY:
                year, month = divmod(_month_number(self._anchor) + period, 12)
                return date(year, month + 1, 1).toordinal() if year <= MAXYEAR else _LAST_DAY + 1
            case Frequency.YEARLY:
                year = self._anchor.year + period
                return date(year, 1, 1).toordinal() if year <= MAXYEAR else _LAST_DAY + 1

    @property
    def _first_week(self) -> int:
        return self._anchor.toordinal() - (self._anchor.weekday() - self._rule.week_start) % 7

    def _days_of(self, year: int) -> Sequence[int]:
        """Return the days that the rule names in the year, counted from 1 January, 0."""
        kind = calendar.isleap(year), calendar.weekday(year, 1, 1)
        if kind not in self._days_of_years:
            self._days_of_years[kind] = self._find_days_of(year)
        return self._days_of_years[kind]

    def _find_days_of(self, year: int) -> Sequence[int]:
        rule = self._rule
        if rule.has_days or rule.frequency is Frequency.WEEKLY:
            return self._ask_for_days_of(year)
        if rule.frequency is not Frequency.DAILY:
            return self._clipped_days_of(year)
        if rule.months:
            return self._ask_for_days_of(year)
        return range(365 + calendar.isleap(year))

    def _clipped_days_of(self, year: int) -> Sequence[int]:
        """Return the anchor's day in each month, or the last day of shorter ones: RFC 5545 would skip these months."""
        months = self._rule.months or (
            _ALL_MONTHS if self._rule.frequency is Frequency.MONTHLY else (self._anchor.month,)
        )
        return [
            _day_of_year(date(year, month, min(self._anchor.day, calendar.monthrange(year, month)[1])))
            for month in months
        ]

    def _ask_for_days_of(self, year: int) -> Sequence[int]:
        rule = self._rule
        weekdays = rule.weekdays
        if rule.frequency is Frequency.WEEKLY and not rule.has_days:
            weekdays = (self._anchor.weekday(),)
        # Dateutil wants a day to satisfy both where weekdays with and without numbers are mixed: one of them is right.
        choices: list[list[weekday] | None] = [
            choice
            for choice in (
                [weekday(number) for number in weekdays],
                [weekday(number, nth) for number, nth in rule.nth_weekdays],
            )
            if choice
        ]
        days = {
            _day_of_year(found)
            for choice in choices or [None]
            for found in rrule(
                YEARLY,
                dtstart=datetime(year, 1, 1),  # noqa: DTZ001 - a day, in no zone
                interval=MAXYEAR,  # so that it stops after this year
                bymonth=rule.months or (_ALL_MONTHS if rule.frequency is Frequency.MONTHLY else None),
                bymonthday=rule.month_days or (None if choice else _ALL_MONTH_DAYS),
                byweekday=choice,
            )
        }
        return sorted(days)


def _day_of_year(day: date) -> int:
    return day.timetuple().tm_yday - 1


def _month_number(day: date) -> int:
    return day.year * 12 + day.month - 1


def _years_after(day: date, years: int) -> int:
    if day.year + years > MAXYEAR:
        return _LAST_DAY
    try:
        return day.replace(year=day.year + years).toordinal()
    except ValueError:  # 29 February
        return day.replace(year=day.year + years, day=28).toordinal()
