"""What gzip in the service would cost: CPU per request and sizes, with Starlette's GZipMiddleware and without it.

    python -m benchmarks.compression

The programs take interleaved turns. See docs/decisions/compression.md.
"""

import argparse
import asyncio
import itertools
import os
import random
import statistics
import tempfile
import urllib.request
from contextlib import ExitStack
from pathlib import Path

import asyncpg
import uvloop
from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from benchmarks.__main__ import migrate
from benchmarks.load import Call, Sample, run
from benchmarks.servers import Program, Server, by_uvicorn, pin_to_second_core, serve
from benchmarks.tokens import published_keys, sign
from todo_api.dev.postgres import open_server
from todo_api.main import create_app
from todo_api.settings import Settings

LEVELS = (None, 1, 6)
MINIMUM_SIZE = 500
USERS = [f"user-{number}" for number in range(10)]
TOKENS = {user: sign(user) for user in USERS}
TASKS = 1000  # of each
LIMITS = (1, 2, 5, 10, 50, 1000)
WORDS = [
    "call", "write", "pay", "read", "fix", "the", "a", "for", "about", "with", "before", "after", "Monday", "invoice",
    "report", "garden", "doctor", "milk", "bread", "train", "ticket", "birthday", "present", "Anna", "Ben", "Carla",
    "school", "homework", "car", "insurance", "rent", "bicycle", "tyre", "kitchen", "lamp", "tax", "letter", "and",
]  # fmt: skip

FILL = f"INSERT INTO users (id, revision, created_at) SELECT unnest($1::text[]), {TASKS}, now()"
FILL_TASKS = """
INSERT INTO tasks (user_id, id, title, title_key, description, completed, created_at, updated_at, revision)
SELECT $1, gen_random_uuid(), title, lower(title), description, false, now() - n * interval '61.7 seconds', now(), n
  FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS texts (title, description, n)
"""


def create() -> FastAPI:
    """Return the service, with the middleware if the environment variable GZIP has a level."""
    app = create_app(Settings())
    if os.environ["GZIP"] != "None":
        app.add_middleware(GZipMiddleware, minimum_size=MINIMUM_SIZE, compresslevel=int(os.environ["GZIP"]))
    return app


async def fill(database: str) -> None:
    texts = random.Random(1)
    connection = await asyncpg.connect(database)
    await connection.execute(FILL, USERS)
    for user in USERS:
        titles = [" ".join(texts.choices(WORDS, k=texts.randint(2, 6))) for _ in range(TASKS)]
        descriptions = [" ".join(texts.choices(WORDS, k=12)) if texts.getrandbits(1) else None for _ in range(TASKS)]
        await connection.execute(FILL_TASKS, user, titles, descriptions)
    await connection.execute("ANALYZE")
    await connection.close()


def make_call(limit: int) -> Call:
    requests = itertools.cycle(
        f"GET /api/tasks?limit={limit} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n"
        "Accept-Encoding: gzip\r\n\r\n".encode()
        for token in TOKENS.values()
    )
    return Call(f"list {limit}", lambda: next(requests), 200)


def size(server: Server, limit: int) -> int:
    """Return the length of the body in bytes."""
    headers = {"Authorization": f"Bearer {TOKENS[USERS[0]]}", "Accept-Encoding": "gzip"}
    request = urllib.request.Request(f"http://127.0.0.1:{server.port}/api/tasks?limit={limit}", headers=headers)
    with urllib.request.urlopen(request) as response:
        return len(response.read())


async def measure(database: str, directory: Path, arguments: argparse.Namespace) -> None:
    await fill(database)
    with ExitStack() as stack:
        servers = [
            stack.enter_context(
                serve(
                    Program("service", by_uvicorn("benchmarks.compression:create", "--factory"), 8935 + index),
                    {"DATABASE_URL": database, "GZIP": str(level), "ACCESS_LOG": "false"},
                    directory / f"log-{level}",
                )
            )
            for index, level in enumerate(LEVELS)
        ]
        print("| list | " + " | ".join(f"{level or 'no'} bytes | CPU ms | ratio" for level in LEVELS) + " | errors |")
        print("|---" + "|--:" * 10 + "|")
        for limit in LIMITS:
            turns: list[list[Sample]] = [[] for _ in servers]
            for _ in range(arguments.rounds):
                for server, samples in zip(servers, turns, strict=True):
                    samples.append(await run(make_call(limit), server, arguments.connections, arguments.seconds))
            sizes = [await asyncio.to_thread(size, server, limit) for server in servers]
            cpu = [statistics.median(sample.cpu_per_request for sample in samples) * 1000 for samples in turns]
            cells = [f"{size:,} | {ms:.3f} | {ms / cpu[0]:.2f}" for size, ms in zip(sizes, cpu, strict=True)]
            errors = sum(sample.errors for samples in turns for sample in samples)
            print(f"| {limit} | {' | '.join(cells)} | {errors} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.compression", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--rounds", type=int, default=5, help="turns that each program gets for each list")
    parser.add_argument("--seconds", type=float, default=1.5, help="how long a turn is")
    parser.add_argument("--connections", type=int, default=8)
    arguments = parser.parse_args()
    pin_to_second_core()
    with (
        published_keys(),
        tempfile.TemporaryDirectory() as directory,
        open_server(Path(directory) / "postgres") as database,
    ):
        migrate(database)
        uvloop.run(measure(database, Path(directory), arguments))


if __name__ == "__main__":
    main()
