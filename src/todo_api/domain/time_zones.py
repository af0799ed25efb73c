"""Time zones by their names in the IANA database."""

from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from todo_api.domain.errors import InvalidValueError

# What an operating system keeps beside the zones of the database: they mean something else on each machine.
_OF_THIS_MACHINE = frozenset({"localtime", "posixrules"})


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
    return frozenset(available_timezones() - _OF_THIS_MACHINE)


@cache  # of at most the 600 names
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
