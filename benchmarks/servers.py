"""The programs that are measured: each a process of its own with one worker, on the first core."""

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
    """How to start it, and what it can do."""

    name: str
    module: tuple[str, ...]
    port: int
    knows_conditions: bool = False


def _by_uvicorn(app: str) -> tuple[str, ...]:
    return ("uvicorn", app, *_UVICORN)


SERVICE = Program("service", ("todo_api", "serve"), 8931, knows_conditions=True)
CEILING = Program("ceiling", _by_uvicorn("benchmarks.ceiling:app"), 8932)
REPLACED = Program("replaced", _by_uvicorn("benchmarks.replaced:app"), 8933)

# The service does all that it does in production; nobody reaches this limit, but every request counts towards it.
UNREACHABLE_LIMIT = {"RATE_LIMIT": "1000000000/minute"}


@dataclass(frozen=True, slots=True)
class Server:
    """A running program."""

    port: int
    process: psutil.Process
    knows_conditions: bool

    def cpu_seconds(self) -> float:
        """Return the processor time that it has used so far."""
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def memory_bytes(self) -> int:
        """Return how much memory it has in use."""
        return int(self.process.memory_info().rss)


@contextlib.contextmanager
def serve(
    program: Program, environment: Mapping[str, str], log: Path, port: int | None = None, *, pinned: bool = True
) -> Iterator[Server]:
    """Run the program, on the first core if it is pinned, for as long as the block runs; its log goes to the file."""
    port = port or program.port
    command = [sys.executable, "-m", *program.module, "--port", str(port)]
    settings = {**os.environ, **UNREACHABLE_LIMIT, **environment}
    with (
        log.open("wb") as output,
        subprocess.Popen(command, env=settings, stdout=subprocess.DEVNULL, stderr=output) as process,
    ):
        try:
            if pinned:
                _pin(process.pid, 0)
            _wait_for(port, process)
            yield Server(port, psutil.Process(process.pid), program.knows_conditions)
        finally:
            process.send_signal(signal.SIGTERM)


def pin_to_second_core() -> None:
    """Leave the first core to the servers; the load generator and, as its child, the database take the second."""
    _pin(0, 1)


def _pin(pid: int, core: int) -> None:
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(pid, {core})


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(ConnectionError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.05)
    raise RuntimeError("the server did not start")
