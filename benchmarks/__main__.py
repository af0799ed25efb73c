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
import urllib.request
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from tests.postgres.proxy import open_proxy

import jwt
from benchmarks.load import Call, Sample, run
from benchmarks.servers import CEILING, SERVICE, Server, pin_to_second_core, serve
from todo_api.local_postgres import open_server

USER = "benchmark"
SECRET = "benchmark-secret-of-32-characters-or-more"
TOKEN = jwt.encode({"sub": USER, "exp": int(time.time()) + 86_400}, SECRET, algorithm="HS256")
TASKS = 1_000
PORTS = {"service": 8931, "ceiling": 8932}


@dataclass(slots=True)
class Row:
    """What one program did in all rounds of one call at one number of connections."""

    latencies: list[float] = field(default_factory=list)
    errors: int = 0
    seconds: float = 0.0
    cpu: float = 0.0

    def add(self, sample: Sample, cpu: float) -> None:
        self.latencies += sample.latencies
        self.errors += sample.errors
        self.seconds += sample.seconds
        self.cpu += cpu

    @property
    def cpu_per_request(self) -> float:
        return self.cpu / len(self.latencies)

    def percentile(self, percent: int) -> float:
        return statistics.quantiles(self.latencies, n=100, method="inclusive")[percent - 1]


def http(method: str, path: str, body: Mapping[str, object] | None = None) -> bytes:
    content = b"" if body is None else msgspec.json.encode(body)
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n"
    if body is not None:
        head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
    return head.encode() + b"\r\n" + content


def make_calls(ids: list[str]) -> list[Call]:
    some, number = itertools.cycle(ids), itertools.count()
    return [
        Call("list 50", lambda: http("GET", "/api/tasks?limit=50"), 200),
        Call("get", lambda: http("GET", f"/api/tasks/{next(some)}"), 200),
        Call("create", lambda: http("POST", "/api/tasks", {"title": f"Task {next(number)}"}), 201),
        Call("update", lambda: http("PATCH", f"/api/tasks/{next(some)}", {"title": f"Changed {next(number)}"}), 200),
    ]


def create_tasks(port: int) -> list[str]:
    """Give the user some tasks, and return their ids."""
    ids = []
    for number in range(TASKS):
        request = urllib.request.Request(f"http://127.0.0.1:{port}/api/tasks", method="POST")
        request.add_header("Authorization", f"Bearer {TOKEN}")
        request.add_header("Content-Type", "application/json")
        body = msgspec.json.encode({"title": f"Task {number}", "description": "What there is to say of it. " * 3})
        with urllib.request.urlopen(request, body) as response:
            ids.append(msgspec.json.decode(response.read())["id"])
    return ids


def migrate(database: str) -> None:
    command = [sys.executable, "-m", "alembic", "upgrade", "head"]
    subprocess.run(command, check=True, env={**os.environ, "DATABASE_URL": database}, stderr=subprocess.DEVNULL)


async def measure(server: Server, call: Call, connections: int, seconds: float, row: Row) -> None:
    before = server.cpu_seconds()
    sample = await run(call, server.port, connections, seconds)
    row.add(sample, server.cpu_seconds() - before)


async def count_round_trips(database: str, environment: Mapping[str, str], ids: list[str]) -> dict[str, float]:
    """Return how many round trips to the database the service takes for each call, after the first few."""
    counts = {}
    async with open_proxy(database) as proxy:
        app = serve(SERVICE, PORTS["service"] + 10, {**environment, "DATABASE_URL": proxy.url})
        with ExitStack() as stack:
            server = await asyncio.to_thread(stack.enter_context, app)
            for call in make_calls(ids):
                await run(call, server.port, 1, 0.3)
                before = proxy.round_trips
                sample = await run(call, server.port, 1, 0.3)
                counts[call.name] = (proxy.round_trips - before) / len(sample.latencies)
            await asyncio.to_thread(stack.close)
    return counts


async def compare(database: str, arguments: argparse.Namespace) -> None:
    environment = {"DATABASE_URL": database, "BETTER_AUTH_SECRET": SECRET, "BENCH_USER": USER}
    with ExitStack() as stack:
        service = stack.enter_context(serve(SERVICE, PORTS["service"], environment))
        ids = create_tasks(service.port)
        ceiling = stack.enter_context(serve(CEILING, PORTS["ceiling"], environment))
        round_trips = await count_round_trips(database, environment, ids)
        print_head()
        for call in make_calls(ids):
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
        asyncio.run(compare(database, arguments))


if __name__ == "__main__":
    main()
