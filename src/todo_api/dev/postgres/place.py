"""The files of one data directory: its locks, its sockets, and what PostgreSQL notes about itself in it."""

import fcntl
import hashlib
import os
import re
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import IO

LONGEST_SOCKET_PATH = 103  # bytes, on macOS; Linux has four more
PORT = 5432


@dataclass(frozen=True, slots=True)
class Place:
    """A data directory, by its absolute path, and what lies beside it."""

    data: Path

    @property
    def users_lock(self) -> Path:
        """Held shared by each user of the server, and alone by the supervisor that is stopping it."""
        return self._beside(".lock")

    @property
    def supervisor_lock(self) -> Path:
        """Held by the one supervisor for as long as it lives."""
        return self._beside(".supervisor")

    @property
    def log(self) -> Path:
        return self._beside(".log")

    @property
    def unfinished(self) -> Path:
        """Where a new data directory is made: it gets its name when it is whole."""
        return self._beside(".new")

    @property
    def sockets(self) -> Path:
        """The directory of the server's socket: beside the data, or in /tmp where that path would not do.

        Only plain characters, so that every client reads the URL in the same way.
        """
        beside = self._beside(".run")
        length = len(os.fsencode(_socket_in(beside)))
        if length <= LONGEST_SOCKET_PATH and re.fullmatch(r"[A-Za-z0-9/._-]+", str(beside)):
            return beside
        digest = hashlib.sha256(os.fsencode(self.data)).hexdigest()[:16]
        # Not tempfile's directory: on macOS that is a long path itself. See `own_directory` for why this is safe.
        return Path("/tmp") / f"todo-api-{digest}"  # noqa: S108

    @property
    def url(self) -> str:
        # The port is named because a client would take another one from PGPORT.
        return f"postgresql://postgres@/postgres?host={self.sockets}&port={PORT}"

    @property
    def pid_file(self) -> Path:
        return self.data / "postmaster.pid"

    def _beside(self, suffix: str) -> Path:
        return self.data.with_name(self.data.name + suffix)


@dataclass(frozen=True, slots=True)
class Postmaster:
    """What a server has written about itself into its data directory, which may be long ago."""

    pid: int
    socket: Path | None
    ready: bool

    def accepts(self) -> bool:
        """Is there a server behind the socket? It accepts from before it is ready until its very end."""
        if self.socket is None:
            return False
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1)
            try:
                client.connect(os.fspath(self.socket))
            except OSError:
                return False
        return True


def read_postmaster(place: Place) -> Postmaster | None:
    """The notes in postmaster.pid, or None where there are none; the lines grow while a server starts."""
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
    """Takes a lock of the kind `LOCK_SH` or `LOCK_EX` if that is possible at once, and says whether it did."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _socket_in(directory: Path, port: int | str = PORT) -> Path:
    return directory / f".s.PGSQL.{port}"
