"""`make bench`: the service beside the least that a Python process can do, in one run and by turns.

Prints requests per second, latencies, the server's processor time and the round trips to the database, and how many
times the ceiling's processor time the service takes; then, what open streams of events cost. Everything is on this
machine: the server on the first core, the load generator and PostgreSQL on the second. The service does all it does in
production, but for the access log.
"""

import argparse
import asyncio
import itertools
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import asyncpg
import jwt
import msgspec
import uvloop
from tests.postgres.proxy import open_proxy

from benchmarks.load import Call, Sample, run
from benchmarks.servers import CEILING, SERVICE, Server, pin_to_second_core, serve
from benchmarks.streams import Reader, StreamsSample, measure_streams
from todo_api.adapters.http.sync_tokens import encode_sync_token
from todo_api.domain.changes import SyncPoint
from todo_api.local_postgres import open_server

USERS = [f"user-{number}" for number in range(100)]  # a write waits for the one before of its user alone
TASKS = 100  # of each
SECRET = "benchmark-secret-of-32-characters-or-more"
TOKENS = {
    user: jwt.encode({"sub": user, "exp": int(time.time()) + 86_400}, SECRET, algorithm="HS256") for user in USERS
}
PORTS = {"service": 8931, "ceiling": 8932}


@dataclass(slots=True)
class Row:
    """What one program did in all rounds of one call at one number of connections."""

    latencies: list[float] = field(default_factory=list)
    answered: int = 0
    errors: int = 0
    seconds: float = 0.0
    cpu: float = 0.0

    def add(self, sample: Sample, cpu: float) -> None:
        self.latencies += sample.latencies
        self.answered += sample.answered
        self.errors += sample.errors
        self.seconds += sample.seconds
        self.cpu += cpu

    @property
    def cpu_per_request(self) -> float:
        return self.cpu / self.answered

    def percentile(self, percent: int) -> float:
        return statistics.quantiles(self.latencies, n=100, method="inclusive")[percent - 1]


def http(user: str, method: str, path: str, body: Mapping[str, object] | None = None, more: str = "") -> bytes:
    content = b"" if body is None else msgspec.json.encode(body)
    # The service reads the user from the token, the ceiling from the header.
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKENS[user]}\r\nX-User: {user}\r\n"
    head += more
    if body is not None:
        head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
    return head.encode() + b"\r\n" + content


def ask_for_changes(user: str, since: int) -> bytes:
    """The service reads the token, the ceiling the header; both answer 304 where nothing has changed."""
    token = encode_sync_token(user, SyncPoint(since))
    more = f'X-Since: {since}\r\nIf-None-Match: "{token}"\r\n'
    return http(user, "GET", f"/api/tasks/changes?since={token}&limit=100", more=more)


async def make_calls(database: str, tasks: list[tuple[str, str]]) -> list[Call]:
    """Return the calls; `tasks` are users and ids of tasks of theirs."""
    some, number = itertools.cycle(tasks), itertools.count()
    revisions = await read_revisions(database)
    behind = itertools.cycle([ask_for_changes(user, recent) for user, (recent, _) in revisions.items()])
    up_to_date = itertools.cycle([ask_for_changes(user, current) for user, (_, current) in revisions.items()])

    def about_a_task(method: str, body: Callable[[], Mapping[str, object] | None]) -> bytes:
        user, task_id = next(some)
        return http(user, method, f"/api/tasks/{task_id}", body())

    return [
        Call("list 50", lambda: http(next(some)[0], "GET", "/api/tasks?limit=50"), 200),
        Call("get", lambda: about_a_task("GET", lambda: None), 200),
        Call(f"{FEW} changes", lambda: next(behind), 200),
        Call("no change", lambda: next(up_to_date), 304),
        Call("create", lambda: http(next(some)[0], "POST", "/api/tasks", {"title": f"Task {next(number)}"}), 201),
        Call("update", lambda: about_a_task("PATCH", lambda: {"title": f"Changed {next(number)}"}), 200),
    ]


FILL = f"""
INSERT INTO users (id, revision, created_at) SELECT unnest($1::text[]), {TASKS}, now();
"""
FILL_TASKS = f"""
INSERT INTO tasks (user_id, id, title, title_key, description, completed, created_at, updated_at, revision)
SELECT owner, gen_random_uuid(), 'Task ' || n, 'task ' || n, repeat('What there is to say of it. ', 3), false,
       now() - n * interval '1 minute', now(), n
  FROM generate_series(1, {TASKS}) n, unnest($1::text[]) owner
RETURNING user_id, id::text
"""


FEW = 5
REVISIONS = f"""
SELECT id, (SELECT revision FROM tasks WHERE user_id = users.id ORDER BY revision DESC LIMIT 1 OFFSET {FEW - 1}),
       revision
  FROM users
"""


async def create_tasks(database: str) -> list[tuple[str, str]]:
    """Give the users some tasks, and return each with its user, no two of one user side by side."""
    connection = await asyncpg.connect(database)
    await connection.execute(FILL, USERS)
    tasks = [tuple(row) for row in await connection.fetch(FILL_TASKS, USERS)]
    await connection.execute("ANALYZE")
    await connection.close()
    return tasks


async def read_revisions(database: str) -> dict[str, tuple[int, int]]:
    """Return for each user the revision before the last few changes, and the one after them."""
    connection = await asyncpg.connect(database)
    rows = await connection.fetch(REVISIONS)
    await connection.close()
    return {user: (recent - 1, current) for user, recent, current in rows}


def migrate(database: str) -> None:
    command = [sys.executable, "-m", "alembic", "upgrade", "head"]
    subprocess.run(command, check=True, env={**os.environ, "DATABASE_URL": database}, stderr=subprocess.DEVNULL)


async def measure(server: Server, call: Call, connections: int, seconds: float, row: Row) -> None:
    before = server.cpu_seconds()
    sample = await run(call, server.port, connections, seconds)
    row.add(sample, server.cpu_seconds() - before)


async def count_round_trips(
    database: str, environment: Mapping[str, str], tasks: list[tuple[str, str]]
) -> dict[str, float]:
    """Return how many round trips to the database the service takes for each call, after the first few."""
    counts = {}
    async with open_proxy(database) as proxy:
        app = serve(SERVICE, PORTS["service"] + 10, {**environment, "DATABASE_URL": proxy.url})
        with ExitStack() as stack:
            server = await asyncio.to_thread(stack.enter_context, app)
            for call in await make_calls(database, tasks):
                await run(call, server.port, 1, 0.3)
                before = proxy.round_trips
                sample = await run(call, server.port, 1, 0.3)
                counts[call.name] = (proxy.round_trips - before) / sample.answered
            await asyncio.to_thread(stack.close)
    return counts


async def compare(database: str, arguments: argparse.Namespace) -> None:
    environment = {"DATABASE_URL": database, "BETTER_AUTH_SECRET": SECRET, "ACCESS_LOG": "false"}
    tasks = await create_tasks(database)
    with ExitStack() as stack:
        service = stack.enter_context(serve(SERVICE, PORTS["service"], environment))
        ceiling = stack.enter_context(serve(CEILING, PORTS["ceiling"], environment))
        round_trips = await count_round_trips(database, environment, tasks)
        print_head()
        for call in await make_calls(database, tasks):
            for connections in arguments.connections:
                rows = {"service": Row(), "ceiling": Row()}
                for _ in range(arguments.rounds):
                    await measure(service, call, connections, arguments.seconds, rows["service"])
                    await measure(ceiling, call, connections, arguments.seconds, rows["ceiling"])
                print_rows(call.name, connections, rows, round_trips[call.name])
        await follow(database, service, arguments)


async def follow(database: str, service: Server, arguments: argparse.Namespace) -> None:
    revisions = await read_revisions(database)
    readers = [
        Reader(
            http(user, "GET", f"/api/tasks/events?since={encode_sync_token(user, SyncPoint(current))}"),
            partial(http, user, "POST", "/api/tasks", {"title": "What is new"}),
        )
        for user, (_, current) in revisions.items()
    ]
    sample = await measure_streams(service, readers, arguments.streams, arguments.idle, arguments.writes)
    print_streams(arguments.streams, sample)


def print_head() -> None:
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, one worker, pool of 10\n")
    print("| call | connections | program | requests/s | p50 ms | p99 ms | CPU ms | ratio | round trips | errors |")
    print("|---|--:|---|--:|--:|--:|--:|--:|--:|--:|")


def print_rows(name: str, connections: int, rows: Mapping[str, Row], round_trips: float) -> None:
    ratio = rows["service"].cpu_per_request / rows["ceiling"].cpu_per_request
    for program, row in rows.items():
        extra = f"{ratio:.2f} | {round_trips:.2f}" if program == "service" else "1 | "
        print(
            f"| {name} | {connections} | {program} | {len(row.latencies) / row.seconds:,.0f} "
            f"| {row.percentile(50) * 1000:.2f} | {row.percentile(99) * 1000:.2f} "
            f"| {row.cpu_per_request * 1000:.3f} | {extra} | {row.errors} |",
            flush=True,
        )


def print_streams(streams: int, sample: StreamsSample) -> None:
    percentiles = statistics.quantiles(sample.latencies, n=100, method="inclusive")
    print("\n| open streams | CPU of a core while idle | p50 ms from answer to event | p99 ms | errors |")
    print("|--:|--:|--:|--:|--:|")
    print(
        f"| {streams:,} | {sample.idle_cpu / sample.idle_seconds:.1%} | {percentiles[49] * 1000:.2f} "
        f"| {percentiles[98] * 1000:.2f} | {sample.errors} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 32, 100])
    parser.add_argument("--rounds", type=int, default=3, help="turns that each program gets")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long a turn is")
    parser.add_argument("--streams", type=int, default=1000, help="streams of events that are open at once")
    parser.add_argument("--idle", type=float, default=15.0, help="seconds during which they have nothing to tell")
    parser.add_argument("--writes", type=int, default=100, help="writes that they tell of after that")
    arguments = parser.parse_args()
    pin_to_second_core()
    with tempfile.TemporaryDirectory() as directory, open_server(Path(directory) / "postgres") as database:
        migrate(database)
        uvloop.run(compare(database, arguments))


if __name__ == "__main__":
    main()
