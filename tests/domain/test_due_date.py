from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from todo_api.domain.due_date import DueDate, DueKind, due_date_from, due_instant, due_kind, parse_due_date
from todo_api.domain.errors import InvalidValueError

offsets = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes)))
due_dates = st.one_of(st.dates(), st.datetimes(), st.datetimes(timezones=st.just(UTC)))


def floating(*values: int) -> datetime:
    return datetime(*values)  # type: ignore[arg-type] # noqa: DTZ001 - a floating time has no zone


def instant(*values: int) -> datetime:
    return floating(*values).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-12-31", date(2026, 12, 31)),
        ("0002-01-01", date(2, 1, 1)),
        ("9999-12-31", date(9999, 12, 31)),
        ("2028-02-29", date(2028, 2, 29)),
        ("2026-12-31T17:00", floating(2026, 12, 31, 17)),
        ("2026-12-31t17:00:30", floating(2026, 12, 31, 17, 0, 30)),
        ("2026-12-31T17:00:00.5", floating(2026, 12, 31, 17, 0, 0, 500_000)),
        ("2026-12-31T17:00:00.123456", floating(2026, 12, 31, 17, 0, 0, 123_456)),
        ("2026-12-31T17:00:00.999999999", floating(2026, 12, 31, 17, 0, 0, 999_999)),
        ("2026-12-31T17:00:00Z", instant(2026, 12, 31, 17)),
        ("2026-12-31t17:00z", instant(2026, 12, 31, 17)),
        ("2026-12-31T17:00+02:00", instant(2026, 12, 31, 15)),
        ("2026-12-31T17:00:00.25-05:30", instant(2026, 12, 31, 22, 30, 0, 250_000)),
        ("2026-12-31T23:30:00-23:59", instant(2027, 1, 1, 23, 29)),
        ("2026-12-31T17:00:00-00:00", instant(2026, 12, 31, 17)),
        ("0002-01-01T00:00:00Z", instant(2, 1, 1)),
        ("0002-01-01T02:00:00+02:00", instant(2, 1, 1)),
        ("9999-12-31T23:59:59.999998Z", instant(9999, 12, 31, 23, 59, 59, 999_998)),
        ("9999-12-31T23:59:59.9999989", floating(9999, 12, 31, 23, 59, 59, 999_998)),
        ("2026-12-31T17:00:00." + "1" * 44, floating(2026, 12, 31, 17, 0, 0, 111_111)),  # 64 characters
    ],
)
def test_a_due_date_is_parsed_as_its_kind(text: str, expected: DueDate) -> None:
    parsed = parse_due_date(text)

    assert parsed == expected
    assert due_kind(parsed) is due_kind(expected)
    assert not isinstance(parsed, datetime) or parsed.tzinfo in {None, UTC}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tomorrow",
        " 2026-12-31",
        "2026-12-31 ",
        "2026-12-31\n",
        "2026-12-31T",
        "2026-12-31 17:00:00",
        "2026-12-31T17",
        "2026-12-31T17Z",
        "2026-12-31T1700",
        "2026-12-31T17:00.5",
        "2026-12-31T17:00:00.",
        "2026-12-31T17:00:00,5",
        "2026-12-31T17:00:00+02",
        "2026-12-31T17:00:00+0200",
        "2026-12-31T17:00:00+02:00:30",
        "2026-12-31T17:00:00+02:60",
        "2026-12-31T17:00:00 Z",
        "2026-12-31Z",
        "2026-12-31+02:00",
        "20261231",
        "2026-365",
        "2026-W53-4",
        "2026-1-1",
        "12026-12-31",
        "+2026-12-31",
        "-2026-12-31",
        "1798736400",
        "２０２６-12-31",
        "٢٠٢٦-12-31",
        "2026-12-31T17:00:0０",
        "2026-12-31T17:00:00.１",
        "2026−12−31",
        "2026-12-31T17:00:00." + "1" * 45,
        "2026-12-31" * 1_000_000,
        "\0",
        "\ud800",
    ],
    ids=lambda text: ascii(text[:40]),
)
def test_other_formats_are_refused(text: str) -> None:
    with pytest.raises(InvalidValueError, match="must be a date"):
        parse_due_date(text)


@pytest.mark.parametrize(
    "text",
    [
        "0000-01-01",
        "2026-00-01",
        "2026-13-01",
        "2026-04-31",
        "2026-02-29",
        "2028-02-30",
        "1900-02-29",
        "2026-12-31T24:00",
        "2026-12-31T24:00:00Z",
        "2026-12-31T17:60",
        "2016-12-31T23:59:60Z",
        "2026-12-31T17:00:00+24:00",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
    ],
)
def test_days_and_times_that_do_not_exist_are_refused(text: str) -> None:
    with pytest.raises(InvalidValueError, match="must be a day and time that exist"):
        parse_due_date(text)


@given(st.dates(min_value=date(2, 1, 1)))
def test_every_day_is_parsed(day: date) -> None:
    assert parse_due_date(day.isoformat()) == day


@given(st.datetimes(min_value=floating(2, 1, 1), max_value=floating(9999, 12, 31)))
def test_every_floating_time_is_parsed(moment: datetime) -> None:
    assert parse_due_date(moment.isoformat()) == moment


@given(st.datetimes(min_value=floating(2, 1, 3), max_value=floating(9999, 12, 29), timezones=offsets))
def test_an_instant_is_converted_to_utc(moment: datetime) -> None:
    parsed = parse_due_date(moment.isoformat())

    assert isinstance(parsed, datetime)
    assert parsed == moment
    assert parsed.tzinfo is UTC


@given(st.text(max_size=70))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        parsed = parse_due_date(text)
    except InvalidValueError:
        return
    assert due_kind(parsed) in DueKind


@given(due_dates)
def test_a_due_date_can_be_restored_from_instant_and_kind(due_date: DueDate) -> None:
    again = due_date_from(due_instant(due_date), due_kind(due_date))

    assert again == due_date
    assert type(again) is type(due_date)
    assert due_kind(again) is due_kind(due_date)


@given(due_dates)
def test_the_instant_is_in_utc(due_date: DueDate) -> None:
    assert due_instant(due_date).utcoffset() == timedelta()


def test_a_day_sorts_at_its_start_and_a_floating_time_as_utc() -> None:
    assert due_instant(date(2026, 7, 1)) == instant(2026, 7, 1)
    assert due_instant(floating(2026, 7, 1, 9)) == due_instant(instant(2026, 7, 1, 9)) == instant(2026, 7, 1, 9)


def test_the_three_kinds_are_never_equal() -> None:
    day, local, moment = date(2026, 7, 1), floating(2026, 7, 1), instant(2026, 7, 1)
    assert [due_kind(due_date) for due_date in (day, local, moment)] == list(DueKind)
    assert day != local != moment != day


@pytest.mark.parametrize(
    "text",
    ["0001-01-01", "0001-12-31T23:59:59.999999Z", "0002-01-01T00:00:00+00:01", "9999-12-31T23:59:59.999999"],
)
def test_the_instants_of_tasks_without_a_due_date_are_refused(text: str) -> None:
    with pytest.raises(InvalidValueError, match="use null for no due date"):
        parse_due_date(text)
