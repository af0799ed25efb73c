"""The migrations create the expected schema, run down and up again, and never leave partial steps."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError
from tests.conftest import ROOT, alembic_config
from tests.pooler import direct

from todo_api.adapters.sqlalchemy.driver import DatabaseConfig
from todo_api.adapters.sqlalchemy.engine import create_engine
from todo_api.adapters.sqlalchemy.schema import REVISION, current_revision
from todo_api.adapters.sqlalchemy.tables import metadata
from todo_api.adapters.sqlalchemy.task_repository import SqlAlchemyTaskRepository
from todo_api.domain.errors import RepositoryUnavailableError

# Everything that the two could differ in, by name: columns with type, collation and nullability, constraints, indexes.
SHAPE = """
SELECT c.relname || '.' || a.attname, format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull || ' ' ||
       coalesce((SELECT collname FROM pg_collation WHERE oid = a.attcollation), '') || ' ' ||
       coalesce((SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = c.oid AND adnum = a.attnum), '')
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
 WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
   AND c.relname <> 'alembic_version'
UNION ALL
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
 WHERE connamespace = 'public'::regnamespace AND conrelid IS DISTINCT FROM to_regclass('alembic_version')
UNION ALL
SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'
"""


def query(url: str, sql: str) -> list[tuple[Any, ...]]:
    async def fetch() -> list[tuple[Any, ...]]:
        connection = await asyncpg.connect(direct(url))
        try:
            return [tuple(row) for row in await connection.fetch(sql)]
        finally:
            await connection.close()

    return asyncio.run(fetch())


def create_from_metadata(url: str) -> None:
    async def create() -> None:
        engine = create_engine(DatabaseConfig(url=url))
        async with engine.begin() as connection:
            await connection.run_sync(metadata.create_all)
        await engine.dispose()

    asyncio.run(create())


@pytest.fixture
def config(fresh_database: str) -> Config:
    return alembic_config(fresh_database)


def test_the_schema_goes_up_down_and_up_again(config: Config, fresh_database: str) -> None:
    assert asyncio.run(current_revision(DatabaseConfig(url=fresh_database))) is None

    command.upgrade(config, "head")
    first = query(fresh_database, SHAPE)
    command.downgrade(config, "base")
    assert query(fresh_database, SHAPE) == []
    command.upgrade(config, "head")

    assert first
    assert sorted(query(fresh_database, SHAPE)) == sorted(first)
    assert asyncio.run(current_revision(DatabaseConfig(url=fresh_database))) == REVISION
    command.upgrade(config, "head")  # completed steps are not repeated
    command.check(config)


def test_the_check_notices_what_a_migration_forgot(config: Config, fresh_database: str) -> None:
    command.upgrade(config, "head")
    query(fresh_database, "DROP INDEX ix_tasks_by_due_ascending")

    with pytest.raises(CommandError, match="ix_tasks_by_due_ascending"):
        command.check(config)


def test_the_migrations_make_the_tables_of_the_program(config: Config, fresh_database: str) -> None:
    """Alembic's check ignores check constraints and details of expressions; this test does not."""
    create_from_metadata(fresh_database)
    expected = query(fresh_database, SHAPE)
    query(fresh_database, f"DROP TABLE {', '.join(metadata.tables)}")

    command.upgrade(config, "head")

    assert sorted(query(fresh_database, SHAPE)) == sorted(expected)
    assert len(expected) > 30


def test_the_migration_counts_existing_tasks(config: Config, fresh_database: str) -> None:
    """Tasks in the trash do not count; users without tasks are included."""
    command.upgrade(config, "0002")
    query(
        fresh_database, "INSERT INTO users (id, revision, created_at) SELECT unnest('{ada,bob,cleo}'::text[]), 9, now()"
    )
    query(
        fresh_database,
        """
        INSERT INTO tasks (user_id, id, title, title_key, completed, created_at, updated_at, revision, deleted_at)
        SELECT owner, gen_random_uuid(), 't', 't', false, now(), now(), 1, CASE WHEN in_trash THEN now() END
          FROM (VALUES ('ada', false), ('ada', false), ('ada', true), ('bob', true)) AS given (owner, in_trash)
        """,
    )
    counts = "SELECT id, live_tasks FROM users ORDER BY id"

    command.upgrade(config, "0003")
    assert query(fresh_database, counts) == [("ada", 2), ("bob", 0), ("cleo", 0)]
    command.downgrade(config, "0002")
    query(fresh_database, "UPDATE tasks SET deleted_at = NULL WHERE user_id = 'bob'")
    command.upgrade(config, "0003")
    assert query(fresh_database, counts) == [("ada", 2), ("bob", 1), ("cleo", 0)]


def test_the_program_names_the_newest_revision(config: Config) -> None:
    assert ScriptDirectory.from_config(config).get_heads() == [REVISION]


async def set_revision(url: str, revision: str) -> None:
    await asyncio.to_thread(query, url, f"UPDATE alembic_version SET version_num = '{revision}'")


def test_revisions_are_in_order(config: Config) -> None:
    """The program compares revisions by their order."""
    newest_first = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    assert newest_first == sorted(newest_first, reverse=True)


async def test_the_check_of_the_service_fails_until_the_schema_is_there(fresh_database: str) -> None:
    engine = create_engine(DatabaseConfig(url=fresh_database))
    try:
        with pytest.raises(RepositoryUnavailableError):
            await SqlAlchemyTaskRepository(engine).check()
        await asyncio.to_thread(command.upgrade, alembic_config(fresh_database), "head")
        await SqlAlchemyTaskRepository(engine).check()
        await set_revision(fresh_database, "0002")
        with pytest.raises(RepositoryUnavailableError, match="alembic upgrade head"):
            await SqlAlchemyTaskRepository(engine).check()
        await set_revision(fresh_database, f"{int(REVISION) + 1:04}")  # that of the version that replaces this one
        await SqlAlchemyTaskRepository(engine).check()
    finally:
        await engine.dispose()


def test_two_upgrades_at_once_both_succeed(fresh_database: str) -> None:
    upgrades = [
        subprocess.Popen(
            [sys.executable, "-m", "alembic", "upgrade", "head"],
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": fresh_database},
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    complaints = [upgrade.communicate(timeout=60)[1] for upgrade in upgrades]

    assert [upgrade.returncode for upgrade in upgrades] == [0, 0], complaints
    assert asyncio.run(current_revision(DatabaseConfig(url=fresh_database))) == REVISION


@asynccontextmanager
async def holding(url: str, lock: str) -> AsyncIterator[None]:
    """Hold a lock in another transaction while the block runs."""
    connection = await asyncpg.connect(direct(url))
    try:
        async with connection.transaction():
            await connection.execute(lock)
            yield
    finally:
        await connection.close()


def test_a_run_that_waits_too_long_for_another_changes_nothing(config: Config, fresh_database: str) -> None:
    config.attributes["others_timeout"] = 0.05

    async def upgrade_beside_another() -> None:
        async with holding(fresh_database, "SELECT pg_advisory_xact_lock(1953457263)"):
            with pytest.raises(TimeoutError, match="another run of the migrations"):
                await asyncio.to_thread(command.upgrade, config, "head")

    asyncio.run(upgrade_beside_another())

    assert asyncio.run(current_revision(DatabaseConfig(url=fresh_database))) is None
    command.upgrade(config, "head")


TABLES = ", ".join(metadata.tables)


def test_a_downgrade_that_has_to_wait_too_long_changes_nothing(config: Config, fresh_database: str) -> None:
    """A long transaction has locked every table, so the first statement of any downgrade has to wait."""
    command.upgrade(config, "head")
    before = query(fresh_database, SHAPE)
    config.attributes["lock_timeout"] = "50ms"

    async def downgrade_while_locked() -> None:
        async with holding(fresh_database, f"LOCK {TABLES} IN ACCESS SHARE MODE"):
            with pytest.raises(DBAPIError, match="lock timeout"):
                await asyncio.to_thread(command.downgrade, config, "base")

    asyncio.run(downgrade_while_locked())

    assert query(fresh_database, SHAPE) == before
    assert asyncio.run(current_revision(DatabaseConfig(url=fresh_database))) == REVISION
    command.downgrade(config, "base")


def test_a_waiting_upgrade_lets_requests_pass_and_retries(config: Config, fresh_database: str) -> None:
    command.upgrade(config, "0001")
    config.attributes["lock_timeout"] = "50ms"

    async def upgrade_while_locked() -> float:
        async with holding(fresh_database, "LOCK users IN ACCESS SHARE MODE"):
            upgrade = asyncio.create_task(asyncio.to_thread(command.upgrade, config, "head"))
            await asyncio.sleep(0.5)
            start = time.monotonic()
            async with holding(fresh_database, "LOCK users IN ROW EXCLUSIVE MODE"):  # the lock that a request takes
                waited = time.monotonic() - start
        await upgrade
        return waited

    assert asyncio.run(upgrade_while_locked()) < 0.5
    assert asyncio.run(current_revision(DatabaseConfig(url=fresh_database))) == REVISION


@pytest.mark.parametrize("table", ["users", "tasks"])
def test_an_interrupted_upgrade_continues(config: Config, fresh_database: str, table: str) -> None:
    command.upgrade(config, "head")
    expected = sorted(query(fresh_database, SHAPE))
    command.downgrade(config, "0001")
    config.attributes.update(lock_timeout="50ms", lock_attempts=1)

    async def upgrade_while_locked() -> None:
        async with holding(fresh_database, f"LOCK {table} IN ACCESS SHARE MODE"):
            with pytest.raises(DBAPIError, match="lock timeout"):
                await asyncio.to_thread(command.upgrade, config, "head")

    asyncio.run(upgrade_while_locked())
    query(fresh_database, "CREATE INDEX ix_tasks_by_title_new ON tasks (title)")  # left by a failed build

    command.upgrade(config, "head")

    assert sorted(query(fresh_database, SHAPE)) == expected


@pytest.mark.parametrize("url", [None, "mysql://ada:secret@db/todo"])
def test_a_missing_database_url_is_named(url: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)  # without a .env file
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("NEON_DB_URL", raising=False)

    with pytest.raises(SystemExit, match="DATABASE_URL") as end:
        command.upgrade(alembic_config(url), "head")

    assert "secret" not in str(end.value)
