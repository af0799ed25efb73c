"""The cost of each call as the tables grow, in blocks read: a count that noise does not change.

    python -m benchmarks.scale --json scale.json
    python -m benchmarks.scale --coordinator URL    # on a cluster of Citus: what its workers read

The database of a coordinator must be empty, and its servers must have the extension `pg_stat_statements`.

One more user owns a tenth as many tasks, and makes the calls. Counts, and filters that admit few tasks, read all tasks
of the user, as export and erasure do; nothing reads those of others.
"""

import argparse
import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg
from tests.citus import distribute_all, servers
from tests.postgres.plans import buffers, explain

from benchmarks.__main__ import migrate
from todo_api.adapters.sqlalchemy import change_poller, changes, overview, pages, statements
from todo_api.adapters.sqlalchemy.distribution import DISTRIBUTION_COLUMNS
from todo_api.adapters.sqlalchemy.execution import Statement
from todo_api.adapters.sqlalchemy.filters import conditions
from todo_api.adapters.sqlalchemy.hot_path import CompiledStatement
from todo_api.adapters.sqlalchemy.mapping import to_parameters
from todo_api.adapters.sqlalchemy.task_repository import NO_QUOTA
from todo_api.dev.postgres import open_server
from todo_api.domain.changes import SyncPoint
from todo_api.domain.due_views import DueView
from todo_api.domain.filters import TaskFilter
from todo_api.domain.listing import Order, Sort, Status
from todo_api.domain.overview import DueViews
from todo_api.domain.task import Task
from todo_api.domain.task_changes import Priority, TaskChanges

SIZES = (1_000, 10_000, 100_000, 1_000_000)
EACH = 100  # tasks of each user except the owner
OWNER = "has-a-tenth-of-all"
LIMIT = 50
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
FIRST = datetime(2025, 1, 1, tzinfo=UTC)

# A task of each hundred has the word `rare` and the tag `rare`.
FILTERS = {
    "search, frequent word": TaskFilter(q="task"),
    "search, rare word": TaskFilter(q="rar"),
    "search, nothing found": TaskFilter(q="nothing"),
    "list of a tag": TaskFilter(tags=("rare",)),
    "list of a priority": TaskFilter(priorities=(Priority.HIGH,)),
    "overdue": TaskFilter(due=DueView.OVERDUE, now=NOW),
}

FILL_USERS = """
INSERT INTO users (id, revision, live_tasks, created_at)
SELECT 'user-' || n, 1000000000, 0, now() FROM generate_series($1::int, $2::int) n
"""
FILL_OWNER = f"INSERT INTO users (id, revision, live_tasks, created_at) VALUES ('{OWNER}', 1000000000, 0, now())"
FILL_TASKS = f"""
INSERT INTO tasks (user_id, id, title, title_key, completed, completed_at, due_at, due_kind, created_at, updated_at,
                   revision, deleted_at, priority, position, tags, tag_keys, words, words_revision)
SELECT CASE WHEN $3 THEN '{OWNER}' ELSE 'user-' || (n - 1) / {EACH} + 1 END,
       gen_random_uuid(), md5(n::text), md5(n::text), n % 2 = 0,
       CASE WHEN n % 2 = 0 THEN timestamptz '{FIRST}' END,
       CASE WHEN n % 3 > 0 THEN timestamptz '{FIRST}' + n * interval '1 minute' END,
       CASE WHEN n % 3 > 0 THEN 'instant' END,
       timestamptz '{FIRST}' + n * interval '1 second', timestamptz '2027-01-01Z', n,
       CASE WHEN n % 10 = 0 THEN timestamptz '{FIRST}' + n * interval '1 second' END,
       n / 7 % 4, 'm' || lpad(to_hex(n), 13, '0'), CASE WHEN n % 100 = 1 THEN '["Rare"]'::jsonb END,
       CASE WHEN n % 100 = 1 THEN '["rare"]'::jsonb END, CASE WHEN n % 100 = 1 THEN ' rare' ELSE '' END || ' task ', n
  FROM generate_series($1::int, $2::int) n
"""


# What the statements on shards have read so far. Their names end with a number.
READ_FROM_SHARDS = f"""
SELECT coalesce(sum(shared_blks_hit + shared_blks_read), 0)::bigint FROM pg_stat_statements
 WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
   AND query ~ '\\m({"|".join(DISTRIBUTION_COLUMNS)})_[0-9]+'
"""

Database: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
# Returns the blocks that a statement reads.
Blocks: TypeAlias = Callable[[Database, Statement, Mapping[str, Any]], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Point:
    """The blocks that a call read, with a number of tasks in the table and in the account."""

    call: str
    tasks: int
    account: int
    blocks: int


async def measure(database: str, sizes: Sequence[int] = SIZES) -> list[Point]:
    """Fill an empty database to each of the sizes, and measure the calls at each."""
    return await _measure(database, sizes, _blocks)


async def measure_cluster(coordinator: str, sizes: Sequence[int] = SIZES) -> list[Point]:
    """Distribute the tables, and do the same; the blocks are those that the workers read."""
    await distribute_all(coordinator)
    async with _counted_by_workers(coordinator) as blocks:
        return await _measure(coordinator, sizes, blocks)


async def _measure(database: str, sizes: Sequence[int], blocks: Blocks) -> list[Point]:
    connection = await asyncpg.connect(database)
    await connection.execute(FILL_OWNER)
    points, filled = [], 0
    for size in sizes:
        await _fill(connection, filled, size)
        filled = size
        for call, statement, values in await _calls(connection, size // 10):
            points.append(Point(call, size, size // 10, await blocks(connection, statement, values)))
    await connection.close()
    return points


async def _fill(connection: Database, filled: int, size: int) -> None:
    await connection.execute(FILL_USERS, filled // EACH + 1, size // EACH)
    await connection.execute(FILL_TASKS, filled + 1, size, False)  # noqa: FBT003 - SQL has no names for it
    await connection.execute(FILL_TASKS, filled // 10 + 1, size // 10, True)  # noqa: FBT003 - likewise
    await connection.execute(f"VACUUM ANALYZE {', '.join(DISTRIBUTION_COLUMNS)}")


async def _calls(connection: Database, account: int) -> list[tuple[str, Statement, Mapping[str, Any]]]:
    """Return the statement of each call, about a task in the middle of the account."""
    pick = "SELECT id FROM tasks WHERE user_id = $1 AND (deleted_at IS NULL) = $2 ORDER BY abs(revision - $3) LIMIT 1"
    middle = await connection.fetchval(pick, OWNER, True, account // 2)  # noqa: FBT003 - SQL has no names for it
    buried = await connection.fetchval(pick, OWNER, False, account // 2)  # noqa: FBT003 - likewise
    revision = await connection.fetchval("SELECT revision FROM tasks WHERE user_id = $1 AND id = $2", OWNER, middle)
    about = {"owner": OWNER, "task_id": middle, "expected_revision": revision, "now": NOW, "quota": NO_QUOTA}
    task = Task.create(task_id=UUID(int=1), user_id=OWNER, values=TaskChanges(title="New"), now=NOW)
    return [
        *_lists(account),
        ("get", statements.GET, about),
        ("create", statements.ADD, {**to_parameters(task), **about}),
        ("update", statements.SAVE, {**to_parameters(task), **about}),
        ("delete", statements.REMOVE, about),
        ("restore", statements.RESTORE, {**about, "task_id": buried}),
        ("last changes", changes.CHANGES, _since(account - 5)),
        ("no change", changes.CHANGES, _since(1_000_000_000)),
        ("poll for changes", change_poller.REVISIONS, {"user_ids": [OWNER, "user-1", "user-2"]}),
    ]


def _lists(account: int) -> Iterator[tuple[str, Statement, Mapping[str, Any]]]:
    page = {"owner": OWNER, "limit": LIMIT + 1, "known": [1]}
    middle = {**page, "after_key": FIRST + timedelta(seconds=account // 2), "after_id": UUID(int=0)}
    for sort in Sort:
        yield f"list by {sort}", pages.page(sort, Order.ASC, Status.PENDING, resumed=False), page
    yield "list from the middle", pages.page(Sort.CREATED, Order.DESC, Status.ALL, resumed=True), middle
    newest = pages.page(Sort.CREATED, Order.DESC, Status.ALL, resumed=False)
    yield "list, unchanged", newest, {**page, "known": [1_000_000_000]}
    yield "trash", pages.trash(resumed=False), page
    for name, given in FILTERS.items():
        names, values = conditions(given)
        yield name, pages.page(Sort.CREATED, Order.DESC, Status.ALL, names, resumed=False), page | values
    yield "counts", overview.COUNTS, {"owner": OWNER, **overview.view_values(DueViews.at(NOW, "UTC"))}
    yield "tags", overview.TAGS, {"owner": OWNER}


def _since(revision: int) -> Mapping[str, Any]:
    point = SyncPoint(revision)
    return {
        "owner": OWNER, "limit": LIMIT + 1, "since": point.revision, "since_id": point.id, "whole": point.whole,
    }  # fmt: skip


async def _blocks(connection: Database, statement: Statement, values: Mapping[str, Any]) -> int:
    transaction = connection.transaction()
    await transaction.start()
    plan = await explain(connection, statement, values)
    await transaction.rollback()
    return buffers(plan)


@asynccontextmanager
async def _counted_by_workers(coordinator: str) -> AsyncIterator[Blocks]:
    """Yield a function that runs a statement and asks the workers what they read for it.

    EXPLAIN ANALYZE does not show it: Citus refuses it for statements that insert rows of others.
    """
    async with AsyncExitStack() as stack:
        workers = [await asyncpg.connect(worker.url) for worker in (await servers(coordinator))[1:]]
        for worker in workers:
            stack.push_async_callback(worker.close)

        async def read() -> int:
            return sum([await worker.fetchval(READ_FROM_SHARDS) for worker in workers])

        async def blocks(connection: Database, statement: Statement, values: Mapping[str, Any]) -> int:
            compiled = CompiledStatement(statement)
            before = await read()
            transaction = connection.transaction()
            await transaction.start()
            await connection.fetch(compiled.sql, *compiled.arguments(values))
            await transaction.rollback()
            return await read() - before

        yield blocks


def _print(points: Sequence[Point]) -> None:
    sizes = sorted({point.tasks for point in points})
    print("| blocks of 8 kB |" + "".join(f" {size:,} tasks, {size // 10:,} of the user |" for size in sizes))
    print("|---|" + "--:|" * len(sizes))
    for call in dict.fromkeys(point.call for point in points):
        blocks = [point.blocks for point in points if point.call == call]
        print(f"| {call} |" + "".join(f" {count} |" for count in blocks))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="tasks in the table, ascending")
    parser.add_argument("--coordinator", metavar="URL", help="an empty database with the extension citus")
    parser.add_argument("--json", type=Path, help="a file for the points, which benchmarks/plot.py draws")
    arguments = parser.parse_args()
    if arguments.coordinator:
        migrate(arguments.coordinator)
        points = asyncio.run(measure_cluster(arguments.coordinator, arguments.sizes))
    else:
        with tempfile.TemporaryDirectory() as directory, open_server(Path(directory), durable=False) as database:
            migrate(database)
            points = asyncio.run(measure(database, arguments.sizes))
    _print(points)
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps([[p.call, p.tasks, p.account, p.blocks] for p in points]) + "\n")


if __name__ == "__main__":
    main()
