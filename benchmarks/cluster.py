"""What a cluster of Citus costs: each call of the repository on its coordinator and on one PostgreSQL, interleaved.

    python -m benchmarks.cluster --coordinator URL --single URL

Both are empty databases, or those of an earlier run; that of the coordinator has the extension `citus` and its workers.
Prints median latencies of one caller; the CPU time of the servers, where they run on this machine; and the commands
that the coordinator sends to workers, each of which is a round trip between servers, by Citus's own log.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import psutil
from tests.citus import distribute_all, servers
from tests.domain.builders import NOW, a_task
from tests.postgres.proxy import Proxy, open_proxy

from benchmarks.__main__ import migrate
from todo_api.adapters.sqlalchemy.change_poller import REVISIONS
from todo_api.adapters.sqlalchemy.driver import DatabaseConfig
from todo_api.adapters.sqlalchemy.engine import FairEngine, create_engine
from todo_api.adapters.sqlalchemy.execution import fetch
from todo_api.adapters.sqlalchemy.hot_path import HotPath
from todo_api.adapters.sqlalchemy.task_repository import SqlAlchemyTaskRepository
from todo_api.domain.changes import SyncPoint
from todo_api.domain.listing import TaskQuery
from todo_api.domain.operations import Change
from todo_api.domain.task import Task
from todo_api.domain.task_changes import TaskChanges

LISTENERS = 1_000  # users of a poll
TASKS = 100  # of the user whose tasks are read
FILL_USERS = f"""
INSERT INTO users (id, revision, live_tasks, created_at)
SELECT 'listener-' || n, 1000000000, 0, now() FROM generate_series(1, {LISTENERS}) n ON CONFLICT DO NOTHING
"""
THIS_MACHINE = {"localhost", "127.0.0.1", "::1", None}

Call = Callable[[], Awaitable[object]]


@dataclass
class Figures:
    """What the calls of one kind took on one side: seconds each, and the CPU seconds of each server for all of them."""

    latencies: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def add(self, latencies: Sequence[float], cpu: Sequence[float]) -> None:
        self.latencies += latencies
        self.cpu = [sum(pair) for pair in zip(self.cpu, cpu, strict=True)] if self.cpu else list(cpu)

    @property
    def median(self) -> float:
        """Milliseconds."""
        return statistics.median(self.latencies) * 1000

    @property
    def cpu_of_each(self) -> list[float]:
        """Milliseconds of CPU time a call, of each server."""
        return [seconds / len(self.latencies) * 1000 for seconds in self.cpu]


@dataclass
class Side:
    """A database, and the user who makes the calls in it."""

    engine: FairEngine
    postmasters: Sequence[psutil.Process]
    repository: SqlAlchemyTaskRepository
    reader: str
    writer: str
    task: Task
    removed: list[Task] = field(default_factory=list)

    async def before(self, call: str, calls: int) -> None:
        """Create what the calls will delete."""
        if call == "delete":
            self.removed = [await self.repository.add(a_task(self.writer)) for _ in range(calls)]

    def call(self, name: str) -> Call:
        calls: dict[str, Call] = {
            "get": lambda: self.repository.get(self.reader, self.task.id),
            "list 50": lambda: self.repository.page(self.reader, TaskQuery(limit=50)),
            "100 changes": lambda: self.repository.changes(self.reader, SyncPoint(), TASKS),
            "create": lambda: self.repository.add(a_task(self.writer)),
            "update": self._update,
            "delete": lambda: self.repository.remove(self.writer, self.removed.pop().id, now=NOW),
            "batch of one": self._edit,
            "poll for 1,000 users": lambda: fetch(self.engine, REVISIONS, {"user_ids": _listeners()}),
        }
        return calls[name]

    async def _update(self) -> None:
        task = await self.repository.save(replace(self.task, description=str(uuid4())))
        assert task is not None  # nobody else writes it
        self.task = task

    async def _edit(self) -> None:
        change = Change(self.task.id, TaskChanges(description=str(uuid4())))
        edited = await self.repository.edit(self.reader, change.selection, change.apply, now=NOW, new_id=uuid4)
        self.task = edited.result

    def cpu_seconds(self) -> list[float]:
        return [_cpu_seconds(postmaster) for postmaster in self.postmasters]


CALLS = ("get", "list 50", "100 changes", "create", "update", "delete", "batch of one", "poll for 1,000 users")


def _listeners() -> list[str]:
    return [f"listener-{number}" for number in range(1, LISTENERS + 1)]


def _cpu_seconds(postmaster: psutil.Process) -> float:
    """Return the CPU time of a server so far, that of the processes that have ended included."""
    own = postmaster.cpu_times()
    total = own.user + own.system + own.children_user + own.children_system
    for child in postmaster.children(recursive=True):
        try:
            times = child.cpu_times()
        except psutil.NoSuchProcess:
            continue  # it has just ended, and is counted above the next time
        total += times.user + times.system
    return float(total)


@asynccontextmanager
async def _open(url: str, all_servers: Sequence[str]) -> AsyncIterator[Side]:
    engine = create_engine(DatabaseConfig(url=url, pool_size=1))
    repository = SqlAlchemyTaskRepository(engine, HotPath(engine))
    reader, writer = f"reader-{uuid4()}", f"writer-{uuid4()}"
    tasks = [await repository.add(a_task(reader)) for _ in range(TASKS)]
    postmasters = [found for server in all_servers if (found := await _postmaster(server))]
    yield Side(engine, postmasters, repository, reader, writer, tasks[TASKS // 2])
    await engine.dispose()


async def _postmaster(url: str) -> psutil.Process | None:
    """Return the server's first process, if it runs on this machine."""
    if urlsplit(url).hostname not in THIS_MACHINE:
        return None
    connection = await asyncpg.connect(url)
    try:
        return psutil.Process(await connection.fetchval("SELECT pg_backend_pid()")).parent()
    except psutil.NoSuchProcess:
        return None  # it is in a container
    finally:
        await connection.close()


async def compare(sides: Sequence[Side], rounds: int, calls: int) -> dict[str, list[Figures]]:
    """Return the figures of each call on each side; the first round is a warm-up."""
    found = {name: [Figures() for _ in sides] for name in CALLS}
    for number in range(rounds + 1):
        for name, side in product(CALLS, sides):
            await side.before(name, calls)
            before = side.cpu_seconds()
            latencies = [await _timed(side.call(name)) for _ in range(calls)]
            cpu = [after - then for after, then in zip(side.cpu_seconds(), before, strict=True)]
            if number:
                found[name][sides.index(side)].add(latencies, cpu)
    return found


async def _timed(call: Call) -> float:
    started = time.perf_counter()
    await call()
    return time.perf_counter() - started


@dataclass(frozen=True, slots=True)
class Commands:
    """For one call: round trips from the service to the coordinator, its commands to workers, and how many it asks."""

    round_trips: int
    commands: int
    workers: int


async def count(side: Side, proxy: Proxy) -> dict[str, Commands]:
    """Count the commands of each call; `side` uses the proxy."""
    sent: list[str] = []

    def on_message(_: Any, message: Any) -> None:
        if message.detail and message.detail.startswith("on server "):
            sent.append(message.detail.partition(" connectionId")[0])

    connection = await side.engine.raw_connection()
    driver: Any = connection.driver_connection
    await driver.execute("SET citus.log_remote_commands = on")
    driver.add_log_listener(on_message)
    connection.close()  # back into the pool
    counts = {}
    for name in CALLS:
        await side.before(name, 2)
        await side.call(name)()  # prepares its statements
        sent.clear()
        before = proxy.round_trips
        await side.call(name)()
        counts[name] = Commands(proxy.round_trips - before, len(sent), len(set(sent)))
    return counts


def _print(found: dict[str, list[Figures]], counts: dict[str, Commands]) -> None:
    print(
        "| call | one PostgreSQL, ms | Citus, ms | CPU ms of one PostgreSQL | of the coordinator | of all workers "
        "| round trips to the coordinator | commands to workers | workers asked |"
    )
    print("|---|" + "--:|" * 8)
    for name, (single, cluster) in found.items():
        coordinator, *workers = cluster.cpu_of_each or [float("nan")]
        alone, commands = single.cpu_of_each or [float("nan")], counts[name]
        print(
            f"| {name} | {single.median:.1f} | {cluster.median:.1f} | {alone[0]:.2f} | {coordinator:.2f} "
            f"| {sum(workers):.2f} | {commands.round_trips} | {commands.commands} | {commands.workers} |"
        )


async def _run(arguments: argparse.Namespace) -> None:
    await distribute_all(arguments.coordinator)
    everywhere = await servers(arguments.coordinator)
    for url in (arguments.coordinator, arguments.single):
        connection = await asyncpg.connect(url)
        await connection.execute(FILL_USERS)
        await connection.execute("VACUUM ANALYZE")
        await connection.close()
    async with open_proxy(arguments.coordinator) as proxy:
        async with _open(proxy.url, []) as side:
            counts = await count(side, proxy)
        await asyncio.gather(*proxy.connections)
    # The coordinator is asked at the given address; Citus knows it by another one.
    on_cluster = [arguments.coordinator, *(worker.url for worker in everywhere[1:])]
    async with _open(arguments.single, [arguments.single]) as single, _open(arguments.coordinator, on_cluster) as each:
        found = await compare([single, each], arguments.rounds, arguments.calls)
    _print(found, counts)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.cluster", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--coordinator", required=True, help="the URL of a database with the extension citus")
    parser.add_argument("--single", required=True, help="the URL of a database on one PostgreSQL")
    parser.add_argument("--rounds", type=int, default=6, help="turns of each call")
    parser.add_argument("--calls", type=int, default=50, help="calls of each turn")
    arguments = parser.parse_args()
    for url in (arguments.coordinator, arguments.single):
        migrate(url)
    asyncio.run(_run(arguments))


if __name__ == "__main__":
    main()
