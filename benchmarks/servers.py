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

import psutil

SERVICE = ("todo_api.main:app_from_environment", "--factory")
CEILING = ("benchmarks.ceiling:app",)


@dataclass(frozen=True, slots=True)
class Server:
    """A running program."""

    port: int
    process: psutil.Process

    def cpu_seconds(self) -> float:
        """Return the processor time that it has used so far."""
        times = self.process.cpu_times()
        return float(times.user + times.system)


@contextlib.contextmanager
def serve(app: tuple[str, ...], port: int, environment: Mapping[str, str]) -> Iterator[Server]:
    """Run the application with uvicorn, as `todo-api serve` does, without an access log."""
    options = ["--port", str(port), "--no-access-log", "--no-server-header", "--loop", "uvloop", "--http", "httptools"]
    command = [sys.executable, "-m", "uvicorn", *app, *options, "--log-level", "warning"]
    with subprocess.Popen(command, env={**os.environ, **environment}) as process:
        try:
            _pin(process.pid, 0)
            _wait_for(port, process)
            yield Server(port, psutil.Process(process.pid))
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
