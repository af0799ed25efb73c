"""On a cluster, each statement goes to the one server that has its user; only with `--database=citus`."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import Any, TypeAlias
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import asyncpg
import pytest
import sqlalchemy as sa
from alembic import command
from sqlalchemy.dialects.postgresql import asyncpg as dialect
from sqlalchemy.sql.compiler import SQLCompiler
from tests.architecture.statements import references, statements, text
from tests.architecture.test_statements import OF_SEVERAL_USERS
from tests.citus import distribute_all, new_cluster_database, servers
from tests.conftest import alembic_config
from tests.domain.builders import NOW, a_task
from tests.postgres.plans import literal
from tests.postgres.running import Service

from todo_api.adapters.memory.change_feed import InMemoryChangeFeed
from todo_api.adapters.sqlalchemy.change_poller import SqlAlchemyChangePoller
from todo_api.adapters.sqlalchemy.distribution import DISTRIBUTION_COLUMNS, ClusterProblems, cluster_problems
from todo_api.adapters.sqlalchemy.driver import DatabaseConfig
from todo_api.adapters.sqlalchemy.engine import FairEngine
from todo_api.adapters.sqlalchemy.execution import Statement
from todo_api.adapters.sqlalchemy.hot_path import CompiledStatement
from todo_api.adapters.sqlalchemy.json_text import JsonText
from todo_api.adapters.sqlalchemy.mapping import to_parameters
from todo_api.adapters.sqlalchemy.schema import VERSION
from todo_api.domain.errors import RepositoryUnavailableError
from todo_api.domain.listing import TaskQuery
from todo_api.domain.ports import TaskRepository
from todo_api.domain.task import Task

Connect: TypeAlias = Callable[..., Service]
Database: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
VALUES: Mapping[type, Any] = {
    sa.Text: "user-1",
    sa.Uuid: UUID(int=1),
    sa.Boolean: False,
    sa.DateTime: NOW,
    sa.BigInteger: 1,
    sa.Integer: 1,
    sa.SmallInteger: 1,
    sa.ARRAY: [],
    sa.LargeBinary: "",
    JsonText: "{}",
}


@pytest.fixture(autouse=True)
def _on_a_cluster(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--database") != "citus":
        pytest.skip("needs --database=citus")


@pytest.fixture
async def cluster_database(server_url: str) -> AsyncIterator[str]:
    async with new_cluster_database(server_url) as url:
        yield url


def values_of(statement: Statement) -> dict[str, Any]:
    """Return a value for each parameter: those of a task to write, and others of the right type."""
    compiled = statement.compile(dialect=dialect.dialect())  # type: ignore[no-untyped-call] # SQLAlchemy's
    assert isinstance(compiled, SQLCompiler)
    task = replace(a_task("user-1"), revision=1)
    written = to_parameters(task) | to_parameters(task, "next_")
    values = {name: VALUES[type(parameter.type)] for name, parameter in compiled.binds.items()}
    return values | {name: written[name] for name, value in values.items() if name in written and value != []}


def tasks(plan: object) -> Iterator[int]:
    """Yield the number of servers' tasks in each part of the plan."""
    if isinstance(plan, list):
        for part in plan:
            yield from tasks(part)
    elif isinstance(plan, dict):
        if "Task Count" in plan:
            yield plan["Task Count"]
        for part in plan.values():
            yield from tasks(part)


async def test_all_tables_are_distributed_side_by_side(database: Database) -> None:
    rows = await database.fetch(
        "SELECT table_name::text, citus_table_type, distribution_column, colocation_id FROM citus_tables"
        " WHERE citus_table_type = 'distributed'"
    )
    assert {row["table_name"]: row["distribution_column"] for row in rows} == DISTRIBUTION_COLUMNS
    assert len({row["colocation_id"] for row in rows}) == 1


async def test_each_statement_of_one_user_is_one_task(database: Database) -> None:
    complaints = {}
    for name, statement in statements():
        if name in OF_SEVERAL_USERS or statement is VERSION:
            continue
        numbers = list(tasks(await explain(database, statement)))
        if set(numbers) != ({1} if list(references(text(statement))) else set()):
            complaints[name] = numbers
    assert complaints == {}


async def test_each_statement_of_one_user_needs_one_server(database: Database) -> None:
    """Also in its steps, and for intermediate results: the calls of a user go on when another server is down."""
    await database.execute("INSERT INTO users (id, revision, created_at) VALUES ('user-1', 1, now())")
    complaints = {}
    for name, statement in statements():
        if name not in OF_SEVERAL_USERS and len(asked := await servers_asked(database, statement)) > 1:
            complaints[name] = asked
    await database.execute("DELETE FROM users WHERE id = 'user-1'")
    assert complaints == {}


async def servers_asked(database: Database, statement: Statement) -> set[str]:
    """Return the servers to which Citus sends a command of the statement; it is rolled back."""
    asked = set()

    def on_message(_: object, message: asyncpg.PostgresLogMessage) -> None:
        if message.detail and message.detail.startswith("on server "):
            asked.add(message.detail.removeprefix("on server ").partition(" connectionId")[0])

    transaction = database.transaction()
    await transaction.start()
    await database.execute("SET LOCAL citus.log_remote_commands = on")
    database.add_log_listener(on_message)
    await database.fetch(with_values(statement))
    database.remove_log_listener(on_message)
    await transaction.rollback()
    return asked


async def explain(database: Database, statement: Statement) -> object:
    return json.loads(await database.fetchval(f"EXPLAIN (FORMAT JSON) {with_values(statement)}"))


def with_values(statement: Statement) -> str:
    """Return the statement with values in place of its parameters, which EXPLAIN does not take there."""
    compiled = CompiledStatement(statement)
    arguments = compiled.arguments(values_of(statement))
    return re.sub(r"\$(\d+)", lambda place: literal(arguments[int(place[1]) - 1]), compiled.sql)


async def test_a_statement_for_many_users_uses_one_connection_to_each_server(engine: FairEngine) -> None:
    async with engine.connect() as connection:
        assert await connection.scalar(sa.text("SHOW citus.max_adaptive_executor_pool_size")) == "1"


async def test_events_of_other_users_go_on_while_a_server_is_down(cluster_database: str, connect: Connect) -> None:
    await asyncio.to_thread(command.upgrade, alembic_config(cluster_database), "head")
    await distribute_all(cluster_database)
    service = connect(cluster_database)
    everyone = {task.user_id for task in await fill(service.tasks)}
    unlucky = await users_of_last_server(cluster_database)
    feed = AnnouncedFeed()
    with ExitStack() as listening:
        for user_id in everyone:
            listening.enter_context(feed.listen(user_id))
        async with SqlAlchemyChangePoller(service.engine, feed, interval=0.05).polling():
            await feed.has_announced(everyone)
            await allow_connections(cluster_database, "false")
            for user_id in everyone - unlucky:
                await service.tasks.add(a_task(user_id))
            await feed.has_announced(everyone - unlucky)
            await allow_connections(cluster_database, "true")
            for user_id in unlucky:
                await service.tasks.add(a_task(user_id))
            await feed.has_announced(unlucky)


class AnnouncedFeed(InMemoryChangeFeed):
    """A feed that knows what was announced."""

    def __init__(self) -> None:
        super().__init__()
        self._announced: asyncio.Queue[str] = asyncio.Queue()

    def announce(self, user_id: str) -> None:
        self._announced.put_nowait(user_id)

    async def has_announced(self, expected: set[str]) -> None:
        """Wait for an announcement to each of these users; nobody else gets one, and nobody two."""
        async with asyncio.timeout(30):
            assert {await self._announced.get() for _ in expected} == expected
        assert self._announced.empty()


async def users_of_last_server(coordinator: str) -> set[str]:
    *_, last = await servers(coordinator)
    connection = await asyncpg.connect(coordinator)
    placed = (
        "SELECT id FROM users WHERE get_shard_id_for_distribution_column('users', id) IN (SELECT shardid"
        " FROM pg_dist_placement JOIN pg_dist_node USING (groupid) WHERE nodeport = $1 AND nodename = $2)"
    )
    rows = await connection.fetch(placed, last.port, last.name)
    await connection.close()
    return {row["id"] for row in rows}


async def allow_connections(coordinator: str, allowed: str) -> None:
    """Let the last server refuse connections to this database, and end those that there are; or let it accept them."""
    *_, last = await servers(coordinator)
    parts = urlsplit(last.url)
    name = parts.path[1:]
    connection = await asyncpg.connect(urlunsplit(parts._replace(path="/postgres")))
    await connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS {allowed}")
    await connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
    await connection.close()


async def test_a_second_distribution_finds_nothing_to_do(database_url: str) -> None:
    assert await distribute_all(database_url) == []
    assert await cluster_problems(DatabaseConfig(url=database_url)) == ClusterProblems(unfinished=[])


async def test_a_run_that_was_interrupted_is_completed(cluster_database: str) -> None:
    await asyncio.to_thread(command.upgrade, alembic_config(cluster_database), "head")
    await distribute_all(cluster_database)
    connection = await asyncpg.connect(cluster_database)
    await connection.execute("ALTER TABLE tasks DROP CONSTRAINT fk_tasks_user_id")
    await connection.execute(
        "ALTER TABLE tasks ADD CONSTRAINT fk_tasks_user_id FOREIGN KEY (user_id) REFERENCES users (id) NOT VALID"
    )
    await connection.close()
    assert await distribute_all(cluster_database) == ["checked that the users of tasks exist"]
    assert await distribute_all(cluster_database) == []


async def test_no_rows_stay_on_the_coordinator(cluster_database: str, connect: Connect) -> None:
    await asyncio.to_thread(command.upgrade, alembic_config(cluster_database), "head")
    kept = await fill(connect(cluster_database).tasks)
    connection = await asyncpg.connect(cluster_database, server_settings={"citus.override_table_visibility": "off"})
    for table in DISTRIBUTION_COLUMNS:
        await connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS fk_{table}_user_id")
    await connection.execute("SELECT create_distributed_table('users', 'id', colocate_with => 'none')")
    local = (
        "SELECT array_agg(DISTINCT name) FROM pg_class, regexp_replace(relname, '_[0-9]+$', '') AS name"
        " WHERE relkind = 'r' AND pg_relation_size(oid) > 0 AND name = ANY($1)"
    )
    assert await connection.fetchval(local, list(DISTRIBUTION_COLUMNS)) == ["tasks", "users"]

    assert "removed the copied rows of users from the coordinator" in await distribute_all(cluster_database)
    await connection.execute("CALL citus_cleanup_orphaned_resources()")  # Citus does it by itself within some seconds
    assert await connection.fetchval(local, list(DISTRIBUTION_COLUMNS)) is None
    assert await connection.fetchval("SELECT count(*) FROM tasks") == len(kept)
    assert await distribute_all(cluster_database) == []
    await connection.close()


async def test_tables_are_distributed_while_others_write(cluster_database: str, connect: Connect) -> None:
    await asyncio.to_thread(command.upgrade, alembic_config(cluster_database), "head")
    repository = connect(cluster_database, statement_timeout=60.0).tasks
    kept = await fill(repository)
    is_done = asyncio.Event()

    async def write() -> list[Task]:
        written: list[Task] = []
        while not is_done.is_set():
            with suppress(RepositoryUnavailableError):  # for a moment, while the rows move
                written.append(await repository.add(a_task(f"user-{len(written) % 10}")))
        return written

    writing = asyncio.create_task(write())
    lines = await distribute_all(cluster_database)
    is_done.set()
    kept += await writing

    assert lines[0] == "distributed users by id"
    assert lines[-1] == "copied alembic_version to all servers"
    for user_id in {task.user_id for task in kept}:
        found = (await repository.page(user_id, TaskQuery(limit=10_000))).tasks
        assert {task.id: task for task in found} == {task.id: task for task in kept if task.user_id == user_id}


@pytest.mark.parametrize("revision", ["0001", "0002", "0003", "0004", "0005"])
async def test_a_distributed_database_is_migrated(cluster_database: str, connect: Connect, revision: str) -> None:
    await asyncio.to_thread(command.upgrade, alembic_config(cluster_database), revision)
    await distribute_all(cluster_database)
    await asyncio.to_thread(command.upgrade, alembic_config(cluster_database), "head")
    assert ("distributed lists by user_id" in await distribute_all(cluster_database)) == (revision < "0005")
    assert await distribute_all(cluster_database) == []
    repository = connect(cluster_database).tasks
    for task in await fill(repository):
        assert await repository.get(task.user_id, task.id) == task


async def fill(repository: TaskRepository) -> list[Task]:
    return [await repository.add(a_task(f"user-{number % 10}")) for number in range(100)]
