from datetime import UTC, date, datetime

import pytest

from todo_api.domain.errors import InvalidValueError
from todo_api.domain.recurrence import CountedFrom, Occurrence, Recurrence

SUPPORTED = "FREQ, INTERVAL, COUNT, UNTIL, BYDAY, BYMONTHDAY, BYMONTH, BYSETPOS, WKST"


def test_a_rule_is_counted_from_the_due_date_in_utc_unless_it_says_otherwise() -> None:
    assert Recurrence.parse("FREQ=DAILY") == Recurrence(
        rule="FREQ=DAILY", counted_from=CountedFrom.DUE, time_zone="UTC"
    )
    assert (CountedFrom.DUE, CountedFrom.COMPLETION) == ("due", "completion")


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("freq=weekly;byday=mo", "FREQ=WEEKLY;BYDAY=MO"),
        ("RRULE:FREQ=DAILY", "FREQ=DAILY"),
        ("rrule:BYMONTH=1;FREQ=YEARLY", "BYMONTH=1;FREQ=YEARLY"),
        ("FREQ=DAILY;UNTIL=20261231t170000z", "FREQ=DAILY;UNTIL=20261231T170000Z"),
    ],
)
def test_a_rule_is_kept_in_upper_case_without_its_name(text: str, rule: str) -> None:
    recurrence = Recurrence.parse(text)

    assert recurrence.rule == rule
    assert Recurrence.parse(recurrence.rule) == recurrence


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=DAILY;INTERVAL=10000",
        "FREQ=DAILY;INTERVAL=07",
        "FREQ=DAILY;COUNT=1",
        "FREQ=DAILY;COUNT=1000000",
        "FREQ=DAILY;UNTIL=20261231",
        "FREQ=DAILY;UNTIL=20261231T235959",
        "FREQ=DAILY;UNTIL=20261231T235959Z",
        "FREQ=DAILY;BYDAY=MO,TU;BYMONTHDAY=1,-1;BYMONTH=12;BYSETPOS=1",
        "FREQ=WEEKLY;BYDAY=MO,MO,SU;WKST=SU;BYSETPOS=-7",
        "FREQ=MONTHLY;BYDAY=1MO,+2TU,-5WE,TH;BYSETPOS=31",
        "FREQ=MONTHLY;BYMONTHDAY=31,+1,-31",
        "FREQ=YEARLY;BYDAY=53MO,-53TU;BYSETPOS=366,-366",
        "FREQ=YEARLY;BYDAY=5MO,-5TU;BYMONTH=12",
    ],
)
def test_the_subset_is_accepted(rule: str) -> None:
    assert Recurrence.parse(rule).rule == rule


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (f"FREQ=DAILY;{name}=1", f"rule must not use {name}; supported are {SUPPORTED}")
        for name in (
            "BYHOUR",
            "BYMINUTE",
            "BYSECOND",
            "BYYEARDAY",
            "BYWEEKNO",
            "BYEASTER",
            "RSCALE",
            "X-NAME",
            "COUNTS",
        )
    ]
    + [
        (rule, "rule must be parts with values, separated by semicolons, such as FREQ=WEEKLY;BYDAY=MO")
        for rule in (
            "",
            " ",
            "RRULE:",
            "daily",
            ";",
            "FREQ=DAILY;",
            ";FREQ=DAILY",
            "FREQ=DAILY;;COUNT=1",
            "FREQ=DAILY;COUNT",
            "FREQ=DAILY;COUNT=",
            "FREQ=DAILY; COUNT=1",
            "FREQ=DAILY;=1",
            "FREQ=DAILY;A\0B=1",
            f"FREQ=DAILY;{'X' * 33}=1",
            "RRULE:RRULE:FREQ=DAILY",
            "DTSTART:20260101\nRRULE:FREQ=DAILY",
        )
    ]
    + [
        (rule, "rule must have FREQ, one of DAILY, WEEKLY, MONTHLY, YEARLY")
        for rule in (
            "INTERVAL=1",
            "FREQ=HOURLY",
            "FREQ=MINUTELY",
            "FREQ=SECONDLY",
            "FREQ=DAILY ",
            "FREQ=DAILY\n",
            "FREQ=DAILY,WEEKLY",
            "FREQ=FREQ=DAILY",
        )
    ]
    + [
        (f"FREQ=DAILY;INTERVAL={value}", "rule must have a number from 1 to 10,000 as INTERVAL")
        for value in ("0", "-1", "+1", "1.0", "1,2", "10001", "9" * 400, " 1", "1 ", "1\n", "1_0", "ONE")
    ]
    + [
        (f"FREQ=DAILY;COUNT={value}", "rule must have a number from 1 to 1,000,000 as COUNT")
        for value in ("0", "-1", "1000001")
    ]
    + [
        (
            f"FREQ=DAILY;UNTIL={value}",
            "rule must have a day (20261231), a local time (20261231T170000) or an instant (20261231T170000Z) as UNTIL",
        )
        for value in (
            "2026-12-31",
            "20261231Z",
            "20261231T",
            "20261231T1700",
            "20261231T170000+0100",
            "TOMORROW",
            "20261231\n",
        )
    ]
    + [
        (f"FREQ=MONTHLY;BYMONTHDAY={value}", "rule must have numbers from 1 to 31 or -1 to -31 as BYMONTHDAY")
        for value in ("0", "-0", "32", "-32", "1,", ",1", "1,,2", "--1", "L")
    ]
    + [
        (f"FREQ=YEARLY;BYMONTH={value}", "rule must have a number from 1 to 12 as BYMONTH")
        for value in ("0", "13", "-1", "JAN", "1,", "6L")
    ]
    + [
        (f"FREQ=YEARLY;BYDAY=MO;BYSETPOS={value}", "rule must have numbers from 1 to 366 or -1 to -366 as BYSETPOS")
        for value in ("0", "367", "-367", "FIRST")
    ]
    + [
        (
            f"FREQ=MONTHLY;BYDAY={value}",
            (
                "rule must have weekdays (MO, TU, WE, TH, FR, SA, SU) as BYDAY, each with or without a number "
                "from 1 to 53 or -1 to -53"
            ),
        )
        for value in ("MON", "M", "0MO", "54MO", "-54MO", "MO1", "MO(+1)", "1", "MO,", "MO TU", "100MO", "- 1MO")
    ]
    + [
        ("FREQ=DAILY;WKST=1", "rule must have one of MO, TU, WE, TH, FR, SA, SU as WKST"),
        ("FREQ=DAILY;WKST=MO,TU", "rule must have one of MO, TU, WE, TH, FR, SA, SU as WKST"),
        ("FREQ=DAILY;FREQ=DAILY", "rule must not use FREQ twice"),
        ("FREQ=DAILY;COUNT=2;COUNT=2", "rule must not use COUNT twice"),
        ("FREQ=DAILY;COUNT=2;UNTIL=20261231", "rule must not use COUNT and UNTIL together"),
        ("FREQ=DAILY;BYDAY=1MO", "rule must not use numbers in BYDAY unless FREQ is MONTHLY or YEARLY"),
        ("FREQ=WEEKLY;BYDAY=MO,-1TU", "rule must not use numbers in BYDAY unless FREQ is MONTHLY or YEARLY"),
        (
            "FREQ=MONTHLY;BYDAY=MO,6TU",
            "rule must not use numbers beyond 5 in BYDAY if FREQ is MONTHLY or BYMONTH is used",
        ),
        (
            "FREQ=YEARLY;BYMONTH=12;BYDAY=-53MO",
            "rule must not use numbers beyond 5 in BYDAY if FREQ is MONTHLY or BYMONTH is used",
        ),
        ("FREQ=WEEKLY;BYMONTHDAY=1", "rule must not use BYMONTHDAY if FREQ is WEEKLY"),
        ("FREQ=MONTHLY;BYSETPOS=1", "rule must not use BYSETPOS without BYDAY, BYMONTHDAY or BYMONTH"),
        ("FREQ=DAILY;BYDAY=MO;BYSETPOS=2", "rule must not use BYSETPOS beyond 1 if FREQ is DAILY"),
        ("FREQ=WEEKLY;BYDAY=MO;BYSETPOS=-8", "rule must not use BYSETPOS beyond 7 if FREQ is WEEKLY"),
        ("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=32", "rule must not use BYSETPOS beyond 31 if FREQ is MONTHLY"),
        ("FREQ=DAılY", "rule must have ASCII characters only"),
        ("FREQ=DAILY;INTERVAL=２", "rule must have ASCII characters only"),
        ("FREQ=DAILY;COUNT=٣", "rule must have ASCII characters only"),
        ("\ud83d", "rule must have ASCII characters only"),
        ("FREQ=DAILY;BYDAY=" + ",".join(["MO"] * 200), "rule must have at most 500 characters, not 616"),
        ("x" * 1_000_000, "rule must have at most 500 characters, not 1,000,000"),
    ],
)
def test_anything_else_is_refused_by_name(rule: str, message: str) -> None:
    with pytest.raises(InvalidValueError) as refusal:
        Recurrence.parse(rule)

    assert str(refusal.value) == message


@pytest.mark.parametrize("value", ["20260230", "20261301", "00000101", "20261231T240000", "20261231T235960Z"])
def test_until_must_exist(value: str) -> None:
    with pytest.raises(InvalidValueError, match=r"^rule must have a day and time that exist as UNTIL \("):
        Recurrence.parse(f"FREQ=DAILY;UNTIL={value}")


@pytest.mark.parametrize("name", ["", "europe/berlin", "Europe", "../UTC", "Europe/Berlin\0", "localtime", "+02:00"])
def test_an_unknown_time_zone_is_refused(name: str) -> None:
    with pytest.raises(InvalidValueError) as refusal:
        Recurrence.parse("FREQ=DAILY", time_zone=name)

    assert str(refusal.value) == "time_zone must be the name of a time zone, such as Europe/Berlin"


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;INTERVAL=7;BYDAY=TU",  # the due date is a Thursday
        "FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=31",  # and in February
        "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=6",
        "FREQ=YEARLY;INTERVAL=51",
        "FREQ=YEARLY;BYMONTH=2;BYDAY=5MO;BYMONTHDAY=28",
        "FREQ=DAILY;COUNT=1",
        "FREQ=DAILY;UNTIL=20240229",
        "FREQ=DAILY;UNTIL=19991231",
    ],
)
def test_a_rule_without_another_date_in_50_years_is_refused(rule: str) -> None:
    recurrence = Recurrence.parse(rule)

    with pytest.raises(InvalidValueError, match=r"^rule must have another date in the 50 years after the due date"):
        Occurrence.first(recurrence, date(2024, 2, 29))
    assert Occurrence.at(recurrence, date(2024, 2, 29)).slot == date(2024, 2, 29)  # when it was written before


def test_50_years_end_within_a_year() -> None:
    recurrence = Recurrence.parse("FREQ=YEARLY;INTERVAL=50;BYMONTH=6;BYDAY=SA;BYSETPOS=3")

    with pytest.raises(InvalidValueError, match=r"^rule must have another date in the 50 years after the due date"):
        Occurrence.first(recurrence, date(2024, 6, 15))  # the next is 2074-06-16


def test_until_the_beginning_of_time_is_over_in_every_zone() -> None:
    for value in ("00010101", "00010101T000000", "00010101T000000Z"):
        for time_zone in ("UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"):
            recurrence = Recurrence.parse(f"FREQ=DAILY;UNTIL={value}", time_zone=time_zone)
            for due in (date(2027, 1, 1), datetime(2027, 1, 1, tzinfo=UTC)):
                with pytest.raises(InvalidValueError, match=r"^rule must have another date in the 50 years"):
                    Occurrence.first(recurrence, due)


def test_until_the_end_of_time_is_far_in_every_zone() -> None:
    for value in ("99991231", "99991231T235959", "99991231T235959Z"):
        for time_zone in ("UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"):
            recurrence = Recurrence.parse(f"FREQ=DAILY;UNTIL={value}", time_zone=time_zone)
            for due in (date(2027, 1, 1), datetime(2027, 1, 1, tzinfo=UTC)):
                assert Occurrence.first(recurrence, due).sequence == 1


@pytest.mark.parametrize("rule", ["FREQ=YEARLY;INTERVAL=50", "FREQ=DAILY;COUNT=2", "FREQ=DAILY;UNTIL=20240301"])
def test_a_rule_with_another_date_in_50_years_is_accepted(rule: str) -> None:
    occurrence = Occurrence.first(Recurrence.parse(rule), date(2024, 2, 29))

    assert (occurrence.sequence, occurrence.anchor, occurrence.slot) == (1, date(2024, 2, 29), date(2024, 2, 29))
