"""`make bench`: the service beside the least that a Python process can do, in one run and by turns.

Prints requests per second, latencies, the server's processor time and the round trips to the database, and how many
times the ceiling's processor time the service takes. Everything is on this machine: the server on the first core, the
load generator and PostgreSQL on the second. The service does all it does in production, but for the access log.
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
from pathlib import Path

import asyncpg
import jwt
import msgspec
import uvloop
from tests.postgres.proxy import open_proxy

from benchmarks.load import Call, Sample, run
from benchmarks.servers import CEILING, SERVICE, Server, pin_to_second_core, serve
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


def http(user: str, method: str, path: str, body: Mapping[str, object] | None = None) -> bytes:
    content = b"" if body is None else msgspec.json.encode(body)
    # The service reads the user from the token, the ceiling from the header.
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKENS[user]}\r\nX-User: {user}\r\n"
    if body is not None:
        head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
    return head.encode() + b"\r\n" + content


def make_calls(tasks: list[tuple[str, str]]) -> list[Call]:
    """Return the calls; `tasks` are users and ids of tasks of theirs."""
    some, number = itertools.cycle(tasks), itertools.count()

    def about_a_task(method: str, body: Callable[[], Mapping[str, object] | None]) -> bytes:
        user, task_id = next(some)
        return http(user, method, f"/api/tasks/{task_id}", body())

    return [
        Call("list 50", lambda: http(next(some)[0], "GET", "/api/tasks?limit=50"), 200),
        Call("get", lambda: about_a_task("GET", lambda: None), 200),
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


async def create_tasks(database: str) -> list[tuple[str, str]]:
    """Give the users some tasks, and return each with its user, no two of one user side by side."""
    connection = await asyncpg.connect(database)
    await connection.execute(FILL, USERS)
    tasks = [tuple(row) for row in await connection.fetch(FILL_TASKS, USERS)]
    await connection.execute("ANALYZE")
    await connection.close()
    return tasks


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
            for call in make_calls(tasks):
                await run(call, server.port, 1, 0.3)
                before = proxy.round_trips
                sample = await run(call, server.port, 1, 0.3)
                counts[call.name] = (proxy.round_trips - before) / sample.answered
            await asyncio.to_thread(stack.close)
    return counts


async def compare(database: str, arguments: argparse.Namespace) -> None:
    environment = {"DATABASE_URL": database, "BETTER_AUTH_SECRET": SECRET}
    tasks = await create_tasks(database)
    with ExitStack() as stack:
        service = stack.enter_context(serve(SERVICE, PORTS["service"], environment))
        ceiling = stack.enter_context(serve(CEILING, PORTS["ceiling"], environment))
        round_trips = await count_round_trips(database, environment, tasks)
        print_head()
        for call in make_calls(tasks):
            for connections in arguments.connections:
                rows = {"service": Row(), "ceiling": Row()}
                for _ in range(arguments.rounds):
                    await measure(service, call, connections, arguments.seconds, rows["service"])
                    await measure(ceiling, call, connections, arguments.seconds, rows["ceiling"])
                print_rows(call.name, connections, rows, round_trips[call.name])


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


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 32, 100])
    parser.add_argument("--rounds", type=int, default=3, help="turns that each program gets")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long a turn is")
    arguments = parser.parse_args()
    pin_to_second_core()
    with tempfile.TemporaryDirectory() as directory, open_server(Path(directory) / "postgres") as database:
        migrate(database)
        uvloop.run(compare(database, arguments))


if __name__ == "__main__":
    main()
