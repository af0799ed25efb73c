"""`make soak`: all kinds of requests at once, valid and invalid, while the memory of the service is watched.

The exit status is 1 if memory grows, if any response is a 5xx, or if none is successful. Everything runs on this
machine; callers with bad tokens use source addresses of their own (127.0.1.0/24, available on Linux).
"""

import argparse
import asyncio
import json
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import psutil
from tests.e2e.programs import ROOT, SECRET, migrate
from tests.faults.programs import Service
from tests.ports import unused_port

from benchmarks import heap
from benchmarks.scenarios import Client, Tally
from todo_api.dev.postgres import open_server
from todo_api.dev.token import mint_token

CLIENTS = 16
USERS = 6000  # more than the token cache holds
WARM_UP = 0.25  # of the time, until the caches are full
GROWTH = 0.05  # of the median of the first third, after the warm-up
GARBAGE = 8 * 1024 * 1024  # bytes of garbage before a collection, whose threshold main.py raises to 50,000
SNAPSHOTS = 12
MEBIBYTE = 1024 * 1024


@dataclass
class Memory:
    """The resident set size of the service in bytes, each second."""

    samples: list[int] = field(default_factory=list)

    async def watch(self, process: psutil.Process, until: float) -> None:
        while time.monotonic() < until:
            self.samples.append(process.memory_info().rss)
            await asyncio.sleep(1)

    @property
    def warm(self) -> list[int]:
        """The samples after the warm-up."""
        return self.samples[int(len(self.samples) * WARM_UP) :]

    @property
    def thirds(self) -> list[float]:
        """The medians of three equal parts of the time after the warm-up."""
        size = len(self.warm) // 3
        return [statistics.median(self.warm[start : start + size]) for start in (0, size, 2 * size)]

    @property
    def grows(self) -> bool:
        first, _, last = self.thirds
        return last > first * (1 + GROWTH) + GARBAGE


async def ask_for_snapshots(process: psutil.Process, seconds: float) -> None:
    """Have `benchmarks.heap` write a snapshot at the end of each of the equal parts of the time."""
    for _ in range(SNAPSHOTS):
        await asyncio.sleep(seconds / SNAPSHOTS)
        process.send_signal(signal.SIGUSR1)


async def soak(service: Service, seconds: float, *, with_heap: bool) -> tuple[Tally, Memory]:
    assert service.process
    process = psutil.Process(service.process.pid)
    lifetime = timedelta(seconds=seconds) + timedelta(hours=1)
    users = [(name, mint_token(SECRET, name, lifetime)) for name in (f"user-{number}" for number in range(USERS))]
    tally, memory, until = Tally(), Memory(), time.monotonic() + seconds
    async with asyncio.TaskGroup() as group:
        group.create_task(memory.watch(process, until))
        if with_heap:
            group.create_task(ask_for_snapshots(process, seconds))
        for number in range(CLIENTS):
            group.create_task(Client(service.url, tally, number, users).run(until))
    return tally, memory


def report(tally: Tally, memory: Memory, seconds: float, status: int) -> None:
    first, second, third = (part / MEBIBYTE for part in memory.thirds)
    responses = ", ".join(f"{status}: {count:,}" for status, count in sorted(tally.responses.items()))
    print(f"{tally.responses.total():,} requests in {seconds:,.0f} s, and {tally.hung_up:,} connections hung up early")
    print(f"responses by status {responses}")
    print(f"no response         {dict(tally.failures) or 0}")
    print(f"memory in MiB       at the start {memory.samples[0] / MEBIBYTE:.1f}, ", end="")
    print(f"after the warm-up {memory.warm[0] / MEBIBYTE:.1f}")
    print(f"  median of thirds  {first:.1f}, {second:.1f}, {third:.1f}; at the end {memory.samples[-1] / MEBIBYTE:.1f}")
    print(f"5xx: {tally.server_errors}; the memory {'GROWS' if memory.grows else 'stays flat'}; exit status {status}")


def report_heap(folder: Path) -> list[int]:
    """Print what has grown since the warm-up; return the bytes of each snapshot."""
    taken = heap.snapshots(folder)
    sizes = [heap.size(snapshot) for snapshot in taken]
    print("Python objects, MiB " + ", ".join(f"{size / MEBIBYTE:.1f}" for size in sizes))
    print("which grew most since the warm-up:")
    for line in heap.growth(taken[int(len(taken) * WARM_UP)], taken[-1], lines=15):
        print(f"  {line}")
    return sizes


def save(file: Path, memory: Memory, seconds: float, heap_sizes: Sequence[int]) -> None:
    """Write a file for `benchmarks/plot.py`."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"seconds": seconds, "memory": memory.samples, "heap": heap_sizes}) + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make soak", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=300, help="for how long (default 300; at least 20)")
    parser.add_argument(
        "--heap", action="store_true", help="show which objects grow; the service is slower, and larger by the tracing"
    )
    parser.add_argument("--json", type=Path, help="a file for the samples, which benchmarks/plot.py draws")
    arguments = parser.parse_args()
    seconds = max(20.0, arguments.seconds)
    limits = {"RATE_LIMIT": "300/minute", "RATE_LIMIT_FAILED": "60/minute" if sys.platform == "linux" else "off"}
    with tempfile.TemporaryDirectory(prefix="todo-api-soak-") as directory:
        traced = (sys.executable, "-m", "benchmarks.heap", directory) if arguments.heap else None
        with open_server(Path(directory) / "postgres", durable=False) as url:
            migrate(url)
            settings = {"DATABASE_URL": url, "ACCESS_LOG": "true", "PYTHONPATH": f"{ROOT}", **limits}
            service = Service(Path(directory) / "service.log", unused_port(), settings, program=traced)
            try:
                service.start()
                tally, memory = asyncio.run(soak(service, seconds, with_heap=arguments.heap))
                status = service.terminate()
            finally:
                service.kill()
        report(tally, memory, seconds, status)
        sizes = report_heap(Path(directory)) if arguments.heap else []
        for line in service.logged("error")[:5]:
            print(line)
    if arguments.json:
        save(arguments.json, memory, seconds, sizes)
    return int(memory.grows or bool(tally.server_errors) or status != 0 or not tally.responses[200])


if __name__ == "__main__":
    sys.exit(main())
