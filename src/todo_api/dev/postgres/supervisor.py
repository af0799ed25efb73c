"""The process that owns the server of one data directory: `python -m todo_api.dev.postgres.supervisor`.

It prints one line: "ready", even if another supervisor is already running, or the error.
"""

import fcntl
import locale
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

from todo_api.dev.postgres.binaries import Binaries, LocalPostgresError
from todo_api.dev.postgres.place import PORT, Place, read_postmaster, try_lock
from todo_api.dev.postgres.unprivileged import before_exec, server_user

POLL_INTERVAL = 0.05  # seconds
START_TIMEOUT = 10.0  # seconds for the processes of a killed server to exit
STOP_TIMEOUT = 4.0  # seconds for a shutdown with a checkpoint; without one the next start replays the log
MAX_LOG_SIZE = 1_000_000  # bytes
BUILTIN_LOCALES_SINCE = 17


def supervise(place: Place, binaries: Binaries, options: list[str]) -> None:
    """Run the server until no process holds the users' lock, or return at once if another supervisor runs."""
    with place.supervisor_lock.open("a") as mine:
        while not try_lock(mine, fcntl.LOCK_EX):
            postmaster = read_postmaster(place)
            if postmaster and postmaster.ready and postmaster.accepts():
                _report("ready")
                return
            time.sleep(POLL_INTERVAL)
        if place.log.stat().st_size > MAX_LOG_SIZE:
            os.truncate(place.log, 0)
        _Server(place, binaries, options).run(still_mine=lambda: _is_same(mine, place.supervisor_lock))


class _Server:
    """PostgreSQL's processes for one data directory."""

    def __init__(self, place: Place, binaries: Binaries, options: list[str]) -> None:
        self._place = place
        self._binaries = binaries
        self._user = server_user(place.data)
        self._options = [
            f"unix_socket_directories={place.sockets}",
            "unix_socket_permissions=0700",
            "listen_addresses=",
            f"port={PORT}",
            "timezone=UTC",
            "log_timezone=UTC",
            *options,
        ]

    def run(self, *, still_mine: Callable[[], bool]) -> None:
        """Start the server, restart it if it is killed, and stop it after the last user."""
        self._make_data_directory()
        self._user.own_directory(self._place.data)
        self._user.own_directory(self._place.sockets)
        server = self._start()
        try:
            _report("ready")
            with self._place.users_lock.open("a") as users:
                while not try_lock(users, fcntl.LOCK_EX):
                    if server.poll() is not None:
                        if not still_mine():  # the directory was removed, and perhaps created again
                            return
                        server = self._start()
                    time.sleep(POLL_INTERVAL)
                self._stop(server)
        finally:
            self._stop(server)

    def _make_data_directory(self) -> None:
        if (self._place.data / "PG_VERSION").exists():
            return
        unfinished = self._place.unfinished
        shutil.rmtree(unfinished, ignore_errors=True)  # from an initdb that was killed
        self._user.own_directory(unfinished)
        initdb = self._spawn("initdb", "-D", unfinished, *_initdb_options(self._binaries.major, self._options))
        if initdb.wait():
            raise LocalPostgresError(f"initdb failed: {self._last_message()}")
        unfinished.rename(self._place.data)

    def _start(self) -> subprocess.Popen[bytes]:
        deadline = time.monotonic() + START_TIMEOUT
        while True:
            _clear_leftovers(self._place)
            server = self._spawn("postgres", "-D", self._place.data, *(f"--{option}" for option in self._options))
            if self._comes_up(server):
                return server
            # PostgreSQL refuses to start, and keeps this file, while processes of the previous server still exit.
            if not self._place.pid_file.exists() or time.monotonic() > deadline:
                raise LocalPostgresError(self._last_message())
            time.sleep(POLL_INTERVAL)

    def _comes_up(self, server: subprocess.Popen[bytes]) -> bool:
        while server.poll() is None:
            postmaster = read_postmaster(self._place)
            if postmaster and postmaster.ready and postmaster.pid == server.pid:
                return True
            time.sleep(0.01)
        return False

    def _stop(self, server: subprocess.Popen[bytes]) -> None:
        """Shut down; after a timeout, immediately, which loses no data but makes the next start slower."""
        for number in (signal.SIGINT, signal.SIGQUIT):
            if server.poll() is None:
                server.send_signal(number)
                with suppress(subprocess.TimeoutExpired):
                    server.wait(STOP_TIMEOUT)
        with suppress(OSError):
            self._place.sockets.rmdir()  # leave nothing in /tmp

    def _spawn(self, program: str, *arguments: str | Path) -> subprocess.Popen[bytes]:
        executable = self._binaries.directory / program
        needed = (executable, self._place.data, self._place.sockets)
        return subprocess.Popen(  # noqa: S603 - PostgreSQL's own programs
            [executable, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            cwd="/",
            env={**os.environ, "LC_ALL": "C", "TZ": "UTC"},  # independent of the machine's locale
            preexec_fn=before_exec(self._user, needed),  # noqa: PLW1509 - this process has one thread
        )

    def _last_message(self) -> str:
        lines = [line for line in self._place.log.read_text(errors="replace").splitlines() if line.strip()]
        grave = [line for line in lines[-20:] if re.search(r"\b(FATAL|PANIC|error):", line)]
        return (grave or lines or ["there is no message"])[-1]


def _clear_leftovers(place: Place) -> None:
    """Stop a server that lost its supervisor, and remove the files of a server that was killed."""
    postmaster = read_postmaster(place)
    deadline = time.monotonic() + START_TIMEOUT
    while postmaster and postmaster.accepts():
        if time.monotonic() > deadline:
            raise LocalPostgresError(f"another server, process {postmaster.pid}, uses {place.data} and does not stop")
        os.kill(postmaster.pid, signal.SIGINT)
        time.sleep(POLL_INTERVAL)
        postmaster = read_postmaster(place)
    if postmaster and postmaster.socket:
        # The process id may belong to another process by now, and PostgreSQL would refuse to start. It accepts the id
        # of its parent, and still checks whether processes of the previous server use the shared memory named there.
        _, _, rest = place.pid_file.read_bytes().partition(b"\n")
        place.pid_file.write_bytes(b"%d\n%s" % (os.getpid(), rest))
    for leftover in place.sockets.glob(".s.PGSQL.*"):
        leftover.unlink(missing_ok=True)


def _initdb_options(major: int, settings: list[str]) -> list[str]:
    """Make the behaviour independent of the machine's locale: code point order, and Unicode's case rules."""
    options = ["--username=postgres", "--encoding=UTF8", "--locale=C", "--auth=trust", "--no-instructions"]
    if major >= BUILTIN_LOCALES_SINCE:
        options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    elif case_rules := _unicode_ctype():
        options += [f"--lc-ctype={case_rules}"]
    return [*options, *(["--no-sync"] if "fsync=off" in settings else [])]


def _unicode_ctype() -> str | None:
    for name in ("C.UTF-8", "en_US.UTF-8"):
        try:
            locale.setlocale(locale.LC_CTYPE, name)
        except locale.Error:
            continue
        return name
    return None


def _is_same(file: IO[str], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _report(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - read by the process that started this one
    # The reader only waits for one line, and the server must not keep the pipe open.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def main() -> None:
    """Run with the data directory, the directory of the programs, their major version, and settings as name=value."""
    data, binaries, major, *options = sys.argv[1:]
    os.chdir("/")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    try:
        supervise(Place(Path(data)), Binaries(Path(binaries), int(major)), options)
    except (LocalPostgresError, OSError) as error:
        print(error, file=sys.stderr, flush=True)  # noqa: T201 - into the log
        _report(" ".join(str(error).split()))
        sys.exit(1)


if __name__ == "__main__":
    main()
