"""On a cluster, each statement goes to the one server that has its user; only with `--database=citus`."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg
import pytest
import sqlalchemy as sa
from alembic import command
from sqlalchemy.dialects.postgresql import asyncpg as dialect
from sqlalchemy.sql.compiler import SQLCompiler
from tests.architecture.statements import references, statements, text
from tests.architecture.test_statements import OF_SEVERAL_USERS
from tests.citus import distribute_all, new_cluster_database
from tests.conftest import alembic_config
from tests.domain.builders import NOW, a_task
from tests.postgres.plans import literal
from tests.postgres.running import Service

from todo_api.adapters.sqlalchemy.distribution import DISTRIBUTION_COLUMNS, unfinished_tables
from todo_api.adapters.sqlalchemy.driver import DatabaseConfig
from todo_api.adapters.sqlalchemy.execution import Statement
from todo_api.adapters.sqlalchemy.hot_path import CompiledStatement
from todo_api.adapters.sqlalchemy.json_text import JsonText
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
    """Return a value of the right type for each parameter; all users are the same."""
    compiled = statement.compile(dialect=dialect.dialect())  # type: ignore[no-untyped-call] # SQLAlchemy's
    assert isinstance(compiled, SQLCompiler)
    return {name: VALUES[type(parameter.type)] for name, parameter in compiled.binds.items()}


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


async def explain(database: Database, statement: Statement) -> object:
    compiled = CompiledStatement(statement)
    arguments = compiled.arguments(values_of(statement))
    # EXPLAIN does not take parameters there.
    sql = re.sub(r"\$(\d+)", lambda place: literal(arguments[int(place[1]) - 1]), compiled.sql)
    return json.loads(await database.fetchval(f"EXPLAIN (FORMAT JSON) {sql}"))


async def test_a_second_distribution_finds_nothing_to_do(database_url: str) -> None:
    assert await distribute_all(database_url) == []
    assert await unfinished_tables(DatabaseConfig(url=database_url)) == []


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


@pytest.mark.parametrize("revision", ["0001", "0002", "0003", "0004"])
async def test_a_distributed_database_is_migrated(cluster_database: str, connect: Connect, revision: str) -> None:
    await asyncio.to_thread(command.upgrade, alembic_config(cluster_database), revision)
    await distribute_all(cluster_database)
    await asyncio.to_thread(command.upgrade, alembic_config(cluster_database), "head")
    assert "distributed lists by user_id" in await distribute_all(cluster_database)
    repository = connect(cluster_database).tasks
    for task in await fill(repository):
        assert await repository.get(task.user_id, task.id) == task


async def fill(repository: TaskRepository) -> list[Task]:
    return [await repository.add(a_task(f"user-{number % 10}")) for number in range(100)]
