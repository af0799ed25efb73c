import os
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

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


def test_the_database_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    berlin = zone("Europe/Berlin")
    monkeypatch.setattr("todo_api.domain.time_zones._DATABASE", None)

    assert zone("Europe/Berlin") is berlin
    assert not is_time_zone("Africa/Atlantis")


def test_the_rules_of_the_operating_system_are_not_used(tmp_path: Path) -> None:
    """An old system may have other rules than the package: here, those of Tokyo for Berlin."""
    (tmp_path / "Europe").mkdir()
    tokyo = files("tzdata").joinpath("zoneinfo", "Asia", "Tokyo").read_bytes()
    (tmp_path / "Europe" / "Berlin").write_bytes(tokyo)
    program = (
        "from datetime import datetime; from zoneinfo import ZoneInfo; from todo_api.domain.time_zones import zone\n"
        "print(*(datetime(2026, 1, 1, tzinfo=found).utcoffset() for found in (ZoneInfo('Europe/Berlin'),"
        " zone('Europe/Berlin'))))"
    )
    environment = {**os.environ, "PYTHONTZPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stdout.split() == ["9:00:00", "1:00:00"]
