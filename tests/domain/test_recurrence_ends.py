"""How far a series goes: previews, COUNT, UNTIL, and the ends of the calendar."""

from datetime import UTC, date, datetime

import pytest
from tests.domain.recurring import LONG_AGO, at, following, preview, written

from todo_api.domain.due_date import parse_due_date
from todo_api.domain.recurrence import Occurrence, Recurrence


def test_the_preview_goes_on_with_the_pattern() -> None:
    now = at("2027-01-31T12:00Z")

    assert preview("FREQ=MONTHLY", "2027-01-05", 3, now=now, completion=True) == [
        "2027-02-28",
        "2027-03-31",
        "2027-04-30",
    ]


@pytest.mark.parametrize(("count", "length"), [(-1, 0), (0, 0), (1, 1), (100, 100), (1000, 100)])
def test_the_preview_has_up_to_100_dates(count: int, length: int) -> None:
    assert len(preview("FREQ=DAILY", "2027-01-01", count)) == length


def test_the_preview_has_the_dates_of_centuries() -> None:
    assert preview("FREQ=YEARLY;INTERVAL=4", "2024-02-29", 100)[-1] == "2424-02-29"
    assert len(preview("FREQ=YEARLY;INTERVAL=5", "2024-02-29", 100)) == 80


def test_count_counts_the_tasks_that_came_to_be() -> None:
    recurrence = Recurrence.parse("FREQ=DAILY;COUNT=3")
    occurrence, due = Occurrence.first(recurrence, date(2027, 1, 1)), parse_due_date("2027-01-01")
    assert written(occurrence.upcoming(recurrence, due, LONG_AGO, 9)) == ["2027-01-02", "2027-01-03"]

    first = occurrence.following(recurrence, due, at("2027-01-10T12:00Z"))  # the missed ones use none up
    assert first is not None
    second = first[0].following(recurrence, first[1], at("2027-02-10T12:00Z"))
    assert second is not None
    assert (second[0].sequence, second[1]) == (3, date(2027, 2, 10))
    assert second[0].following(recurrence, second[1], at("2027-03-10T12:00Z")) is None


def test_a_pattern_that_begins_again_goes_on_counting() -> None:
    recurrence = Recurrence.parse("FREQ=WEEKLY;COUNT=5")
    occurrence = Occurrence.first(recurrence, date(2027, 1, 1), sequence=4)

    assert written(occurrence.upcoming(recurrence, date(2027, 1, 1), LONG_AGO, 9)) == ["2027-01-08"]


@pytest.mark.parametrize(
    ("until", "due", "expected"),
    [
        # A day: through its end in the zone.
        ("20270103", "2027-01-01", ["2027-01-02", "2027-01-03"]),
        ("20270103", "2027-01-01T23:59", ["2027-01-02T23:59", "2027-01-03T23:59"]),
        ("20270103", "2027-01-01T22:59Z", ["2027-01-02T22:59Z", "2027-01-03T22:59Z"]),
        ("20270103", "2027-01-01T23:00Z", ["2027-01-02T23:00Z"]),  # 00:00 on the next day
        # An instant, inclusive; a day that has begun in the zone is in it.
        ("20270103T120000Z", "2027-01-01", ["2027-01-02", "2027-01-03"]),
        ("20270102T230000Z", "2027-01-01", ["2027-01-02", "2027-01-03"]),
        ("20270102T225959Z", "2027-01-01", ["2027-01-02"]),
        ("20270103T080000Z", "2027-01-01T09:00", ["2027-01-02T09:00", "2027-01-03T09:00"]),
        ("20270103T075959Z", "2027-01-01T09:00", ["2027-01-02T09:00"]),
        ("20270103T080000Z", "2027-01-01T08:00Z", ["2027-01-02T08:00Z", "2027-01-03T08:00Z"]),
        ("20270103T075959Z", "2027-01-01T08:00Z", ["2027-01-02T08:00Z"]),
        # A local time, inclusive.
        ("20270103T000000", "2027-01-01", ["2027-01-02", "2027-01-03"]),
        ("20270103T090000", "2027-01-01T09:00", ["2027-01-02T09:00", "2027-01-03T09:00"]),
        ("20270103T085959", "2027-01-01T09:00", ["2027-01-02T09:00"]),
        ("20270103T090000", "2027-01-01T08:00Z", ["2027-01-02T08:00Z", "2027-01-03T08:00Z"]),
        ("20270103T085959", "2027-01-01T08:00Z", ["2027-01-02T08:00Z"]),
    ],
)
def test_until_is_inclusive_whatever_the_due_date_is(until: str, due: str, expected: list[str]) -> None:
    assert preview(f"FREQ=DAILY;UNTIL={until}", due, 9, time_zone="Europe/Berlin") == expected


def test_nothing_follows_once_until_has_passed() -> None:
    assert following("FREQ=DAILY;UNTIL=20270110", "2027-01-01", "2027-01-10T23:00Z") == "2027-01-10"
    assert following("FREQ=DAILY;UNTIL=20270110", "2027-01-01", "2027-01-11T00:00Z") is None
    assert following("FREQ=DAILY;UNTIL=20270110", "2027-01-01", "2027-02-01T00:00Z", completion=True) is None


@pytest.mark.parametrize(
    ("due", "time_zone", "count"),
    [
        ("9999-12-30", "UTC", 1),
        ("9999-12-30T23:59:59.999999", "UTC", 0),  # its last microsecond is for tasks without a date
        ("9999-12-30T12:00", "UTC", 1),
        ("9999-12-30T12:00Z", "UTC", 1),
        ("9999-12-30T12:00Z", "Pacific/Kiritimati", 0),
        ("9999-12-30T12:00Z", "Pacific/Pago_Pago", 1),
        ("9999-12-31T23:59Z", "Pacific/Kiritimati", 0),
        ("9999-12-31T23:59Z", "Pacific/Pago_Pago", 0),
    ],
)
def test_dates_end_with_the_year_9999(due: str, time_zone: str, count: int) -> None:
    each_day = "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYSETPOS=1,2,3,4,5,6,7"
    for rule in ("FREQ=DAILY", "FREQ=DAILY;BYMONTH=12", each_day):
        assert len(preview(rule, due, 9, time_zone=time_zone)) == count


def test_the_first_week_of_the_calendar_has_days() -> None:
    now = datetime(
        1, 1, 1, 12, tzinfo=UTC
    )  # a clock that was never set; weeks begin on Wednesday, the day was a Monday

    assert preview("FREQ=YEARLY", "2027-01-01", 1, now=now, completion=True) == ["0002-01-01"]
    assert preview("FREQ=WEEKLY;WKST=WE;BYDAY=TU", "2027-01-01", 1, now=now, completion=True) == []
