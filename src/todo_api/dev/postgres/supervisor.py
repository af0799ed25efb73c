"""The process that owns the server of one data directory: `python -m todo_api.dev.postgres.supervisor`.

It prints one line: "ready", also where another supervisor is serving already, or what went wrong.
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

from todo_api.dev.postgres.binaries import Binaries
from todo_api.dev.postgres.place import PORT, Place, read_postmaster, try_lock
from todo_api.dev.postgres.unprivileged import before_exec, server_user

PAUSE = 0.05  # seconds between two looks at the locks
START_PATIENCE = 10.0  # for the processes of a killed server to go
STOP_PATIENCE = 4.0  # for a shutdown with a checkpoint; without one the next start replays the log
LONGEST_LOG = 1_000_000  # bytes
BUILTIN_LOCALES_SINCE = 17


class StartError(Exception):
    """The server does not start; the message is for the user."""


def supervise(place: Place, binaries: Binaries, options: list[str]) -> None:
    """Serves until nobody holds the users' lock, or returns at once where another supervisor does."""
    with place.supervisor_lock.open("a") as mine:
        while not try_lock(mine, fcntl.LOCK_EX):
            postmaster = read_postmaster(place)
            if postmaster and postmaster.ready and postmaster.accepts():
                _answer("ready")
                return
            time.sleep(PAUSE)
        if place.log.stat().st_size > LONGEST_LOG:
            os.truncate(place.log, 0)
        _Server(place, binaries, options).run(still_mine=lambda: _is_same(mine, place.supervisor_lock))


class _Server:
    """PostgreSQL's processes for one data directory."""

    def __init__(self, place: Place, binaries: Binaries, options: list[str]) -> None:
        self._place = place
        self._programs = binaries.directory
        self._major = binaries.major
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
        """Starts it, starts it again should it be killed, and stops it when the last user has gone."""
        self._make_data_directory()
        self._user.own_directory(self._place.data)
        self._user.own_directory(self._place.sockets)
        server = self._start()
        try:
            _answer("ready")
            with self._place.users_lock.open("a") as users:
                while not try_lock(users, fcntl.LOCK_EX):
                    if server.poll() is not None:
                        if not still_mine():  # somebody removed the directory, and may have made another one
                            return
                        server = self._start()
                    time.sleep(PAUSE)
                self._stop(server)
        finally:
            self._stop(server)

    def _make_data_directory(self) -> None:
        if (self._place.data / "PG_VERSION").exists():
            return
        unfinished = self._place.unfinished
        shutil.rmtree(unfinished, ignore_errors=True)  # of an initdb that was killed
        self._user.own_directory(unfinished)
        initdb = self._spawn("initdb", "-D", unfinished, *_initdb_options(self._major, self._options))
        if initdb.wait():
            raise StartError(f"initdb failed: {self._complaint()}")
        unfinished.rename(self._place.data)

    def _start(self) -> subprocess.Popen[bytes]:
        patience_ends = time.monotonic() + START_PATIENCE
        while True:
            _clear_leftovers(self._place)
            server = self._spawn("postgres", "-D", self._place.data, *(f"--{option}" for option in self._options))
            if self._comes_up(server):
                return server
            # It leaves the file of a server before it alone while processes of that one are still on their way out.
            if not self._place.pid_file.exists() or time.monotonic() > patience_ends:
                raise StartError(self._complaint())
            time.sleep(PAUSE)

    def _comes_up(self, server: subprocess.Popen[bytes]) -> bool:
        while server.poll() is None:
            postmaster = read_postmaster(self._place)
            if postmaster and postmaster.ready and postmaster.pid == server.pid:
                return True
            time.sleep(0.01)
        return False

    def _stop(self, server: subprocess.Popen[bytes]) -> None:
        """A fast shutdown; if that takes too long an immediate one, which loses nothing: the next start is slower."""
        for number in (signal.SIGINT, signal.SIGQUIT):
            if server.poll() is None:
                server.send_signal(number)
                with suppress(subprocess.TimeoutExpired):
                    server.wait(STOP_PATIENCE)
        with suppress(OSError):
            self._place.sockets.rmdir()  # nothing is to stay in /tmp

    def _spawn(self, program: str, *arguments: str | Path) -> subprocess.Popen[bytes]:
        needed = (self._programs / program, self._place.data, self._place.sockets)
        return subprocess.Popen(  # noqa: S603 - PostgreSQL's own programs
            [self._programs / program, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            cwd="/",
            env={**os.environ, "LC_ALL": "C", "TZ": "UTC"},  # nothing is to depend on the machine's
            preexec_fn=before_exec(self._user, needed),  # noqa: PLW1509 - this process has one thread
        )

    def _complaint(self) -> str:
        """The last thing that PostgreSQL had to say."""
        lines = [line for line in self._place.log.read_text(errors="replace").splitlines() if line.strip()]
        grave = [line for line in lines[-20:] if re.search(r"\b(FATAL|PANIC|error):", line)]
        return (grave or lines or ["it said nothing"])[-1]


def _clear_leftovers(place: Place) -> None:
    """Ends a server that lost its supervisor, or removes what one that was killed has left."""
    postmaster = read_postmaster(place)
    patience_ends = time.monotonic() + START_PATIENCE
    while postmaster and postmaster.accepts():
        if time.monotonic() > patience_ends:
            raise StartError(f"another server, process {postmaster.pid}, uses {place.data} and does not stop")
        os.kill(postmaster.pid, signal.SIGINT)
        time.sleep(PAUSE)
        postmaster = read_postmaster(place)
    if postmaster and postmaster.socket:
        # Its number may be that of another process by now, at which PostgreSQL would refuse to start. It knows that
        # its parent is no server; and it still looks whether processes of the old one use the memory named there.
        _, _, rest = place.pid_file.read_bytes().partition(b"\n")
        place.pid_file.write_bytes(b"%d\n%s" % (os.getpid(), rest))
    for leftover in place.sockets.glob(".s.PGSQL.*"):
        leftover.unlink(missing_ok=True)


def _initdb_options(major: int, settings: list[str]) -> list[str]:
    """One behaviour on every machine, whatever its locale: code point order, and case rules for all of Unicode."""
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


def _answer(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - how it talks to the process that started it
    # Whoever reads this waits for nothing more; and the server must not keep the pipe open.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def main() -> None:
    """Arguments: the data directory, the directory of the programs, their major version, settings as name=value."""
    data, binaries, major, *options = sys.argv[1:]
    os.chdir("/")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    try:
        supervise(Place(Path(data)), Binaries(Path(binaries), int(major)), options)
    except (StartError, OSError) as error:
        print(error, file=sys.stderr, flush=True)  # noqa: T201 - into the log
        _answer(" ".join(str(error).split()))
        sys.exit(1)


if __name__ == "__main__":
    main()
