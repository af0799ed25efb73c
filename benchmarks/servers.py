"""The compared programs: each is a separate process with one worker, on the first core."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.tokens import ISSUER, PUBLIC_KEY

_START_TIMEOUT = 20.0  # seconds
_UVICORN = (
    "--no-access-log",
    "--no-server-header",
    "--loop",
    "uvloop",
    "--http",
    "httptools",
    "--log-level",
    "warning",
)


@dataclass(frozen=True, slots=True)
class Program:
    """How to start a program.

    Attributes:
        name: The name in the tables.
        module: What to run with `python -m`.
        port: Where it listens.
        knows_conditions: Whether it understands If-None-Match and the calls that only the service has.
        source: A folder with another version of the package, for an older checkout.
    """

    name: str
    module: tuple[str, ...]
    port: int
    knows_conditions: bool = False
    source: Path | None = None


def by_uvicorn(app: str, *options: str) -> tuple[str, ...]:
    return ("uvicorn", app, *options, *_UVICORN)


_SERVE = ("todo_api", "serve")

SERVICE = Program("service", _SERVE, 8931, knows_conditions=True)
CEILING = Program("ceiling", by_uvicorn("benchmarks.ceiling:app"), 8932)
REPLACED = Program("replaced", by_uvicorn("benchmarks.replaced:app"), 8933)


def before(source: Path) -> Program:
    """Return the service of an older checkout."""
    return Program("before", _SERVE, 8934, knows_conditions=True, source=source)


# The service runs as in production. No user reaches this limit, but every request is counted.
ENVIRONMENT = {"RATE_LIMIT": "1000000000/minute", "BETTER_AUTH_URL": ISSUER, "PUBLIC_KEY": PUBLIC_KEY}


@dataclass(frozen=True, slots=True)
class Server:
    """A running program."""

    port: int
    process: psutil.Process
    knows_conditions: bool

    def cpu_seconds(self) -> float:
        """Return the CPU time that the process has used so far."""
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def memory_bytes(self) -> int:
        """Return the resident set size of the process."""
        return int(self.process.memory_info().rss)


@contextlib.contextmanager
def serve(
    program: Program, environment: Mapping[str, str], log: Path, port: int | None = None, *, pinned: bool = True
) -> Iterator[Server]:
    """Run a program for the duration of the block, on the first core if `pinned`; its log goes to the file."""
    port = port or program.port
    command = [sys.executable, "-m", *program.module, "--port", str(port)]
    variables = {**os.environ, **ENVIRONMENT, **environment}
    if program.source:
        variables["PYTHONPATH"] = str(program.source)
    with (
        log.open("wb") as output,
        subprocess.Popen(command, env=variables, stdout=subprocess.DEVNULL, stderr=output) as process,
    ):
        try:
            if pinned:
                _pin(process.pid, 0)
            _wait_for(port, process, log)
            yield Server(port, psutil.Process(process.pid), program.knows_conditions)
        finally:
            process.send_signal(signal.SIGTERM)


def pin_to_second_core() -> None:
    """Leave the first core to the servers; the load generator and its child, the database, take the second."""
    _pin(0, 1)


def _pin(pid: int, core: int) -> None:
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(pid, {core})


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_TIMEOUT
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(ConnectionError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.05)
    raise RuntimeError(f"the server did not start: {log.read_text()[-2000:]}")
