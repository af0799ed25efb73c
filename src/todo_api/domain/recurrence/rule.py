"""The subset of RFC 5545's RRULE (section 3.3.10) that tasks can have."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import lru_cache
from typing import TypeVar

from todo_api.domain.errors import InvalidValueError

T = TypeVar("T", int, tuple[int, int])

RULE_MAX_LENGTH = 500
INTERVAL_MAX = 10_000
COUNT_MAX = 1_000_000
WEEKS_OF_YEAR = 53
WEEKS_OF_MONTH = 5
DAYS_OF_YEAR = 366

_PARTS = ("FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "WKST")
_WEEKDAYS = {"MO": 0, "TU": 1, "WE": 2, "TH": 3, "FR": 4, "SA": 5, "SU": 6}
_NAME = re.compile(r"[A-Z][A-Z0-9-]{0,31}")
_NUMBER = re.compile(r"[0-9]{1,7}")
_SIGNED_NUMBER = re.compile(r"[+-]?[0-9]{1,3}")
_WEEKDAY = re.compile(r"(?P<ordinal>[+-]?[0-9]{1,2})?(?P<weekday>MO|TU|WE|TH|FR|SA|SU)")
_UNTIL = re.compile(r"(?P<day>[0-9]{8})(?P<time>T[0-9]{6})?(?P<utc>(?<=T[0-9]{6})Z)?")


class Frequency(StrEnum):
    """The periods of a rule."""

    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"
    YEARLY = "YEARLY"


_LONGEST = {Frequency.DAILY: 1, Frequency.WEEKLY: 7, Frequency.MONTHLY: 31, Frequency.YEARLY: DAYS_OF_YEAR}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """The parts of a rule. Weekdays count from Monday, 0; those in `nth_weekdays` have an ordinal: (4, -1) is -1FR."""

    frequency: Frequency
    interval: int
    count: int | None
    until: date | datetime | None
    weekdays: tuple[int, ...]
    nth_weekdays: tuple[tuple[int, int], ...]
    month_days: tuple[int, ...]
    months: tuple[int, ...]
    positions: tuple[int, ...]
    week_start: int

    @property
    def has_days(self) -> bool:
        """Whether the rule says on which days of its periods it falls: else they are those of its first date."""
        return bool(self.weekdays or self.nth_weekdays or self.month_days)


def normalize_rule(text: str) -> str:
    """Return the rule in upper case, without the `RRULE:` that may be before it.

    Raises:
        InvalidValueError: It has a part, or a value, that is not supported; the message names it.
    """
    if len(text) > RULE_MAX_LENGTH:
        raise InvalidValueError(f"rule must have at most {RULE_MAX_LENGTH} characters, not {len(text):,}")
    if not text.isascii():  # some other letters have an upper case in ASCII, such as the dotless i
        raise InvalidValueError("rule must have ASCII characters only")
    rule = text.upper().removeprefix("RRULE:")
    parse_rule(rule)
    return rule


@lru_cache(maxsize=1024)
def parse_rule(rule: str) -> Rule:
    """Return the parts of a rule that is in upper case.

    Raises:
        InvalidValueError: It has a part, or a value, that is not supported; the message names it.
    """
    parts = _split(rule)
    frequency = _frequency(parts.get("FREQ"))
    weekdays = _each(parts, "BYDAY", _weekday)
    parsed = Rule(
        frequency=frequency,
        interval=_number("INTERVAL", parts.get("INTERVAL", "1"), 1, INTERVAL_MAX),
        count=_number("COUNT", parts["COUNT"], 1, COUNT_MAX) if "COUNT" in parts else None,
        until=_until(parts["UNTIL"]) if "UNTIL" in parts else None,
        weekdays=tuple(weekday for weekday, ordinal in weekdays if not ordinal),
        nth_weekdays=tuple((weekday, ordinal) for weekday, ordinal in weekdays if ordinal),
        month_days=_each(parts, "BYMONTHDAY", lambda text: _signed("BYMONTHDAY", text, 31)),
        months=_each(parts, "BYMONTH", lambda text: _number("BYMONTH", text, 1, 12)),
        positions=_each(parts, "BYSETPOS", lambda text: _signed("BYSETPOS", text, DAYS_OF_YEAR)),
        week_start=_week_start(parts.get("WKST", "MO")),
    )
    _check_together(parsed)
    return parsed


def _split(rule: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    for part in rule.split(";"):
        name, separator, value = part.partition("=")
        if not separator or not value or not _NAME.fullmatch(name):
            raise InvalidValueError(
                "rule must be parts with values, separated by semicolons, such as FREQ=WEEKLY;BYDAY=MO"
            )
        if name not in _PARTS:
            raise InvalidValueError(f"rule must not use {name}; supported are {', '.join(_PARTS)}")
        if name in parts:
            raise InvalidValueError(f"rule must not use {name} twice")
        parts[name] = value
    return parts


def _frequency(text: str | None) -> Frequency:
    if text not in set(Frequency):
        raise InvalidValueError(f"rule must have FREQ, one of {', '.join(Frequency)}")
    return Frequency(text)


def _each(parts: dict[str, str], name: str, parse: Callable[[str], T]) -> tuple[T, ...]:
    return tuple(sorted({parse(text) for text in parts[name].split(",")})) if name in parts else ()


def _number(name: str, text: str, least: int, most: int) -> int:
    if not _NUMBER.fullmatch(text) or not least <= int(text) <= most:
        raise InvalidValueError(f"rule must have a number from {least} to {most:,} as {name}")
    return int(text)


def _signed(name: str, text: str, most: int) -> int:
    if not _SIGNED_NUMBER.fullmatch(text) or not 1 <= abs(int(text)) <= most:
        raise InvalidValueError(f"rule must have numbers from 1 to {most} or -1 to -{most} as {name}")
    return int(text)


def _weekday(text: str) -> tuple[int, int]:
    match = _WEEKDAY.fullmatch(text)
    if match is None or (match["ordinal"] and not 1 <= abs(int(match["ordinal"])) <= WEEKS_OF_YEAR):
        raise InvalidValueError(
            "rule must have weekdays (MO, TU, WE, TH, FR, SA, SU) as BYDAY, each with or without a number "
            "from 1 to 53 or -1 to -53"
        )
    return _WEEKDAYS[match["weekday"]], int(match["ordinal"] or 0)


def _week_start(text: str) -> int:
    if text not in _WEEKDAYS:
        raise InvalidValueError(f"rule must have one of {', '.join(_WEEKDAYS)} as WKST")
    return _WEEKDAYS[text]


def _until(text: str) -> date | datetime:
    match = _UNTIL.fullmatch(text)
    try:
        if match is not None and not match["time"]:
            return date.fromisoformat(text)
        if match is not None:
            moment = datetime.fromisoformat(text.removesuffix("Z"))
            return moment.replace(tzinfo=UTC) if match["utc"] else moment
    except ValueError as error:
        raise InvalidValueError(f"rule must have a day and time that exist as UNTIL ({error})") from error
    raise InvalidValueError(
        "rule must have a day (20261231), a local time (20261231T170000) or an instant (20261231T170000Z) as UNTIL"
    )


def _check_together(rule: Rule) -> None:
    if rule.count is not None and rule.until is not None:
        raise InvalidValueError("rule must not use COUNT and UNTIL together")
    if rule.nth_weekdays and rule.frequency in {Frequency.DAILY, Frequency.WEEKLY}:
        raise InvalidValueError("rule must not use numbers in BYDAY unless FREQ is MONTHLY or YEARLY")
    in_months = rule.frequency is Frequency.MONTHLY or bool(rule.months)
    if in_months and any(abs(ordinal) > WEEKS_OF_MONTH for _, ordinal in rule.nth_weekdays):
        raise InvalidValueError(
            f"rule must not use numbers beyond {WEEKS_OF_MONTH} in BYDAY if FREQ is MONTHLY or BYMONTH is used"
        )
    if rule.month_days and rule.frequency is Frequency.WEEKLY:
        raise InvalidValueError("rule must not use BYMONTHDAY if FREQ is WEEKLY")
    if rule.positions and not (rule.has_days or rule.months):
        raise InvalidValueError("rule must not use BYSETPOS without BYDAY, BYMONTHDAY or BYMONTH")
    longest = _LONGEST[rule.frequency]
    if any(abs(position) > longest for position in rule.positions):
        raise InvalidValueError(f"rule must not use BYSETPOS beyond {longest} if FREQ is {rule.frequency}")
