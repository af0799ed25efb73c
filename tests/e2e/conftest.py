import asyncio
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest


@pytest.fixture
def query() -> Callable[..., Any]:
    """The first value of the first row that a statement returns."""

    async def fetch(url: str, sql: str) -> Any:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(sql)
        finally:
            await connection.close()

    return lambda url, sql: asyncio.run(fetch(url, sql))


@dataclass(frozen=True)
class Process:
    pid: int
    parent: int
    command: list[str]


@pytest.fixture
def postmasters() -> Callable[[Path], list[int]]:
    """The servers that run on a data directory, by their process ids."""

    def find(data: Path) -> list[int]:
        servers = [
            process
            for process in _processes()
            if Path(process.command[0]).name == "postgres" and str(data) in process.command[1:]
        ]
        # A child of the server has its command until it has set one of its own.
        pids = {server.pid for server in servers}
        return [server.pid for server in servers if server.parent not in pids]

    return find


@pytest.fixture
def supervisors() -> Callable[[Path], list[int]]:
    return lambda data: [
        process.pid
        for process in _processes()
        if "todo_api.local_postgres.supervisor" in process.command and str(data) in process.command
    ]


@pytest.fixture
def eventually() -> Callable[..., None]:
    """Waits until a condition holds, and fails when it does not come to hold."""

    def wait(condition: Callable[[], object], seconds: float = 10) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "it never came to hold"
            time.sleep(0.02)

    return wait


@pytest.fixture
def started() -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Starts programs, and ends those that still run when the test is over."""
    processes: list[subprocess.Popen[str]] = []

    def start(*command: str | Path, **options: Any) -> "subprocess.Popen[str]":
        processes.append(subprocess.Popen(command, text=True, **options))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        with process:  # closes its pipes and waits
            pass


def _processes() -> Iterator[Process]:
    """Every process that is not a zombie; its arguments are exact where /proc has them."""
    if not Path("/proc/self/cmdline").exists():
        listing = subprocess.run(["ps", "-ewwo", "pid=,ppid=,args="], capture_output=True, text=True, check=True)
        for line in listing.stdout.splitlines():
            pid, parent, *command = line.split()
            yield Process(int(pid), int(parent), command)
        return
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            command = (directory / "cmdline").read_bytes().rstrip(b"\0").decode(errors="replace").split("\0")
            parent = (directory / "stat").read_text().rpartition(")")[2].split()[1]
        except OSError:  # it has just ended
            continue
        if command != [""]:
            yield Process(int(directory.name), int(parent), command)
