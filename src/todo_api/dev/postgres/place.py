"""The files of a data directory: its locks, its sockets, and PostgreSQL's file postmaster.pid."""

import fcntl
import hashlib
import os
import re
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import IO

MAX_SOCKET_PATH = 103  # bytes, on macOS; Linux has four more
PORT = 5432


class Place:
    """A data directory, by its absolute path, and the files beside it.

    Attributes:
        data: The data directory.
        users_lock: Held shared by each user of the server, and exclusively by the supervisor while it stops the server.
        supervisor_lock: Held by the supervisor for as long as it runs.
        unfinished: A new data directory, which is renamed when it is complete.
        sockets: The directory of the server's socket.
    """

    def __init__(self, data: Path) -> None:
        self.data = data
        self.pid_file = data / "postmaster.pid"
        self.users_lock = data.with_name(f"{data.name}.lock")
        self.supervisor_lock = data.with_name(f"{data.name}.supervisor")
        self.log = data.with_name(f"{data.name}.log")
        self.unfinished = data.with_name(f"{data.name}.new")
        self.sockets = _sockets_of(data)
        # With the port, because clients would otherwise use PGPORT.
        self.url = f"postgresql://postgres@/postgres?host={self.sockets}&port={PORT}"


@dataclass(frozen=True, slots=True)
class Postmaster:
    """The content of postmaster.pid, which may be left from a server that has ended."""

    pid: int
    socket: Path | None
    ready: bool

    def accepts(self) -> bool:
        """Return whether a server listens on the socket. It does so before it is ready, and until it exits."""
        if self.socket is None:
            return False
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1)
            return client.connect_ex(os.fspath(self.socket)) == 0


def read_postmaster(place: Place) -> Postmaster | None:
    """Read postmaster.pid, if there is one; a server adds lines to it while it starts."""
    try:
        lines = [os.fsdecode(line).strip() for line in place.pid_file.read_bytes().splitlines()]
    except OSError:
        return None
    if not lines or not lines[0].isdecimal():
        return None
    _, _, _, port, directory, _, _, status = (lines + [""] * 8)[:8]
    return Postmaster(
        pid=int(lines[0]),
        socket=_socket_in(Path(directory), port) if directory else None,
        ready=status == "ready",
    )


def try_lock(file: IO[str], kind: int) -> bool:
    """Try to take a lock, `LOCK_SH` or `LOCK_EX`, without waiting; return whether that succeeded."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _sockets_of(data: Path) -> Path:
    """Return a directory with a short path, of characters that every client reads in the same way."""
    beside = data.with_name(f"{data.name}.run")
    length = len(os.fsencode(_socket_in(beside)))
    if length <= MAX_SOCKET_PATH and re.fullmatch(r"[A-Za-z0-9/._-]+", str(beside)):
        return beside
    digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    # Not tempfile's directory, whose path is long on macOS. `own_directory` makes this one safe.
    return Path("/tmp") / f"todo-api-{digest}"  # noqa: S108


def _socket_in(directory: Path, port: int | str = PORT) -> Path:
    return directory / f".s.PGSQL.{port}"
