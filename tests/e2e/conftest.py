import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from tests.e2e.programs import TODO_API, Call, Complaint, Process, Running, Start, Started, environment

from todo_api.cli.main import main


@pytest.fixture
def query() -> Callable[..., Any]:
    """Return the first value of the first row of a statement."""

    async def fetch(url: str, sql: str) -> Any:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(sql)
        finally:
            await connection.close()

    return lambda url, sql: asyncio.run(fetch(url, sql))


@dataclass(frozen=True)
class Listed:
    pid: int
    parent: int
    command: list[str]


@pytest.fixture
def postmasters() -> Callable[[Path], list[int]]:
    """Return the process ids of the servers of a data directory."""

    def find(data: Path) -> list[int]:
        servers = [
            process
            for process in _processes()
            if Path(process.command[0]).name == "postgres" and str(data) in process.command[1:]
        ]
        # A child of the server has the server's command line until it sets its own.
        pids = {server.pid for server in servers}
        return [server.pid for server in servers if server.parent not in pids]

    return find


@pytest.fixture
def supervisors() -> Callable[[Path], list[int]]:
    return lambda data: [
        process.pid
        for process in _processes()
        if "todo_api.dev.postgres.supervisor" in process.command and str(data) in process.command
    ]


@pytest.fixture
def eventually() -> Callable[..., None]:
    """Wait until a condition holds, and fail after some seconds."""

    def wait(condition: Callable[[], object], seconds: float = 10) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "the condition never held"
            time.sleep(0.02)

    return wait


@pytest.fixture
def started() -> Iterator[Started]:
    """Start programs, and stop them after the test."""
    processes: list[Process] = []

    def start(*command: str | Path, **options: Any) -> Process:
        processes.append(subprocess.Popen(command, text=True, **options))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        with process:  # closes its pipes and waits
            pass


def _processes() -> Iterator[Listed]:
    """Return every process that is not a zombie; arguments are exact where there is /proc."""
    if not Path("/proc/self/cmdline").exists():
        listing = subprocess.run(["ps", "-ewwo", "pid=,ppid=,args="], capture_output=True, text=True, check=True)
        for line in listing.stdout.splitlines():
            pid, parent, *command = line.split()
            yield Listed(int(pid), int(parent), command)
        return
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            command = (directory / "cmdline").read_bytes().rstrip(b"\0").decode(errors="replace").split("\0")
            parent = (directory / "stat").read_text().rpartition(")")[2].split()[1]
        except OSError:  # it has just exited
            continue
        if command != [""]:
            yield Listed(int(directory.name), int(parent), command)


@pytest.fixture
def start(started: Started, tmp_path: Path) -> Start:
    """Start a command that serves, and wait until it says so."""

    def run(*arguments: str, until: str = "Ctrl-C", command: tuple[str, ...] = TODO_API, **settings: str) -> Running:
        process = started(
            *command, *arguments,
            env=environment(**settings), cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        output = ""
        assert process.stdout
        while until not in output:
            line = process.stdout.readline()
            assert line, f"it ended: {output}"
            output += line
        return Running(process, output)

    return run


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The data directory of `dev`."""
    return tmp_path / ".data" / "postgres"


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Call]:
    """Run a command in this process, which is quicker; return its status, stdout and stderr."""

    def run(*arguments: str, **settings: str) -> tuple[int, str, str]:
        for name in os.environ.keys() - environment().keys():
            monkeypatch.delenv(name)
        for name, value in environment(**settings).items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path)
        try:
            status = main(arguments)
        except SystemExit as end:  # argparse's
            status = int(end.code or 0)
        return status, *capsys.readouterr()

    handler = signal.getsignal(signal.SIGTERM)
    yield run
    signal.signal(signal.SIGTERM, handler)


@pytest.fixture
def complaint(call: Call) -> Complaint:
    """Return the error line of a command that fails."""

    def run(*arguments: str, **settings: str) -> str:
        status, out, err = call(*arguments, **settings)
        assert (status, out) == (1, "")
        [line] = err.splitlines()
        return line

    return run
