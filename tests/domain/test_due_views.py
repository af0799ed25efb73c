from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from todo_api.domain.due_date import BEGINNING_OF_TIME, END_OF_TIME, DueDate, due_instant, parse_due_date
from todo_api.domain.due_views import DueRange, DueView, Span, due_before, due_from, due_range

# With clocks that skip midnight or a day, are set back over midnight or by half an hour, and the farthest offsets.
ZONES = [
    "UTC", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "America/St_Johns", "America/Toronto",
    "Africa/Cairo", "Africa/Casablanca", "Asia/Beirut", "Asia/Kathmandu", "Asia/Tehran", "Australia/Lord_Howe",
    "Pacific/Apia", "Pacific/Kiritimati", "Pacific/Kwajalein", "Pacific/Pago_Pago", "Pacific/Chatham",
]  # fmt: skip

zones = st.sampled_from(ZONES).map(ZoneInfo)
FIRST, LAST = datetime(2, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999_998)  # noqa: DTZ001
moments = st.one_of(
    st.datetimes(FIRST, LAST),
    st.datetimes(datetime(1880, 1, 1), datetime(2040, 1, 1)),  # noqa: DTZ001
    st.sampled_from([FIRST, LAST]),
)
instants = moments.map(lambda moment: moment.replace(tzinfo=UTC))
days = st.one_of(st.dates(date(2, 1, 1)), moments.map(datetime.date))
due_dates = st.one_of(days, moments, instants)


def at(text: str) -> datetime:
    moment = parse_due_date(text)
    assert isinstance(moment, datetime)
    return moment


def views_of(due: str, zone: str, now: str) -> set[str]:
    ranges = {view: due_range(view, ZoneInfo(zone), at(now)) for view in DueView}
    return {view.value for view, due_dates in ranges.items() if due_dates and parse_due_date(due) in due_dates} - {
        "any"
    }


@pytest.mark.parametrize(
    ("zone", "now", "today"),
    [
        ("UTC", "2026-03-10T23:59:00Z", "2026-03-10"),
        ("UTC", "2026-03-11T00:00:00Z", "2026-03-11"),
        ("Pacific/Kiritimati", "2026-03-10T09:59:00Z", "2026-03-10"),  # UTC+14
        ("Pacific/Kiritimati", "2026-03-10T10:01:00Z", "2026-03-11"),
        ("Pacific/Pago_Pago", "2026-03-11T10:59:00Z", "2026-03-10"),  # UTC-11
        ("Pacific/Pago_Pago", "2026-03-11T11:01:00Z", "2026-03-11"),
        ("Europe/Berlin", "2026-03-28T22:59:00Z", "2026-03-28"),  # clocks go forward on the 29th
        ("Europe/Berlin", "2026-03-28T23:01:00Z", "2026-03-29"),
        ("Europe/Berlin", "2026-03-29T21:59:00Z", "2026-03-29"),
        ("Europe/Berlin", "2026-03-29T22:01:00Z", "2026-03-30"),
        ("Europe/Berlin", "2026-10-24T21:59:00Z", "2026-10-24"),  # clocks go back on the 25th
        ("Europe/Berlin", "2026-10-24T22:01:00Z", "2026-10-25"),
        ("Europe/Berlin", "2026-10-25T22:59:00Z", "2026-10-25"),
        ("Europe/Berlin", "2026-10-25T23:01:00Z", "2026-10-26"),
        ("America/Sao_Paulo", "2017-10-15T02:59:00Z", "2017-10-14"),  # no midnight on the 15th
        ("America/Sao_Paulo", "2017-10-15T03:00:00Z", "2017-10-15"),
        ("America/Sao_Paulo", "2017-10-16T01:59:00Z", "2017-10-15"),
        ("America/Sao_Paulo", "2017-10-16T02:01:00Z", "2017-10-16"),
        ("America/Sao_Paulo", "2018-02-18T02:59:00Z", "2018-02-17"),  # 23:59 for the second time
        ("America/Sao_Paulo", "2018-02-18T03:01:00Z", "2018-02-18"),
        ("Africa/Cairo", "2024-04-25T21:59:00Z", "2024-04-25"),  # no midnight on the 26th
        ("Africa/Cairo", "2024-04-25T22:01:00Z", "2024-04-26"),
        ("Africa/Cairo", "2024-10-31T21:59:00Z", "2024-10-31"),  # 23:59 for the second time
        ("Africa/Cairo", "2024-10-31T22:01:00Z", "2024-11-01"),
        ("Asia/Beirut", "2024-03-30T21:59:00Z", "2024-03-30"),  # no midnight on the 31st
        ("Asia/Beirut", "2024-03-30T22:01:00Z", "2024-03-31"),
        ("America/Toronto", "1919-03-31T04:29:00Z", "1919-03-30"),  # from 23:30 to 00:30
        ("America/Toronto", "1919-03-31T04:30:00Z", "1919-03-31"),
        ("America/St_Johns", "2010-11-07T02:29:00Z", "2010-11-06"),
        ("America/St_Johns", "2010-11-07T02:30:30Z", "2010-11-07"),
        ("America/St_Johns", "2010-11-07T02:45:00Z", "2010-11-07"),  # set back to 23:01 at 00:01; the day has begun
        ("America/St_Johns", "2010-11-07T03:31:00Z", "2010-11-07"),
        ("Pacific/Apia", "2011-12-30T09:59:00Z", "2011-12-29"),  # the 30th does not exist
        ("Pacific/Apia", "2011-12-30T10:00:00Z", "2011-12-31"),
    ],
)
def test_views_divide_all_due_dates_at_the_midnights_of_the_zone(zone: str, now: str, today: str) -> None:
    day = date.fromisoformat(today)
    yesterday, tomorrow = str(day - timedelta(1)), str(day + timedelta(1))

    assert views_of(today, zone, now) == {"today"}
    assert views_of(yesterday, zone, now) == {"overdue"}
    assert views_of(tomorrow, zone, now) == {"upcoming"}
    assert views_of(f"{yesterday}T23:59:59.999999", zone, now) == {"overdue"}
    assert "today" in views_of(f"{today}T00:00", zone, now)
    assert "today" in views_of(f"{today}T23:59:59.999999", zone, now)
    assert views_of(f"{tomorrow}T00:00", zone, now) == {"upcoming"}
    assert views_of(now, zone, now) == {"today"}


@pytest.mark.parametrize(
    ("zone", "now", "start", "end"),
    [
        ("Pacific/Kiritimati", "2026-03-10T12:00:00Z", "2026-03-10T10:00:00Z", "2026-03-11T10:00:00Z"),
        ("Pacific/Pago_Pago", "2026-03-10T12:00:00Z", "2026-03-10T11:00:00Z", "2026-03-11T11:00:00Z"),
        ("Europe/Berlin", "2026-03-29T12:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"),
        ("Europe/Berlin", "2026-10-25T12:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"),
        ("America/Sao_Paulo", "2017-10-15T12:00:00Z", "2017-10-15T03:00:00Z", "2017-10-16T02:00:00Z"),
        ("America/Sao_Paulo", "2018-02-17T12:00:00Z", "2018-02-17T02:00:00Z", "2018-02-18T03:00:00Z"),
        ("America/Toronto", "1919-03-31T12:00:00Z", "1919-03-31T04:30:00Z", "1919-04-01T04:00:00Z"),
        ("America/St_Johns", "2010-11-07T12:00:00Z", "2010-11-07T02:30:00Z", "2010-11-08T03:30:00Z"),
        ("Pacific/Apia", "2011-12-29T12:00:00Z", "2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z"),
        ("Pacific/Apia", "2011-12-31T09:00:00Z", "2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z"),
    ],
)
def test_today_is_the_whole_day_of_the_zone(zone: str, now: str, start: str, end: str) -> None:
    today = due_range(DueView.TODAY, ZoneInfo(zone), at(now))
    assert today is not None
    assert today.instant == Span(at(start), at(end))


@pytest.mark.parametrize(
    ("due", "now", "overdue"),
    [
        ("2026-07-01", "2026-07-01T21:59:59Z", False),
        ("2026-07-01", "2026-07-01T22:00:00Z", True),
        ("2026-07-01T09:00", "2026-07-01T07:00:00Z", False),
        ("2026-07-01T09:00", "2026-07-01T07:00:00.000001Z", True),
        ("2026-07-01T09:00:00Z", "2026-07-01T09:00:00Z", False),
        ("2026-07-01T09:00:00Z", "2026-07-01T09:00:00.000001Z", True),
        ("2026-03-29T02:30", "2026-03-29T00:59:59.999999Z", False),  # skipped: the clock passes it at 02:00
        ("2026-03-29T02:30", "2026-03-29T01:00:00Z", True),
        ("2026-03-29T03:00", "2026-03-29T01:00:00Z", False),
        ("2026-10-25T02:30", "2026-10-25T00:30:00Z", False),
        ("2026-10-25T02:30", "2026-10-25T00:31:00Z", True),
        ("2026-10-25T02:30", "2026-10-25T01:00:00Z", True),  # 02:00 again; it was passed before
        ("2026-10-25T02:59:59", "2026-10-25T01:00:00Z", True),
        ("2026-10-25T02:30", "2026-10-25T01:30:00Z", True),
        ("2026-10-25T03:00", "2026-10-25T01:59:59Z", False),
        ("2026-10-25T03:00", "2026-10-25T02:00:00Z", False),
    ],
)
def test_each_kind_is_overdue_when_it_has_passed_in_berlin(due: str, now: str, overdue: bool) -> None:  # noqa: FBT001
    assert ("overdue" in views_of(due, "Europe/Berlin", now)) == overdue


def test_what_has_passed_of_today_is_in_both_views() -> None:
    assert views_of("2026-07-01T09:00", "Europe/Berlin", "2026-07-01T08:00:00Z") == {"overdue", "today"}
    assert views_of("2026-07-01T07:00:00Z", "Europe/Berlin", "2026-07-01T08:00:00Z") == {"overdue", "today"}


@given(zones, instants, due_dates)
@example(ZoneInfo("Pacific/Apia"), at("2011-12-29T12:00:00Z"), date(2011, 12, 30))
@example(ZoneInfo("Pacific/Apia"), at("2011-12-31T12:00:00Z"), date(2011, 12, 30))
def test_each_due_date_is_before_today_or_today_or_upcoming(zone: ZoneInfo, now: datetime, due: DueDate) -> None:
    today, upcoming = due_range(DueView.TODAY, zone, now), due_range(DueView.UPCOMING, zone, now)
    everything, overdue = due_range(DueView.ANY, zone, now), due_range(DueView.OVERDUE, zone, now)
    assert today
    assert upcoming
    assert everything
    assert overdue
    before_today = DueRange(
        date=Span(end=today.date.start), floating=Span(end=today.floating.start), instant=Span(end=today.instant.start)
    )

    assert (due in before_today) + (due in today) + (due in upcoming) == 1
    assert due not in before_today or due in overdue
    assert due not in upcoming or due not in overdue
    assert due in everything
    assert now in today


@given(zones, instants)
def test_no_due_date_is_its_own_view(zone: ZoneInfo, now: datetime) -> None:
    assert due_range(DueView.NONE, zone, now) is None


@given(zones, due_dates, due_dates)
@example(ZoneInfo("Pacific/Kiritimati"), date(2, 1, 1), date(2, 1, 1))
@example(ZoneInfo("Pacific/Pago_Pago"), LAST, LAST.replace(tzinfo=UTC))
def test_each_due_date_is_from_a_bound_or_before_it(zone: ZoneInfo, bound: DueDate, due: DueDate) -> None:
    assert (due in due_from(bound, zone)) != (due in due_before(bound, zone))
    assert bound in due_from(bound, zone)


@given(zones, due_dates, due_dates, due_dates)
def test_the_range_between_two_bounds_is_what_both_have(
    zone: ZoneInfo, start: DueDate, end: DueDate, due: DueDate
) -> None:
    one, other = due_from(start, zone), due_before(end, zone)
    assert (due in (one & other)) == (due in one and due in other) == (due in (other & one))


def plain_instant(due: DueDate, zone: ZoneInfo) -> datetime:
    """The instant of a due date in the zone, as Python has it."""
    if not isinstance(due, datetime) or due.tzinfo is None:
        return due_instant(due).replace(tzinfo=zone).astimezone(UTC)
    return due


recent = st.datetimes(datetime(1990, 1, 1), datetime(2040, 1, 1))  # noqa: DTZ001
recent_due_dates = st.one_of(recent.map(datetime.date), recent, recent.map(lambda moment: moment.replace(tzinfo=UTC)))
near = st.timedeltas(timedelta(days=-3), timedelta(days=3))


@given(zones, recent, near, st.sampled_from(["date", "floating", "instant"]), recent_due_dates)
def test_bounds_of_all_kinds_compare_in_the_zone(
    zone: ZoneInfo, moment: datetime, distance: timedelta, kind: str, bound: DueDate
) -> None:
    """Times that clocks skip are compared by wall clocks, and left out here."""
    other = plain_instant(bound, zone) + distance
    local = other.astimezone(zone).replace(tzinfo=None, fold=0)
    due: DueDate = {"date": local.date(), "floating": local, "instant": other}[kind]
    for each in (bound, due):
        if isinstance(each, datetime):
            assume(each.tzinfo or plain_instant(each, zone).astimezone(zone).replace(tzinfo=None, fold=0) == each)
        else:
            assume(plain_instant(each, zone).astimezone(zone).date() == each)

    assert (due in due_from(bound, zone)) == (plain_instant(due, zone) >= plain_instant(bound, zone))


@pytest.mark.parametrize(
    ("bound", "inside", "outside"),
    [
        (
            "2026-07-01",
            ["2026-07-01", "2026-07-01T00:00", "2026-06-30T22:00:00Z"],
            ["2026-06-30", "2026-06-30T21:59:59Z"],
        ),
        ("2026-07-01T00:00", ["2026-07-01", "2026-06-30T22:00:00Z"], ["2026-06-30T23:59", "2026-06-30T21:59:59Z"]),
        ("2026-07-01T09:00", ["2026-07-02", "2026-07-01T07:00:00Z"], ["2026-07-01", "2026-07-01T06:59:59Z"]),
        ("2026-06-30T22:00:00Z", ["2026-07-01", "2026-07-01T00:00"], ["2026-06-30", "2026-06-30T23:59"]),
        ("2026-06-30T22:00:01Z", ["2026-07-02", "2026-07-01T00:00:01"], ["2026-07-01", "2026-07-01T00:00"]),
        (
            "2026-03-29T02:30",
            ["2026-03-29T01:30:00Z", "2026-03-29T02:30"],
            ["2026-03-29T01:29:59Z", "2026-03-29T02:29"],
        ),
        (
            "2026-10-25T02:30",
            ["2026-10-25T00:30:00Z", "2026-10-25T02:30"],
            ["2026-10-25T00:29:59Z", "2026-10-25T02:29"],
        ),
        ("2026-10-25T01:30:00.5Z", ["2026-10-25T03:00", "2026-10-26"], ["2026-10-25T02:59:59", "2026-10-25"]),
    ],
)
def test_a_bound_of_one_kind_holds_for_the_others_in_berlin(bound: str, inside: list[str], outside: list[str]) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    for text in inside:
        assert parse_due_date(text) in due_from(parse_due_date(bound), berlin)
    for text in outside:
        assert parse_due_date(text) in due_before(parse_due_date(bound), berlin)


def test_a_day_without_midnight_begins_at_its_first_instant() -> None:
    bound = due_from(date(2017, 10, 15), ZoneInfo("America/Sao_Paulo"))
    assert bound == due_from(at("2017-10-15T00:00"), ZoneInfo("America/Sao_Paulo"))
    assert bound.instant == Span(start=at("2017-10-15T03:00:00Z"))
    assert due_from(at("2017-10-15T03:00:00Z"), ZoneInfo("America/Sao_Paulo")).date == bound.date


def test_a_day_that_does_not_exist_begins_where_the_next_one_does() -> None:
    apia = ZoneInfo("Pacific/Apia")
    assert due_from(date(2011, 12, 30), apia).instant == due_from(date(2011, 12, 31), apia).instant
    assert date(2011, 12, 30) in due_from(at("2011-12-30T10:00:00Z"), apia)
    assert date(2011, 12, 30) in due_before(at("2011-12-30T10:00:01Z"), apia)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
@pytest.mark.parametrize(
    "moment", [BEGINNING_OF_TIME, FIRST.replace(tzinfo=UTC), LAST.replace(tzinfo=UTC), END_OF_TIME]
)
def test_the_ends_of_time_are_in_every_zone(zone: str, moment: datetime) -> None:
    for view in DueView:
        due_range(view, ZoneInfo(zone), moment)
    for bound in (moment, moment.replace(tzinfo=None), moment.date()):
        due_from(bound, ZoneInfo(zone))


def test_nothing_is_after_the_last_day() -> None:
    now = at("9999-12-31T20:00:00Z")
    assert views_of("9999-12-31", "UTC", now.isoformat()) == {"today"}
    assert views_of("9999-12-31T23:59:59.999998", "UTC", now.isoformat()) == {"today"}
    assert views_of("9999-12-31T23:59:59.999998Z", "UTC", now.isoformat()) == {"today"}
