"""Fixtures of the PostgreSQL tests: separate databases, services and direct connections."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import asyncpg
import pytest
from alembic import command
from tests.conftest import alembic_config
from tests.pooler import direct
from tests.ports import unused_port
from tests.postgres.running import Service

from todo_api.adapters.sqlalchemy.driver import DatabaseConfig
from todo_api.adapters.sqlalchemy.engine import create_engine


@pytest.fixture(params=["sqlalchemy", "hot path"])
async def connect(database_url: str, request: pytest.FixtureRequest) -> AsyncIterator[Callable[..., Service]]:
    """Makes processes of the service, with and without the hot path; on the common database by default."""
    async with AsyncExitStack() as stack:

        def make(url: str = database_url, **config: Any) -> Service:
            engine = create_engine(DatabaseConfig(url=url, **config))
            stack.push_async_callback(engine.dispose)
            return Service(engine, hot_path=request.param == "hot path")

        yield make


@pytest.fixture
async def database(database_url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A direct connection that does not use the tested code."""
    connection = await asyncpg.connect(direct(database_url))
    yield connection
    await connection.close()


@pytest.fixture(name="unused_port")
def _unused_port() -> int:
    return unused_port()


@pytest.fixture
async def migrated_database(fresh_database: str) -> str:
    """The URL of a separate database with the newest schema."""
    await asyncio.to_thread(command.upgrade, alembic_config(fresh_database), "head")
    return fresh_database


@pytest.fixture
async def own_database(migrated_database: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A direct connection to that database."""
    connection = await asyncpg.connect(migrated_database)
    yield connection
    await connection.close()
