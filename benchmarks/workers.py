"""Scaling: requests per second of `serve --workers 2` as a multiple of one worker's, in interleaved turns.

    python -m benchmarks.workers

The load generator and PostgreSQL need cores of their own. With fewer than four cores, each worker is limited to a fifth
of one by a control group, which needs root.
"""

import argparse
import asyncio
import contextlib
import os
import statistics
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import uvloop

from benchmarks.__main__ import migrate
from benchmarks.calls import create_tasks, make_calls
from benchmarks.load import Sample, run
from benchmarks.servers import SERVICE, Server, serve
from benchmarks.tokens import published_keys
from todo_api.dev.postgres import open_server

GROUPS = Path("/sys/fs/cgroup")
PERIOD = 20_000  # microseconds; short, so that workers only pause briefly
SHARE = 0.2
ENOUGH_CORES = 4


@contextlib.contextmanager
def limited(pids: list[int]) -> Iterator[None]:
    """Limit each process to its share of a core for the duration of the block."""
    groups = [_group(f"todo-api-bench-{pid}") for pid in pids]
    try:
        for pid, group in zip(pids, groups, strict=True):
            (group / "cgroup.procs").write_text(str(pid))
        yield
    finally:
        for pid, group in zip(pids, groups, strict=True):
            (group.parent / "cgroup.procs").write_text(str(pid))
            group.rmdir()


def _group(name: str) -> Path:
    quota = int(PERIOD * SHARE)
    if (GROUPS / "cgroup.controllers").exists():
        group = GROUPS / name
        group.mkdir()
        (group / "cpu.max").write_text(f"{quota} {PERIOD}")
        return group
    group = GROUPS / "cpu" / name
    group.mkdir()
    (group / "cpu.cfs_period_us").write_text(str(PERIOD))
    (group / "cpu.cfs_quota_us").write_text(str(quota))
    return group


def workers_of(server: Server) -> list[int]:
    """Return the process ids of the workers, or of the program itself if it has none."""
    children = [child for child in server.process.children() if "--multiprocessing-fork" in child.cmdline()]
    return [child.pid for child in children or [server.process]]


async def measure(database: str, arguments: argparse.Namespace) -> dict[str, dict[int, list[Sample]]]:
    tasks = await create_tasks(database)
    calls = [call for call in await make_calls(database, tasks) if call.name in arguments.calls]
    samples: dict[str, dict[int, list[Sample]]] = {call.name: {1: [], 2: []} for call in calls}
    with tempfile.TemporaryDirectory() as directory:
        for _ in range(arguments.rounds):
            for workers in (1, 2):
                program = replace(SERVICE, module=(*SERVICE.module, "--workers", str(workers)))
                with serve(program, {"DATABASE_URL": database}, Path(directory) / "log", pinned=False) as server:
                    await asyncio.sleep(arguments.start)
                    few_cores = (os.cpu_count() or 1) < ENOUGH_CORES
                    with limited(workers_of(server)) if few_cores else contextlib.nullcontext():
                        for call in calls:
                            samples[call.name][workers].append(await run(call, server, 32, arguments.seconds))
                    assert len(workers_of(server)) == workers
    return samples


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.workers", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--calls", nargs="+", default=["list 50", "get", "create"])
    parser.add_argument("--rounds", type=int, default=3, help="turns that each number of workers gets")
    parser.add_argument("--seconds", type=float, default=4.0, help="how long a turn is")
    parser.add_argument("--start", type=float, default=5.0, help="seconds for all workers to start")
    arguments = parser.parse_args()
    with (
        published_keys(),
        tempfile.TemporaryDirectory() as directory,
        open_server(Path(directory) / "postgres") as database,
    ):
        migrate(database)
        samples = uvloop.run(measure(database, arguments))
    print(f"{psutil.cpu_count()} cores\n\n| call | one worker, requests/s | two | ratio | errors |")
    print("|---|--:|--:|--:|--:|")
    for name, turns in samples.items():
        one, two = (statistics.median(sample.rate for sample in turns[workers]) for workers in (1, 2))
        errors = sum(sample.errors for samples in turns.values() for sample in samples)
        print(f"| {name} | {one:,.0f} | {two:,.0f} | {two / one:.2f} | {errors} |")


if __name__ == "__main__":
    main()
