"""`make bench`: compare the service with an older checkout, the replaced stack and a lower bound, in interleaved turns.

Prints requests per second, latencies, the server's CPU time and the round trips to the database, and ratios of the
CPU time to the lower bound's (raw Starlette and asyncpg) and to the older checkout's; then the cost of open event
streams. Everything runs on this machine: the server on the first core, the load generator and PostgreSQL on the
second. The service is `todo-api serve` as in production: EdDSA tokens, rate limits, request ids, an access log.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path

import uvloop
from tests.postgres.proxy import open_proxy

from benchmarks.calls import copy_tasks_for_the_replaced_stack, create_tasks, http, make_calls, read_revisions
from benchmarks.checkouts import checkout
from benchmarks.disk import DiskProbe
from benchmarks.load import Call, Sample, run
from benchmarks.report import Figures, as_json, figures, print_head, print_row, print_streams, print_summary
from benchmarks.servers import CEILING, REPLACED, SERVICE, Program, Server, before, pin_to_second_core, serve
from benchmarks.streams import Reader, measure_streams
from benchmarks.tokens import published_keys
from todo_api.adapters.http.sync_tokens import encode_sync_token
from todo_api.dev.postgres import open_server
from todo_api.domain.changes import SyncPoint

MOST_FOR_THE_REPLACED = 32  # connections; with twice as many, its threads exhaust its pool and it stops responding
MOST_REPEATS = 4  # attempts for a turn that a slow disk disturbed


class Comparison:
    """The programs, all running, and the rows measured so far."""

    def __init__(
        self, database: str, directory: Path, programs: Sequence[Program], arguments: argparse.Namespace
    ) -> None:
        self._database = database
        self._directory = directory
        self._programs = programs
        self._arguments = arguments
        self._disk = DiskProbe(directory)
        self._servers: dict[str, Server] = {}
        self._round_trips: dict[str, float] = {}
        self._repeated = 0
        self.rows: list[Figures] = []

    async def run(self) -> None:
        tasks = await create_tasks(self._database)
        with ExitStack() as stack:
            for program in self._programs:
                self._servers[program.name] = stack.enter_context(self._serve(program, self._database))
            await copy_tasks_for_the_replaced_stack(self._database)
            memory = self._servers["service"].memory_bytes()
            self._round_trips = await self._count_round_trips(tasks)
            print_head(self._arguments.rounds)
            for call in await make_calls(self._database, tasks):
                if self._arguments.calls and call.name not in self._arguments.calls:
                    continue
                for connections in self._arguments.connections:
                    await self._compare(call, connections)
            print_summary(self._repeated, memory, self._servers["service"].memory_bytes())
            if self._arguments.streams:
                await self._follow()

    async def _compare(self, call: Call, connections: int) -> None:
        can_take_part = not call.is_new and connections <= MOST_FOR_THE_REPLACED
        turns: dict[str, list[Sample]] = {name: [] for name in self._servers if can_take_part or name != REPLACED.name}
        for _ in range(self._arguments.rounds):
            for name, samples in turns.items():
                samples.append(await self._turn(call, self._servers[name], connections))
        for row in figures(call.name, connections, turns, self._round_trips):
            print_row(row)
            self.rows.append(row)

    async def _turn(self, call: Call, server: Server, connections: int) -> Sample:
        """Return a turn that the disk did not disturb, or the last of several attempts."""
        for _ in range(MOST_REPEATS):
            sample = await run(call, server, connections, self._arguments.seconds)
            if not self._disk.is_disturbed():
                break
            self._repeated += 1
        return sample

    async def _count_round_trips(self, tasks: list[tuple[str, str]]) -> dict[str, float]:
        """Return the round trips to the database per request of each call, once statements are prepared."""
        counts = {}
        async with open_proxy(self._database) as proxy:
            with ExitStack() as stack:
                app = self._serve(SERVICE, proxy.url, SERVICE.port + 10)
                server = await asyncio.to_thread(stack.enter_context, app)
                for call in await make_calls(self._database, tasks):
                    await run(call, server, 1, 0.3)
                    before = proxy.round_trips
                    sample = await run(call, server, 1, 0.3)
                    counts[call.name] = (proxy.round_trips - before) / sample.answered
                await asyncio.to_thread(stack.close)
        return counts

    async def _follow(self) -> None:
        arguments, server = self._arguments, self._servers["service"]
        readers = [
            Reader(
                http(user, "GET", f"/api/tasks/events?since={encode_sync_token(user, SyncPoint(current))}"),
                partial(http, user, "POST", "/api/tasks", {"title": "What is new"}),
            )
            for user, (_, current) in (await read_revisions(self._database)).items()
        ]
        sample = await measure_streams(server, readers, arguments.streams, arguments.idle, arguments.writes)
        print_streams(arguments.streams, sample)

    def _serve(self, program: Program, database: str, port: int | None = None) -> AbstractContextManager[Server]:
        return serve(program, {"DATABASE_URL": database}, self._directory / f"{program.name}-{port}.log", port)


def migrate(database: str) -> None:
    command = [sys.executable, "-m", "alembic", "upgrade", "head"]
    subprocess.run(command, check=True, env={**os.environ, "DATABASE_URL": database}, stderr=subprocess.DEVNULL)


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--before", metavar="REVISION", help="a Git revision of the service to compare with")
    parser.add_argument("--calls", nargs="+", help="the calls to measure, such as `get` (default: all)")
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 32, 100])
    parser.add_argument("--rounds", type=int, default=5, help="turns of each program")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long a turn is")
    parser.add_argument("--streams", type=int, default=1000, help="open event streams; 0 leaves this part out")
    parser.add_argument("--idle", type=float, default=15.0, help="seconds for which the streams are idle")
    parser.add_argument("--writes", type=int, default=100, help="writes that the streams report after that")
    parser.add_argument("--json", type=Path, help="a file for the rows, which benchmarks/plot.py draws")
    arguments = parser.parse_args()
    pin_to_second_core()
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        programs = [SERVICE, CEILING, REPLACED]
        if arguments.before:
            programs.insert(1, before(stack.enter_context(checkout(arguments.before))))
        stack.enter_context(published_keys())
        database = stack.enter_context(open_server(directory / "postgres"))
        migrate(database)
        comparison = Comparison(database, directory, programs, arguments)
        uvloop.run(comparison.run())
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps(as_json(comparison.rows), indent=1) + "\n")


if __name__ == "__main__":
    main()
