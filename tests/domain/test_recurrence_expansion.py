"""Rules against an expansion that knows nothing of the code: it looks at each day, one after the other."""

import calendar
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby, takewhile

from hypothesis import given
from hypothesis import strategies as st

from todo_api.domain.due_date import END_OF_TIME, FIRST_DUE_INSTANT, DueKind, due_date_from, due_instant, due_kind
from todo_api.domain.errors import InvalidValueError
from todo_api.domain.recurrence import CountedFrom, Occurrence, Recurrence

NAMES = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
LONGEST = {"DAILY": 1, "WEEKLY": 7, "MONTHLY": 31, "YEARLY": 366}
DAY = timedelta(days=1)
LONG_AGO = datetime(1900, 1, 1, tzinfo=UTC)


@dataclass
class Parts:
    frequency: str
    interval: int
    weekdays: list[tuple[int, int]] = field(default_factory=list)  # ordinal or 0, weekday
    month_days: list[int] = field(default_factory=list)
    months: list[int] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    week_start: int = 0

    def __str__(self) -> str:
        lists: dict[str, Iterable[object]] = {
            "BYDAY": [f"{nth or ''}{NAMES[weekday]}" for nth, weekday in self.weekdays],
            "BYMONTHDAY": self.month_days,
            "BYMONTH": self.months,
            "BYSETPOS": self.positions,
        }
        parts = [f"FREQ={self.frequency}", f"INTERVAL={self.interval}", f"WKST={NAMES[self.week_start]}"]
        return ";".join(parts + [f"{name}={','.join(map(str, values))}" for name, values in lists.items() if values])


@st.composite
def rules(draw: st.DrawFn) -> Parts:
    frequency = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    nth = {
        "MONTHLY": st.integers(-5, 5),
        "YEARLY": st.one_of(st.integers(-5, 5), st.sampled_from([-53, -52, 9, 20, 52, 53])),
    }.get(frequency, st.just(0))
    parts = Parts(frequency, draw(st.integers(1, 5)), week_start=draw(st.integers(0, 6)))
    parts.weekdays = draw(st.lists(st.tuples(nth, st.integers(0, 6)), max_size=4))
    if frequency != "WEEKLY":
        parts.month_days = draw(st.lists(st.integers(1, 31).flatmap(lambda day: st.sampled_from([day, -day]))))[:9]
    if all(abs(ordinal) <= 5 for ordinal, _ in parts.weekdays):
        parts.months = draw(st.lists(st.integers(1, 12), max_size=5))
    if parts.weekdays or parts.month_days or parts.months:
        longest = LONGEST[frequency]
        position = st.one_of(st.integers(1, min(longest, 6)), st.integers(1, longest))
        parts.positions = draw(st.lists(position.flatmap(lambda it: st.sampled_from([it, -it])), max_size=3))
    return parts


def length(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def is_named(parts: Parts, anchor: date, day: date) -> bool:
    month_days = {day.day, day.day - length(day) - 1}
    if (parts.months and day.month not in parts.months) or (parts.month_days and not month_days & {*parts.month_days}):
        return False
    if parts.weekdays:
        return any(is_weekday(parts, nth, weekday, day) for nth, weekday in parts.weekdays)
    if parts.month_days or parts.frequency == "DAILY":
        return True
    if parts.frequency == "WEEKLY":
        return day.weekday() == anchor.weekday()
    of_month = parts.frequency == "MONTHLY" or bool(parts.months) or day.month == anchor.month
    return of_month and is_clipped(anchor, day)


def is_clipped(anchor: date, day: date) -> bool:
    return day.day == anchor.day or (day.day == length(day) and day.day < anchor.day)


def is_weekday(parts: Parts, nth: int, weekday: int, day: date) -> bool:
    if day.weekday() != weekday:
        return False
    of_year = parts.frequency == "YEARLY" and not parts.months
    number = day.timetuple().tm_yday if of_year else day.day
    last = 365 + calendar.isleap(day.year) if of_year else length(day)
    return nth in {0, (number - 1) // 7 + 1, -((last - number) // 7 + 1)}


def period(parts: Parts, day: date) -> int:
    match parts.frequency:
        case "DAILY":
            return day.toordinal()
        case "WEEKLY":
            return (day.toordinal() - 1 - parts.week_start) // 7  # day 1 of the calendar was a Monday
        case "MONTHLY":
            return day.year * 12 + day.month
        case _:
            return day.year


def expansion(parts: Parts, anchor: date, end: date) -> Iterator[date]:
    """Yield the days after the anchor and before the end, whose period is looked at as a whole."""
    all_days = (date.fromordinal(number) for number in range(anchor.toordinal() - 400, end.toordinal() + 400))
    for number, days in groupby(all_days, key=lambda day: period(parts, day)):
        named = [day for day in days if is_named(parts, anchor, day)]
        if (number - period(parts, anchor)) % parts.interval:
            continue
        for place, day in enumerate(named):
            is_chosen = not parts.positions or {place + 1, place - len(named)} & {*parts.positions}
            if is_chosen and anchor < day < end:
                yield day


anchors = st.one_of(
    st.dates(date(1995, 1, 1), date(2005, 12, 31)),
    st.sampled_from([date(2000, 2, 29), date(2004, 2, 29), date(1999, 12, 31), date(2001, 1, 31), date(1998, 4, 30)]),
)


@given(rules(), anchors)
def test_a_rule_has_the_days_of_its_expansion(parts: Parts, anchor: date) -> None:
    end = anchor + 3000 * DAY
    recurrence = Recurrence.parse(str(parts))
    occurrence = Occurrence.at(recurrence, anchor)

    found = occurrence.upcoming(recurrence, anchor, LONG_AGO, 100)

    assert list(takewhile(lambda day: day < end, found)) == list(expansion(parts, anchor, end))[:100]


@given(rules(), anchors, st.integers(0, 2500), st.integers(0, 2500))
def test_the_next_date_is_the_first_after_the_moved_date_from_today(
    parts: Parts, anchor: date, moved: int, today: int
) -> None:
    due, now = anchor + moved * DAY, datetime.combine(anchor + today * DAY, time(12), UTC)
    recurrence = Recurrence.parse(str(parts))

    following = Occurrence.at(recurrence, anchor).following(recurrence, due, now)

    expected = [day for day in expansion(parts, anchor, anchor + 3000 * DAY) if day > due and day >= now.date()]
    if expected:
        assert following is not None
        assert following[1] == following[0].slot == expected[0]
        assert following[0].anchor == anchor
    else:
        assert following is None or following[1] >= anchor + 3000 * DAY


@given(rules(), anchors, st.integers(-400, 2500))
def test_counted_from_completion_the_pattern_begins_again_on_this_day(parts: Parts, anchor: date, day: int) -> None:
    completed = anchor + day * DAY
    recurrence = Recurrence.parse(str(parts), CountedFrom.COMPLETION)

    following = Occurrence.at(recurrence, anchor).following(
        recurrence, anchor, datetime.combine(completed, time(12), UTC)
    )

    expected = list(expansion(parts, completed, completed + 3000 * DAY))
    if expected:
        assert following is not None
        assert following[1] == following[0].slot == expected[0]
        assert following[0].anchor == completed
    else:
        assert following is None or following[1] >= completed + 3000 * DAY


instants = st.datetimes(FIRST_DUE_INSTANT.replace(tzinfo=None), timezones=st.just(UTC))
last_instants = st.datetimes(END_OF_TIME.replace(year=9998, tzinfo=None), timezones=st.just(UTC))
zones = st.sampled_from(["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Pacific/Apia", "Europe/Berlin"])


@given(
    parts=rules(),
    instant=st.one_of(instants, last_instants),
    kind=st.sampled_from(DueKind),
    now=st.datetimes(timezones=st.just(UTC)),
    time_zone=zones,
    counted_from=st.sampled_from(CountedFrom),
)
def test_at_any_time_dates_are_of_the_kind_and_grow_until_they_end(
    *, parts: Parts, instant: datetime, kind: DueKind, now: datetime, time_zone: str, counted_from: CountedFrom
) -> None:
    due = due_date_from(instant, kind)
    recurrence = Recurrence.parse(str(parts), counted_from, time_zone)
    try:
        occurrence = Occurrence.first(recurrence, due)
    except InvalidValueError:
        occurrence = Occurrence.at(recurrence, due)

    preview = occurrence.upcoming(recurrence, due, now, 10)

    following = occurrence.following(recurrence, due, now)
    assert preview[:1] == ([following[1]] if following else [])
    assert all(due_kind(later) is kind and due_instant(later) < END_OF_TIME for later in preview)
    assert preview == sorted(set(preview))
    if kind is DueKind.INSTANT:
        assert all(due_instant(later) > now for later in preview)
