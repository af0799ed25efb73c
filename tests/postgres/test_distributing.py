"""What `todo-api distribute` survives, and what it refuses, on a cluster; only with `--database=citus`."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from alembic import command
from tests.citus import distribute_all, new_cluster_database, servers
from tests.conftest import alembic_config
from tests.domain.builders import a_task
from tests.pooler import MISSING, PGBOUNCER, open_pooler

from todo_api.adapters.sqlalchemy.distribution import (
    ClusterProblems,
    NotDistributableError,
    cluster_problems,
    distribute,
)
from todo_api.adapters.sqlalchemy.driver import DatabaseConfig
from todo_api.adapters.sqlalchemy.engine import create_engine
from todo_api.adapters.sqlalchemy.task_repository import SqlAlchemyTaskRepository


@pytest.fixture
async def cluster_database(server_url: str, request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """The URL of a database with the newest schema, which is not distributed."""
    if request.config.getoption("--database") != "citus":
        pytest.skip("needs --database=citus")
    async with new_cluster_database(server_url) as url:
        await asyncio.to_thread(command.upgrade, alembic_config(url), "head")
        yield url


@pytest.fixture
async def filled_database(cluster_database: str) -> str:
    """The same, with tasks."""
    engine = create_engine(DatabaseConfig(url=cluster_database))
    tasks = SqlAlchemyTaskRepository(engine)
    for number in range(100):
        await tasks.add(a_task(f"user-{number % 10}"))
    await engine.dispose()
    return cluster_database


async def test_a_run_goes_on_after_a_deadlock_with_a_request(filled_database: str) -> None:
    request = await asyncpg.connect(filled_database)
    async with request.transaction():
        await request.execute("LOCK TABLE users IN ROW SHARE MODE")
        distributing = asyncio.create_task(distribute_all(filled_database))
        waiting = "SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'users'::regclass AND NOT granted)"
        while not await request.fetchval(waiting):
            await request.execute("SELECT pg_sleep(0.01)")
        await request.execute("LOCK TABLE idempotency_keys IN ROW SHARE MODE")
    await request.close()
    assert "distributed tasks by user_id" in await distributing


async def test_a_copy_that_waits_says_so(filled_database: str) -> None:
    lines, other = [], await asyncpg.connect(filled_database)
    transaction = other.transaction()
    await transaction.start()
    await other.execute("SELECT pg_current_xact_id()")  # the copy waits for its end
    async with asyncio.timeout(120):
        async for line in distribute(DatabaseConfig(url=filled_database, statement_timeout=None), reminder=0.5):
            lines.append(line)
            if line.startswith("still at users") and other.is_in_transaction():
                await transaction.rollback()
    await other.close()
    assert lines[0].startswith("still at users")
    assert "distributed users by id" in lines


async def test_a_statement_timeout_does_not_end_a_copy(filled_database: str) -> None:
    impatient = f"{filled_database}?options=-c%20statement_timeout%3D500"
    assert "distributed tasks by user_id" in await distribute_all(impatient)


async def test_a_worker_and_a_cluster_without_an_address_are_refused(filled_database: str) -> None:
    coordinator, worker, *_ = await servers(filled_database)
    with pytest.raises(NotDistributableError, match="this server is a worker"):
        await run(worker.url)
    connection = await asyncpg.connect(filled_database)
    await connection.execute(f"SELECT citus_remove_node('{coordinator.name}', {coordinator.port})")
    with pytest.raises(NotDistributableError, match="citus_set_coordinator_host"):
        await run(filled_database)
    keys = "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND confrelid = 'users'::regclass"
    assert await connection.fetchval(keys) == 5  # as before
    await connection.close()


async def test_a_foreign_key_of_another_table_is_named(filled_database: str) -> None:
    connection = await asyncpg.connect(filled_database)
    await connection.execute('CREATE TABLE notes (author text COLLATE "C" REFERENCES users)')
    with pytest.raises(NotDistributableError, match="notes reference"):
        await run(filled_database)
    await connection.execute("ALTER TABLE notes DROP CONSTRAINT notes_author_fkey")
    await connection.execute("INSERT INTO notes VALUES ('somebody')")
    assert "distributed users by id" in await distribute_all(filled_database)
    assert await connection.fetchval("SELECT author FROM notes") == "somebody"
    assert not await connection.fetchval("SELECT count(*) FROM citus_tables WHERE table_name = 'notes'::regclass")
    await connection.close()


async def test_a_pooler_is_refused(cluster_database: str, tmp_path: Path) -> None:
    if PGBOUNCER is None:
        pytest.skip(MISSING)
    with (
        open_pooler(cluster_database, tmp_path, connections=1) as pooled,
        pytest.raises(NotDistributableError, match="pooler"),
    ):
        await run(pooled)


async def test_tables_without_a_foreign_key_are_unfinished(cluster_database: str) -> None:
    await distribute_all(cluster_database)
    connection = await asyncpg.connect(cluster_database)
    await connection.execute("ALTER TABLE tasks DROP CONSTRAINT fk_tasks_user_id")
    await connection.close()
    assert await cluster_problems(DatabaseConfig(url=cluster_database)) == ClusterProblems(unfinished=["tasks"])


async def test_a_cluster_without_workers_is_refused_before_anything_changes(filled_database: str) -> None:
    _, *workers = await servers(filled_database)
    connection = await asyncpg.connect(filled_database)
    for worker in workers:
        await connection.execute(f"SELECT citus_remove_node('{worker.name}', {worker.port})")
    with pytest.raises(NotDistributableError, match="no worker"):
        await run(filled_database)
    await connection.close()


async def test_a_worker_that_is_down_is_named(cluster_database: str) -> None:
    await distribute_all(cluster_database)
    *_, last = await servers(cluster_database)
    parts = urlsplit(last.url)
    connection = await asyncpg.connect(urlunsplit(parts._replace(path="/postgres")))
    await connection.execute(f"ALTER DATABASE {parts.path[1:]} ALLOW_CONNECTIONS false")
    problems = await cluster_problems(DatabaseConfig(url=cluster_database))
    await connection.execute(f"ALTER DATABASE {parts.path[1:]} ALLOW_CONNECTIONS true")
    await connection.close()
    assert problems == ClusterProblems(unreachable=[f"{last.name}:{last.port}"])


async def run(url: str) -> list[str]:
    return [line async for line in distribute(DatabaseConfig(url=url, statement_timeout=None))]
