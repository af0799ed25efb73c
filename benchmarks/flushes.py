"""What the disk costs: writes on 100 connections, while the flushes of PostgreSQL's log take longer or are left out.

    python -m benchmarks.flushes

A commit waits for a flush (fsync) of the log, and one flush serves all commits that wait at that moment. A slower disk
is simulated by `commit_delay` with `commit_siblings = 0`: PostgreSQL sleeps before each flush. The variants take
interleaved turns on one server; each figure is the median of the turns.
"""

import argparse
import asyncio
import statistics
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import uvloop

from benchmarks.__main__ import migrate
from benchmarks.calls import create_tasks, make_calls
from benchmarks.disk import DiskProbe
from benchmarks.load import Call, Sample, run
from benchmarks.report import percentile
from benchmarks.servers import SERVICE, Server, pin_to_second_core, serve
from benchmarks.tokens import published_keys
from todo_api.dev.postgres import open_server

CALLS = ("create", "update")
POOLS = (10, 40)
SYNCS = 2000
LOG = """
SELECT sum(fsyncs)::float8 flushes, sum(fsync_time)::float8 milliseconds,
       pg_current_wal_insert_lsn() - '0/0'::pg_lsn bytes
  FROM pg_stat_io WHERE object = 'wal'
"""


@dataclass(frozen=True, slots=True)
class Variant:
    """Settings of PostgreSQL, and the connections of the service's pool."""

    name: str
    settings: Mapping[str, str]
    pool: int = POOLS[0]
    checkpoint: bool = False  # before each turn: the first change of each page after it logs the whole page


def slower(milliseconds: int, pool: int = POOLS[0]) -> Variant:
    settings = {"commit_delay": f"{milliseconds * 1000}", "commit_siblings": "0"}
    return Variant(f"each flush takes {milliseconds} ms more", settings, pool)


VARIANTS = [
    Variant("this disk", {}),
    Variant("no flush (fsync = off)", {"fsync": "off"}),
    Variant("a flush that no commit waits for (synchronous_commit = off)", {"synchronous_commit": "off"}),
    Variant("after a checkpoint", {}, checkpoint=True),
    Variant("after a checkpoint, compressed (wal_compression = pglz)", {"wal_compression": "pglz"}, checkpoint=True),
    Variant("larger groups (commit_delay = 200)", {"commit_delay": "200"}),
    slower(1),
    slower(5),
    slower(20),
    slower(20, pool=POOLS[1]),
]


@dataclass(frozen=True, slots=True)
class Log:
    """What PostgreSQL has written to its log: the number of flushes, the milliseconds they took, and the bytes."""

    flushes: float
    milliseconds: float
    bytes: float

    def since(self, earlier: "Log") -> "Log":
        return Log(self.flushes - earlier.flushes, self.milliseconds - earlier.milliseconds, self.bytes - earlier.bytes)


@dataclass(frozen=True, slots=True)
class Turn:
    """The requests of a turn, and what was written to the log meanwhile."""

    sample: Sample
    log: Log


class Postgres:
    """A server whose settings change while it runs."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        self._connection = connection

    async def configure(self, settings: Mapping[str, str]) -> None:
        """Replace all settings that were made before."""
        await self._connection.execute("ALTER SYSTEM RESET ALL")
        for name, value in {"track_wal_io_timing": "on", **settings}.items():
            await self._connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
        await self._connection.execute("SELECT pg_reload_conf()")
        await asyncio.sleep(0.2)  # until the connections of the pool have read it

    async def checkpoint(self) -> None:
        await self._connection.execute("CHECKPOINT")

    async def log(self) -> Log:
        await asyncio.sleep(1.1)  # until the connections have reported what they did
        row = await self._connection.fetchrow(LOG)
        assert row
        return Log(row["flushes"], row["milliseconds"], float(row["bytes"]))


async def measure(database: str, servers: Mapping[int, Server], arguments: argparse.Namespace) -> None:
    tasks = await create_tasks(database)
    calls = [call for call in await make_calls(database, tasks) if call.name in CALLS]
    connection = await asyncpg.connect(database)
    postgres = Postgres(connection)
    turns: dict[tuple[str, int], list[Turn]] = {}
    for _ in range(arguments.rounds):
        for number, variant in enumerate(VARIANTS):
            await postgres.configure(variant.settings)
            for call in calls:
                if variant.checkpoint:
                    await postgres.checkpoint()
                turn = await _turn(postgres, call, servers[variant.pool], arguments)
                turns.setdefault((call.name, number), []).append(turn)
    await connection.close()
    _print(turns)


async def _turn(postgres: Postgres, call: Call, server: Server, arguments: argparse.Namespace) -> Turn:
    before = await postgres.log()
    sample = await run(call, server, arguments.connections, arguments.seconds)
    return Turn(sample, (await postgres.log()).since(before))


def _print(turns: Mapping[tuple[str, int], Sequence[Turn]]) -> None:
    print(
        "| call | variant | pool | requests/s | p50 ms | p99 ms | writes a flush | ms a flush | kB a write | errors |"
    )
    print("|---|---|--:|--:|--:|--:|--:|--:|--:|--:|")
    for (call, number), taken in sorted(turns.items()):
        variant = VARIANTS[number]
        rate, p50, p99, group, flush, size = (
            statistics.median(column) for column in zip(*(_figures(turn) for turn in taken), strict=True)
        )
        errors = sum(turn.sample.errors for turn in taken)
        print(
            f"| {call} | {variant.name} | {variant.pool} | {rate:,.0f} | {p50:.1f} | {p99:.1f} "
            f"| {group:.1f} | {flush:.2f} | {size:.1f} | {errors} |"
        )


def _figures(turn: Turn) -> Sequence[float]:
    sample, log, flushes = turn.sample, turn.log, max(turn.log.flushes, 1)
    return (
        sample.rate,
        percentile(sample, 50) * 1000,
        percentile(sample, 99) * 1000,
        sample.answered / flushes,
        log.milliseconds / flushes,
        log.bytes / sample.answered / 1000,
    )


def _print_disk(directory: Path) -> None:
    times = sorted(time * 1000 for time in DiskProbe(directory).sync_times(SYNCS))
    cuts = statistics.quantiles(times, n=100, method="inclusive")
    print(f"{SYNCS:,} flushes of 512 bytes, one after the other: p50 {cuts[49]:.2f} ms, p99 {cuts[98]:.2f} ms", end="")
    print(f", the longest {times[-1]:.1f} ms\n")


@contextmanager
def _services(database: str, directory: Path) -> Iterator[Mapping[int, Server]]:
    """Run a service for each size of the pool."""
    with ExitStack() as stack:
        yield {
            pool: stack.enter_context(
                serve(
                    SERVICE,
                    {"DATABASE_URL": database, "DATABASE_POOL_SIZE": f"{pool}"},
                    directory / f"{pool}.log",
                    SERVICE.port + 20 + number,
                )
            )
            for number, pool in enumerate(POOLS)
        }


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.flushes", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--rounds", type=int, default=5, help="turns of each variant")
    parser.add_argument("--seconds", type=float, default=3.0, help="how long a turn is")
    parser.add_argument("--connections", type=int, default=100)
    arguments = parser.parse_args()
    pin_to_second_core()
    with (
        published_keys(),
        tempfile.TemporaryDirectory() as directory,
        open_server(Path(directory) / "postgres") as database,
    ):
        _print_disk(Path(directory))
        migrate(database)
        with _services(database, Path(directory)) as servers:
            uvloop.run(measure(database, servers, arguments))


if __name__ == "__main__":
    main()
