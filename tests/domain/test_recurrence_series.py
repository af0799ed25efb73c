"""Which due date follows another."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from tests.domain.recurring import LONG_AGO, at, following, preview

from todo_api.domain.due_date import DueDate, DueKind, due_kind, parse_due_date
from todo_api.domain.recurrence import Occurrence, Recurrence


@pytest.mark.parametrize(
    ("rule", "due", "expected"),
    [
        ("FREQ=MONTHLY", "2027-12-31", ["2028-01-31", "2028-02-29", "2028-03-31", "2028-04-30", "2028-05-31"]),
        ("FREQ=MONTHLY", "2027-01-30", ["2027-02-28", "2027-03-30", "2027-04-30"]),
        ("FREQ=MONTHLY", "2027-01-29", ["2027-02-28", "2027-03-29"]),
        ("FREQ=MONTHLY", "2027-02-28", ["2027-03-28", "2027-04-28"]),
        ("FREQ=MONTHLY;INTERVAL=13", "2027-01-31", ["2028-02-29", "2029-03-31", "2030-04-30"]),
        ("FREQ=MONTHLY;BYMONTH=2,4,5", "2027-01-31", ["2027-02-28", "2027-04-30", "2027-05-31", "2028-02-29"]),
        ("FREQ=MONTHLY;BYMONTH=2,4;BYSETPOS=-1", "2027-01-31", ["2027-02-28", "2027-04-30", "2028-02-29"]),
        ("FREQ=YEARLY", "2024-02-29", ["2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"]),
        ("FREQ=YEARLY;INTERVAL=4", "2024-02-29", ["2028-02-29", "2032-02-29"]),
        ("FREQ=YEARLY;BYMONTH=2,6", "2027-01-31", ["2027-02-28", "2027-06-30", "2028-02-29", "2028-06-30"]),
        ("FREQ=YEARLY;BYMONTH=2,6;BYSETPOS=-1", "2027-01-31", ["2027-06-30", "2028-06-30"]),
        ("FREQ=MONTHLY", "2027-01-31T23:30", ["2027-02-28T23:30", "2027-03-31T23:30"]),
        ("FREQ=MONTHLY", "2027-01-31T23:30Z", ["2027-02-28T23:30Z", "2027-03-31T23:30Z"]),
    ],
)
def test_a_month_without_the_day_has_its_last_one(rule: str, due: str, expected: list[str]) -> None:
    assert preview(rule, due, len(expected)) == expected


@pytest.mark.parametrize(
    ("rule", "due", "expected"),
    [
        ("FREQ=MONTHLY;BYMONTHDAY=31", "2027-01-31", ["2027-03-31", "2027-05-31", "2027-07-31"]),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "2024-02-29", ["2028-02-29", "2032-02-29"]),
        ("FREQ=MONTHLY;BYDAY=5FR", "2027-01-29", ["2027-04-30", "2027-07-30"]),
        ("FREQ=MONTHLY;BYMONTHDAY=-31", "2027-01-01", ["2027-03-01", "2027-05-01"]),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "2027-01-31", ["2027-02-28", "2027-03-31"]),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "2027-01-15", ["2027-01-31", "2027-02-28"]),
    ],
)
def test_a_day_that_the_rule_names_is_skipped_where_it_does_not_exist(rule: str, due: str, expected: list[str]) -> None:
    assert preview(rule, due, len(expected)) == expected


@pytest.mark.parametrize(
    ("rule", "due", "expected"),
    [
        # Mondays, and first Tuesdays: dateutil would look for days that are both.
        ("FREQ=MONTHLY;BYDAY=MO,1TU", "2027-03-01", ["2027-03-02", "2027-03-08", "2027-03-15"]),
        # The third day of a week counts from its beginning, also in the week of the first date.
        ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH;BYSETPOS=3", "2027-03-02", ["2027-03-03", "2027-03-10"]),
        ("FREQ=WEEKLY;BYDAY=MO,SU;BYSETPOS=1;WKST=SU", "2027-03-02", ["2027-03-07", "2027-03-14"]),
        ("FREQ=WEEKLY;BYMONTH=12", "2027-12-29", ["2028-12-06", "2028-12-13"]),
        ("FREQ=DAILY;BYMONTH=12;BYDAY=FR", "2027-12-29", ["2027-12-31", "2028-12-01"]),
        ("FREQ=DAILY;INTERVAL=3;BYDAY=FR", "2027-12-31", ["2028-01-21", "2028-02-11"]),
        ("FREQ=DAILY;BYDAY=FR;BYSETPOS=-1", "2027-12-31", ["2028-01-07", "2028-01-14"]),
        ("FREQ=WEEKLY;BYDAY=SA,SU;INTERVAL=2", "2027-12-31", ["2028-01-01", "2028-01-02", "2028-01-15"]),
    ],
)
def test_parts_that_libraries_disagree_on(rule: str, due: str, expected: list[str]) -> None:
    assert preview(rule, due, len(expected)) == expected


@pytest.mark.parametrize(
    ("time_zone", "due", "expected"),
    [
        ("Europe/Berlin", "2027-03-27T01:30Z", ["2027-03-28T01:30Z", "2027-03-29T00:30Z"]),  # 02:30, 03:30, 02:30
        ("Europe/Berlin", "2027-10-30T00:30Z", ["2027-10-31T00:30Z", "2027-11-01T01:30Z"]),  # 02:30 comes twice
        ("Europe/Berlin", "2027-03-27T16:00Z", ["2027-03-28T15:00Z"]),
        ("America/New_York", "2027-03-13T07:30Z", ["2027-03-14T07:30Z", "2027-03-15T06:30Z"]),
        # Midnight did not exist: 2017-10-15 began at 01:00.
        ("America/Sao_Paulo", "2017-10-14T03:00Z", ["2017-10-15T03:00Z", "2017-10-16T02:00Z"]),
        ("America/Sao_Paulo", "2017-10-14T03:30Z", ["2017-10-15T03:30Z", "2017-10-16T02:30Z"]),
        # 23:30 came twice on 2018-02-17.
        ("America/Sao_Paulo", "2018-02-17T01:30Z", ["2018-02-18T01:30Z", "2018-02-19T02:30Z"]),
        # Midnight did not exist on 2023-04-28, nor the hour after it; 23:30 came twice on 2023-10-26.
        ("Africa/Cairo", "2023-04-26T22:00Z", ["2023-04-27T22:00Z", "2023-04-28T21:00Z"]),
        ("Africa/Cairo", "2023-10-25T20:30Z", ["2023-10-26T20:30Z", "2023-10-27T21:30Z"]),
        # Half an hour: 02:15 is 02:45 on 2027-10-03, and 01:45 comes twice on 2027-04-04.
        ("Australia/Lord_Howe", "2027-10-01T15:45Z", ["2027-10-02T15:45Z", "2027-10-03T15:15Z"]),
        ("Australia/Lord_Howe", "2027-04-02T14:45Z", ["2027-04-03T14:45Z", "2027-04-04T15:15Z"]),
        # There was no 2011-12-30: its 10:00 is that of the 31st, once.
        ("Pacific/Apia", "2011-12-28T20:00Z", ["2011-12-29T20:00Z", "2011-12-30T20:00Z", "2011-12-31T20:00Z"]),
        ("Asia/Kathmandu", "2027-01-01T00:15Z", ["2027-01-02T00:15Z"]),
    ],
)
def test_instants_repeat_at_the_clock_of_the_zone(time_zone: str, due: str, expected: list[str]) -> None:
    assert preview("FREQ=DAILY", due, len(expected), time_zone=time_zone) == expected


def test_a_time_is_the_pattern_s_again_after_a_gap() -> None:
    recurrence = Recurrence.parse("FREQ=DAILY", time_zone="Europe/Berlin")
    due: DueDate = at("2027-03-27T01:30Z")
    occurrence = Occurrence.first(recurrence, due)
    clock = []

    for _ in range(2):
        assert isinstance(due, datetime)
        found = occurrence.following(recurrence, due, now=due)
        assert found is not None
        occurrence, due = found
        assert isinstance(due, datetime)
        clock.append(due.astimezone(ZoneInfo("Europe/Berlin")).strftime("%H:%M"))

    assert clock == ["03:30", "02:30"]


def test_an_instant_from_the_second_of_two_equal_times_begins_the_pattern() -> None:
    assert preview("FREQ=DAILY", "2027-10-31T01:30Z", 2, time_zone="Europe/Berlin") == [
        "2027-11-01T01:30Z",
        "2027-11-02T01:30Z",
    ]


@pytest.mark.parametrize(
    ("due", "now", "time_zone", "expected"),
    [
        # A day that is today comes today, by the clock of the zone.
        ("2027-01-01", "2027-01-05T12:00Z", "UTC", "2027-01-05"),
        ("2027-01-01", "2027-01-05T12:00Z", "Pacific/Kiritimati", "2027-01-06"),
        ("2027-01-01", "2027-01-05T10:00Z", "Pacific/Pago_Pago", "2027-01-04"),
        ("2027-01-05", "2027-01-05T12:00Z", "UTC", "2027-01-06"),
        ("2027-01-09", "2027-01-05T12:00Z", "UTC", "2027-01-10"),
        # A local time must be later than the clock of the zone shows.
        ("2027-01-01T09:00", "2027-01-05T07:59Z", "Europe/Berlin", "2027-01-05T09:00"),
        ("2027-01-01T09:00", "2027-01-05T08:00Z", "Europe/Berlin", "2027-01-06T09:00"),
        # An instant must be later than now.
        ("2027-01-01T08:00Z", "2027-01-05T07:59Z", "Europe/Berlin", "2027-01-05T08:00Z"),
        ("2027-01-01T08:00Z", "2027-01-05T08:00Z", "Europe/Berlin", "2027-01-06T08:00Z"),
        ("2027-01-01T08:00Z", "2027-07-05T06:59Z", "Europe/Berlin", "2027-07-05T07:00Z"),
        # Between two equal times of the clock: the first has passed.
        ("2027-10-01T00:30Z", "2027-10-31T00:45Z", "Europe/Berlin", "2027-11-01T01:30Z"),
    ],
)
def test_missed_dates_come_once(due: str, now: str, time_zone: str, expected: str) -> None:
    assert following("FREQ=DAILY", due, now, time_zone=time_zone) == expected


def test_missed_periods_do_not_change_the_interval() -> None:
    assert following("FREQ=WEEKLY;INTERVAL=2", "2027-01-04", "2055-06-15T12:00Z") == "2055-06-28"
    assert following("FREQ=DAILY;INTERVAL=10", "0002-01-01", "2027-01-01T00:00Z") == "2027-01-05"
    assert (date(2055, 6, 28) - date(2027, 1, 4)).days % 14 == 0
    assert (date(2027, 1, 5) - date(2, 1, 1)).days % 10 == 0


@pytest.mark.parametrize(
    ("due", "moved", "expected"),
    [
        ("2027-01-04", "2027-01-06", "2027-01-11"),
        ("2027-01-04", "2027-01-11", "2027-01-18"),
        ("2027-01-04", "2026-12-01", "2027-01-11"),
        ("2027-01-04T09:00", "2027-01-11T08:59", "2027-01-11T09:00"),
        ("2027-01-04T09:00", "2027-01-11T09:00", "2027-01-18T09:00"),
        ("2027-01-04T09:00Z", "2027-01-11T09:00Z", "2027-01-18T09:00Z"),
        # In another kind, it counts as the clock of the zone shows it, a day until its end.
        ("2027-01-04", "2027-01-10T23:00Z", "2027-01-18"),
        ("2027-01-04", "2027-01-11T00:00", "2027-01-18"),
        ("2027-01-04T09:00", "2027-01-11T07:59Z", "2027-01-11T09:00"),
        ("2027-01-04T09:00", "2027-01-11T08:00Z", "2027-01-18T09:00"),
        ("2027-01-04T09:00", "2027-01-11", "2027-01-18T09:00"),
        ("2027-01-04T09:00Z", "2027-01-11T09:59", "2027-01-11T09:00Z"),
        ("2027-01-04T09:00Z", "2027-01-11T10:00", "2027-01-18T09:00Z"),
        ("2027-01-04T09:00Z", "2027-01-10", "2027-01-11T09:00Z"),
    ],
)
def test_a_moved_date_changes_nothing_of_the_pattern(due: str, moved: str, expected: str) -> None:
    found = following("FREQ=WEEKLY", due, "2027-01-01T00:00Z", time_zone="Europe/Berlin", moved=moved)

    assert found == expected


@pytest.mark.parametrize(
    ("rule", "due", "now", "expected"),
    [
        ("FREQ=DAILY;INTERVAL=3", "2027-01-01", "2027-01-05T12:00Z", "2027-01-08"),
        ("FREQ=DAILY;INTERVAL=3", "2027-01-10", "2027-01-05T12:00Z", "2027-01-08"),
        ("FREQ=DAILY;INTERVAL=3", "2027-01-01", "2027-01-05T23:30Z", "2027-01-09"),  # the 6th in Berlin
        ("FREQ=DAILY;INTERVAL=3", "2027-01-01T17:00", "2027-01-05T12:00Z", "2027-01-08T17:00"),
        ("FREQ=DAILY;INTERVAL=3", "2027-01-01T17:00", "2027-01-05T20:00Z", "2027-01-08T17:00"),
        ("FREQ=DAILY", "2027-01-01T17:00", "2027-01-05T12:00Z", "2027-01-06T17:00"),
        ("FREQ=DAILY;INTERVAL=3", "2027-03-01T16:00Z", "2027-03-26T12:00Z", "2027-03-29T15:00Z"),
        ("FREQ=MONTHLY", "2027-01-31", "2027-02-28T12:00Z", "2027-03-28"),
        ("FREQ=MONTHLY;BYMONTHDAY=15", "2027-01-15", "2027-01-10T12:00Z", "2027-01-15"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH", "2027-01-04", "2027-01-12T12:00Z", "2027-01-14"),
    ],
)
def test_counted_from_completion_the_pattern_begins_on_its_day(rule: str, due: str, now: str, expected: str) -> None:
    assert following(rule, due, now, time_zone="Europe/Berlin", completion=True) == expected
    # A moved date does not count, and the preview is as if the task was completed now.
    assert following(rule, due, now, time_zone="Europe/Berlin", completion=True, moved="2030-01-01") == expected
    assert preview(rule, due, 1, time_zone="Europe/Berlin", completion=True, now=at(now)) == [expected]


@pytest.mark.parametrize(
    ("due", "anchor", "kind"),
    [
        ("2027-01-01", date(2027, 1, 1), DueKind.DATE),
        ("2027-01-01T23:30:15.5", at("2027-01-01T23:30:15.5"), DueKind.FLOATING),
        ("2027-01-01T23:30:15.5Z", at("2027-01-02T00:30:15.5"), DueKind.INSTANT),
    ],
)
def test_a_series_begins_at_the_clock_of_the_zone(due: str, anchor: DueDate, kind: DueKind) -> None:
    recurrence = Recurrence.parse("FREQ=DAILY", time_zone="Europe/Berlin")

    occurrence = Occurrence.first(recurrence, parse_due_date(due))

    assert occurrence == Occurrence(sequence=1, kind=kind, anchor=anchor, slot=anchor)
    found = occurrence.following(recurrence, parse_due_date(due), LONG_AGO)
    assert found is not None
    assert (found[0].sequence, found[0].kind, found[0].anchor) == (2, kind, anchor)
    assert due_kind(found[1]) is kind
