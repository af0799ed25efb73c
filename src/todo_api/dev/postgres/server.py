"""The client of the supervisor: take the lock, start the supervisor, and wait until the server has stopped."""

import fcntl
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from todo_api.dev.postgres.binaries import Binaries, LocalPostgresError, find_binaries
from todo_api.dev.postgres.place import Place, try_lock

NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}
STOP_TIMEOUT = 5.0  # seconds to wait for the server to stop, which it also does without this process


@contextmanager
def open_server(data: Path, *, durable: bool = True, settings: Mapping[str, str] | None = None) -> Iterator[str]:
    """Run a PostgreSQL server while the block runs, shared by all processes that open the same directory.

    Args:
        data: The data directory, which is created if necessary.
        durable: False for tests: faster, but a crash of the machine may lose the data.
        settings: PostgreSQL's settings by name; they apply if this call starts the server.

    Yields:
        The URL, `postgresql://…`, of the database `postgres`, as its superuser.

    Raises:
        LocalPostgresError: PostgreSQL is missing or does not start, or the data belong to another version or user.
    """
    place = Place(data.expanduser().resolve())
    binaries = find_binaries()
    options = [f"{name}={value}" for name, value in {**({} if durable else NOT_DURABLE), **(settings or {})}.items()]
    try:
        place.data.parent.mkdir(parents=True, exist_ok=True)
        refuse_foreign_data(place, binaries)
        lock = place.users_lock.open("a")
    except OSError as error:
        raise LocalPostgresError(f"{error.filename}: {error.strerror}. DATA_DIR names another directory.") from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_SH)  # waits while a supervisor is stopping the server
        supervisor = _start_supervisor(place, binaries, options)
        # The supervisor may outlive this process; the thread only prevents a zombie.
        reaper = threading.Thread(target=supervisor.wait, daemon=True)
        reaper.start()
        try:
            _expect_ready(supervisor, place.log)
            yield place.url
        finally:
            fcntl.flock(lock, fcntl.LOCK_UN)
            _wait_for_end(place)
            reaper.join(0.5)


def refuse_foreign_data(place: Place, binaries: Binaries) -> None:
    """Raise LocalPostgresError if the directory belongs to another major version, program or user."""
    if not place.data.exists():
        return
    if os.geteuid() not in {0, place.data.stat().st_uid}:
        raise LocalPostgresError(
            f"{place.data} belongs to another user: start as that user, or set DATA_DIR to another directory."
        )
    version = place.data / "PG_VERSION"
    if not version.exists():
        if any(place.data.iterdir()):
            raise LocalPostgresError(f"{place.data} has files that are not PostgreSQL's: set DATA_DIR to another one.")
        return
    made_by = version.read_text().strip()
    if made_by != str(binaries.major):
        raise LocalPostgresError(
            f"{place.data} was made by PostgreSQL {made_by}, and {binaries.directory} has PostgreSQL {binaries.major}. "
            f"To use these data, set POSTGRES_BIN to the directory of PostgreSQL {made_by}'s programs; to start over, "
            "set DATA_DIR to another directory or move this one away. To take the data along: pg_dump, then psql."
        )


def _start_supervisor(place: Place, binaries: Binaries, options: list[str]) -> subprocess.Popen[str]:
    """Start a supervisor, which exits at once if there is one already."""
    module = [sys.executable, "-P", "-m", "todo_api.dev.postgres.supervisor"]
    with place.log.open("a") as log:
        return subprocess.Popen(  # noqa: S603 - this package's own module
            [*module, place.data, binaries.directory, str(binaries.major), *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,  # Ctrl-C must only reach the users; the server stops after them
            text=True,
        )


def _expect_ready(supervisor: subprocess.Popen[str], log: Path) -> None:
    """Read the supervisor's line, and raise LocalPostgresError unless it says that the server is ready."""
    assert supervisor.stdout  # noqa: S101 - it was asked for
    with supervisor.stdout as pipe:
        line = pipe.readline().strip()
    if line != "ready":
        raise LocalPostgresError(f"PostgreSQL does not start: {line or 'its supervisor ended'} (see {log})")


def _wait_for_end(place: Place) -> None:
    """Wait until the server has stopped, or another process uses it."""
    end = time.monotonic() + STOP_TIMEOUT
    with place.supervisor_lock.open("a") as supervisor, place.users_lock.open("a") as users:
        while not try_lock(supervisor, fcntl.LOCK_SH) and time.monotonic() < end:
            # Shared but not exclusive: other users. Not even shared: the supervisor is stopping the server.
            if try_lock(users, fcntl.LOCK_SH) and not try_lock(users, fcntl.LOCK_EX):
                return
            fcntl.flock(users, fcntl.LOCK_UN)
            time.sleep(0.02)
