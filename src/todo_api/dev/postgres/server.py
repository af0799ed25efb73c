"""The user's side: takes the lock, sees to it that a supervisor runs, and waits for the end."""

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
PATIENCE = 5.0  # seconds to wait for the server's end; it ends without this process too


@contextmanager
def open_server(data: Path, *, durable: bool = True, settings: Mapping[str, str] | None = None) -> Iterator[str]:
    """A PostgreSQL server for as long as the block runs, shared with everybody who has opened the same directory.

    Args:
        data: the data directory; made where there is none.
        durable: False for tests: faster, and a crash of the machine may cost the data.
        settings: PostgreSQL's, by name; they count when this call is the one that starts the server.

    Yields:
        The address, `postgresql://…`, of the database `postgres` for its superuser.

    Raises:
        LocalPostgresError: there is no PostgreSQL, it does not start, or the data are of another one.
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
        supervisor = _Supervisor(place, binaries, options)
        try:
            supervisor.expect_ready()
            yield place.url
        finally:
            fcntl.flock(lock, fcntl.LOCK_UN)
            _await_end(place)
            supervisor.join(0.5)


def refuse_foreign_data(place: Place, binaries: Binaries) -> None:
    """Raises LocalPostgresError where another major version, another program or another user made the directory."""
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
            f"To use these data, set POSTGRES_BIN to the directory of PostgreSQL {made_by}'s programs; to begin anew, "
            "set DATA_DIR to another directory or move this one away. To take the data along: pg_dump, then psql."
        )


class _Supervisor:
    """The supervisor process that this user starts; it goes at once where another one is serving already."""

    def __init__(self, place: Place, binaries: Binaries, options: list[str]) -> None:
        module = [sys.executable, "-P", "-m", "todo_api.dev.postgres.supervisor"]
        self._log = place.log
        with place.log.open("a") as log:
            self._process = subprocess.Popen(  # noqa: S603 - this package's own module
                [*module, place.data, binaries.directory, str(binaries.major), *options],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the users: the server goes when they have gone
                text=True,
            )
        # It may outlive this user. Whenever it ends, nothing is left of it, and nobody has to wait for it.
        self._reaper = threading.Thread(target=self._process.wait, daemon=True)
        self._reaper.start()

    def expect_ready(self) -> None:
        """Reads its one line, and raises LocalPostgresError if that is not the good one."""
        assert self._process.stdout  # noqa: S101 - it was asked for
        with self._process.stdout as pipe:
            answer = pipe.readline().strip()
        if answer != "ready":
            raise LocalPostgresError(f"PostgreSQL does not start: {answer or 'its supervisor ended'} (see {self._log})")

    def join(self, seconds: float) -> None:
        self._reaper.join(seconds)


def _await_end(place: Place) -> None:
    """Returns when the server has stopped, or when somebody else uses it."""
    end = time.monotonic() + PATIENCE
    with place.supervisor_lock.open("a") as supervisor, place.users_lock.open("a") as users:
        while not try_lock(supervisor, fcntl.LOCK_SH) and time.monotonic() < end:
            # Shared but not alone: other users. Not even shared: the supervisor is at it.
            if try_lock(users, fcntl.LOCK_SH) and not try_lock(users, fcntl.LOCK_EX):
                return
            fcntl.flock(users, fcntl.LOCK_UN)
            time.sleep(0.02)
