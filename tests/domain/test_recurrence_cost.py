"""The cost of rules, counted in lines of Python that are executed: about 0.06 µs each, and as many on every machine."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from dateutil.rrule import DAILY, rrule
from tests.domain.lines import counted_lines

from todo_api.domain.errors import InvalidValueError
from todo_api.domain.recurrence import Occurrence, Recurrence
from todo_api.domain.time_zones import is_time_zone

MOST_LINES = 500_000  # about 30 ms
EACH_DAY = "BYMONTHDAY=" + ",".join(map(str, range(1, 32)))
EACH_WEEKDAY = "BYDAY=MO,TU,WE,TH,FR,SA,SU"
EACH_MONTH = "BYMONTH=" + ",".join(map(str, range(1, 13)))
POSITIONS = "BYSETPOS=" + ",".join(map(str, range(-85, 0)))

# Dear ones: days that never come, or seldom; long lists; and those for which dateutil alone takes seconds.
RULES = [
    "FREQ=DAILY",
    "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29;BYDAY=SU",
    "FREQ=DAILY;INTERVAL=7;BYDAY=MO,TU,WE,FR,SA,SU",
    "FREQ=DAILY;INTERVAL=7;BYDAY=MO",
    "FREQ=DAILY;INTERVAL=2;BYMONTHDAY=31",
    "FREQ=DAILY;INTERVAL=1000;" + EACH_DAY,
    "FREQ=DAILY;INTERVAL=10000;" + EACH_WEEKDAY,
    "FREQ=WEEKLY;BYDAY=MO;BYSETPOS=2",
    f"FREQ=WEEKLY;{EACH_WEEKDAY};{EACH_MONTH};BYSETPOS=7",
    f"FREQ=WEEKLY;INTERVAL=500;{EACH_WEEKDAY};BYSETPOS=-7",
    "FREQ=MONTHLY",
    "FREQ=MONTHLY;BYMONTH=2,4,6,9,11;BYMONTHDAY=31",
    "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=6",
    "FREQ=MONTHLY;BYDAY=5MO,-5TU,WE,TH,FR,SA,SU;BYSETPOS=31",
    f"FREQ=MONTHLY;INTERVAL=11;{EACH_DAY};BYSETPOS=31,-31",
    "FREQ=YEARLY;INTERVAL=10000",
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=SU",
    "FREQ=YEARLY;BYDAY=53MO,-53TU,53WE",
    f"FREQ=YEARLY;{EACH_WEEKDAY};BYSETPOS=366",
    f"FREQ=YEARLY;{EACH_WEEKDAY};{EACH_DAY};{POSITIONS}",
    f"FREQ=YEARLY;INTERVAL=4;{EACH_WEEKDAY};{EACH_MONTH};BYSETPOS=-366",
]


def lines_of(call: Callable[[], object]) -> int:
    assert is_time_zone("Europe/Berlin")  # reads the names of the zones, once
    with counted_lines() as lines:
        try:
            call()
        except InvalidValueError as error:
            assert "in the 50 years" in str(error)  # noqa: PT017 - the call may fail, but only so
        return lines()


@pytest.mark.parametrize("due", [datetime(2, 1, 1, tzinfo=UTC), datetime(2096, 2, 29, tzinfo=UTC)])
@pytest.mark.parametrize("rule", RULES)
def test_no_rule_costs_much(rule: str, due: datetime) -> None:
    recurrence = Recurrence.parse(rule, time_zone="Europe/Berlin")
    occurrence, now = Occurrence.at(recurrence, due), datetime(2027, 1, 1, tzinfo=UTC)

    assert lines_of(lambda: Occurrence.first(recurrence, due)) < MOST_LINES
    assert lines_of(lambda: occurrence.following(recurrence, due, now)) < MOST_LINES
    assert lines_of(lambda: occurrence.upcoming(recurrence, due, now, 100)) < MOST_LINES


def test_the_count_sees_what_dateutil_alone_would_cost() -> None:
    century = [datetime(year, 1, 1, tzinfo=UTC) for year in (2027, 2127)]
    each_day = rrule(DAILY, dtstart=century[0], until=century[1])

    assert lines_of(lambda: list(each_day)) > MOST_LINES


@pytest.mark.parametrize("rule", [";".join(["A=1"] * 125), "FREQ=DAILY;BYMONTHDAY=" + "1" * 478, "x" * 10_000_000])
def test_a_refusal_costs_little(rule: str) -> None:
    with counted_lines() as lines:
        with pytest.raises(InvalidValueError):
            Recurrence.parse(rule)
        assert lines() < 10_000
