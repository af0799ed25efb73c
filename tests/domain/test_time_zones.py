import pytest

from todo_api.domain.errors import InvalidValueError
from todo_api.domain.time_zones import is_time_zone, zone


@pytest.mark.parametrize(
    "name",
    ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+12", "Pacific/Kiritimati", "US/Pacific", "EST"],
)
def test_a_name_of_the_database_is_a_time_zone(name: str) -> None:
    assert is_time_zone(name)
    assert zone(name).key == name
    assert zone(name) is zone(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        ".",
        "..",
        "/",
        "Europe",
        "Europe/",
        "Europe/Atlantis",
        "europe/berlin",
        "EUROPE/BERLIN",
        "utc",
        " Europe/Berlin",
        "Europe/Berlin\n",
        "Europe/Berlin\0",
        "\0",
        "Europe//Berlin",
        "Europe/./Berlin",
        "America/../Europe/Berlin",
        "../Europe/Berlin",
        "../../etc/passwd",
        "/etc/localtime",
        "/usr/share/zoneinfo/Europe/Berlin",
        "localtime",
        "posixrules",
        "posix/Europe/Berlin",
        "right/Europe/Berlin",
        "tzdata.zi",
        "zone.tab",
        "__init__.py",
        "UTC+2",
        "+02:00",
        "Europe/Berlın",
        "\ud83d",
        "Europe/" + "x" * 10_000,
    ],
)
def test_anything_else_is_refused(name: str) -> None:
    assert not is_time_zone(name)
    with pytest.raises(InvalidValueError, match=r"^must be the name of a time zone, such as Europe/Berlin$"):
        zone(name)


def test_the_names_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_time_zone("Europe/Berlin")
    monkeypatch.setattr("todo_api.domain.time_zones.available_timezones", lambda: pytest.fail("read again"))

    assert is_time_zone("Africa/Cairo")
    assert not is_time_zone("Africa/Atlantis")
