"""Time zones by their names in the IANA database.

The rules are those of the package tzdata, also where the operating system has its own: every instance computes the same
dates, and governments change clocks more often than systems are updated.
"""

from functools import cache
from importlib.resources import files
from typing import Final
from zoneinfo import ZoneInfo

from todo_api.domain.errors import InvalidValueError

_DATABASE: Final = files("tzdata")


def is_time_zone(name: str) -> bool:
    """Return whether this is the name of a time zone, in the database's own spelling: `Europe/Berlin`, `UTC`."""
    return name in _names()


def zone(name: str) -> ZoneInfo:
    """Return the time zone of this name.

    Raises:
        InvalidValueError: There is no such zone. Upper and lower case differ, on every file system.
    """
    if not is_time_zone(name):
        raise InvalidValueError("must be the name of a time zone, such as Europe/Berlin")
    return _zone(name)


@cache
def _names() -> frozenset[str]:
    return frozenset(_DATABASE.joinpath("zones").read_text(encoding="ascii").split())


@cache  # of at most the 600 names
def _zone(name: str) -> ZoneInfo:
    with _DATABASE.joinpath("zoneinfo", *name.split("/")).open("rb") as rules:
        return ZoneInfo.from_file(rules, key=name)
