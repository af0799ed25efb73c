"""One PostgreSQL for the whole run; every test has its own users, so that tables are never emptied.

The server is TEST_DATABASE_URL if that is set, a container with `--database=container`, and otherwise the embedded one,
which all workers of a run share; with `--database=pgbouncer`, each worker has its own pooler, and with
`--database=citus` its own cluster in containers.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import pytest
from alembic import command
from alembic.config import Config
from hypothesis import settings
from testcontainers.community.postgres import PostgresContainer
from tests.citus import prepare_cluster
from tests.citus_containers import open_cluster, why_not
from tests.domain.builders import NOW
from tests.pooler import MISSING, PGBOUNCER, direct, open_pooler

from todo_api.adapters.sqlalchemy.driver import DatabaseConfig
from todo_api.adapters.sqlalchemy.engine import FairEngine, create_engine
from todo_api.adapters.sqlalchemy.task_repository import SqlAlchemyTaskRepository
from todo_api.dev.postgres import open_server

# How long an example takes says how busy the machine is; what may not take long has tests of its own.
settings.register_profile("without a deadline", parent=settings.default, deadline=None)
settings.load_profile("without a deadline")

ROOT = Path(__file__).parent.parent
HELP = (
    "where PostgreSQL runs; `pgbouncer` is the embedded one behind a pooler in transaction mode, "
    "`citus` a cluster in containers, or that of the coordinator TEST_DATABASE_URL, "
    "and `none` skips tests that need a database, start processes or generate hundreds of requests"
)
SLOW = {"deploy", "e2e", "faults", "fuzz", "logs", "migrations", "test_openapi.py"}
POOLED = 20  # connections of the pooler for each database; the service has ten, and tests start more than one service


def pytest_addoption(parser: pytest.Parser) -> None:
    kinds = ["embedded", "container", "pgbouncer", "citus", "none"]
    parser.addoption("--database", choices=kinds, default="embedded", help=HELP)
    parser.addoption("--postgres-image", default="postgres:18", help="the image of --database=container")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With a pooler or a cluster, select the tests that use the database; without a database, the quick ones."""
    kind = config.getoption("--database")
    if kind in {"pgbouncer", "citus"}:
        items[:] = filter(_uses_database, items)
    if kind == "citus":
        items[:] = [item for item in items if item.get_closest_marker("one_server") is None]
    if kind == "none":
        left_out = ("redis", "memory-without-hot-path")  # make test runs both
        items[:] = [item for item in items if not _uses_database(item) and not any(x in item.name for x in left_out)]


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    return True if config.getoption("--database") == "none" and collection_path.name in SLOW else None


def _uses_database(item: pytest.Item) -> bool:
    if not isinstance(item, pytest.Function):
        return False
    storages = item.callspec.params.values() if hasattr(item, "callspec") else ()
    fixtures = {"database_url", "cluster", "composed_cluster"}
    return bool(fixtures & {*item.fixturenames}) or "postgres" in storages or "hot path" in storages


@pytest.fixture(scope="session")
def database_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a database with the newest schema, as a superuser. Its clock stands still."""
    for url in _server(request.config, tmp_path_factory):
        command.upgrade(alembic_config(direct(url)), "head")
        if request.config.getoption("--database") == "citus":
            asyncio.run(prepare_cluster(url, STOP_CLOCK))
        else:
            stop_clock(url)
        yield url


@pytest.fixture(scope="session")
def server_url(database_url: str) -> str:
    """The same URL without the pooler, for tests that need the server itself."""
    return direct(database_url)


def _server(config: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    kind = config.getoption("--database")
    if given := os.environ.get("TEST_DATABASE_URL"):
        yield given
    elif kind == "citus":
        if reason := why_not():
            pytest.skip(f"--database=citus needs TEST_DATABASE_URL, the URL of a coordinator, or containers: {reason}")
        with open_cluster("--fsync=off") as cluster:
            yield cluster.coordinator.url
    elif kind == "container":
        with PostgresContainer(config.getoption("--postgres-image"), driver=None) as container:
            yield container.get_connection_url()
    else:
        base = tmp_path_factory.getbasetemp()
        shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
        with open_server(shared / "postgres", durable=False) as url:
            yield from _pooled(url, base) if kind == "pgbouncer" else [url]


def _pooled(url: str, directory: Path) -> Iterator[str]:
    if PGBOUNCER is None:
        pytest.skip(MISSING)
    with open_pooler(url, directory, connections=POOLED) as pooled:
        yield pooled


STOP_CLOCK = f"""
SELECT pg_advisory_xact_lock(7463);
CREATE OR REPLACE FUNCTION public.statement_timestamp() RETURNS timestamptz STABLE LANGUAGE sql
    AS $$ SELECT '{NOW.isoformat()}'::timestamptz $$;
DO $$ BEGIN
    EXECUTE format('ALTER DATABASE %I SET search_path = public, pg_catalog', current_database());
END $$;
"""


def stop_clock(url: str) -> None:
    """Make the database's clock stand still at NOW for later connections, so that tests can count revisions.

    Connections that a pooler keeps from before do not notice, so nothing may use it earlier.
    """
    asyncio.run(_execute(direct(url), STOP_CLOCK))


def alembic_config(url: str | None) -> Config:
    """Alembic's configuration for the database to migrate; it does not configure logging."""
    config = Config(ROOT / "alembic.ini")
    config.attributes.update(database_url=url, configure_logging=False)
    return config


@pytest.fixture
def fresh_database(database_url: str) -> Iterator[str]:
    """The URL of an empty database on the same server, which is dropped after the test."""
    with empty_database(database_url) as url:
        yield url


@contextmanager
def empty_database(database_url: str) -> Iterator[str]:
    """Create a database on the server while the block runs."""
    name = f"test_{uuid4().hex}"
    asyncio.run(_execute(database_url, f"CREATE DATABASE {name}"))
    yield urlunsplit(urlsplit(database_url)._replace(path=f"/{name}"))
    asyncio.run(_execute(database_url, f"DROP DATABASE {name} WITH (FORCE)"))


async def _execute(url: str, sql: str) -> None:
    connection = await asyncpg.connect(direct(url))
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
async def engine(database_url: str) -> AsyncIterator[FairEngine]:
    engine = create_engine(DatabaseConfig(url=database_url))
    yield engine
    await engine.dispose()


@pytest.fixture(scope="session")
def running_database(database_url: str) -> Iterator[str]:
    """The URL of a database whose clock runs, for the tests with the marker `clock_runs`."""
    with empty_database(database_url) as url:
        command.upgrade(alembic_config(url), "head")
        yield url


@pytest.fixture(scope="session")
async def running_engine(running_database: str) -> AsyncIterator[FairEngine]:
    engine = create_engine(DatabaseConfig(url=running_database))
    yield engine
    await engine.dispose()


@pytest.fixture(scope="session")
def postgres_repository(engine: FairEngine) -> SqlAlchemyTaskRepository:
    return SqlAlchemyTaskRepository(engine)


def new_user_id() -> str:
    """A user that no other test uses."""
    return f"user-{uuid4()}"


@pytest.fixture
def user_id() -> str:
    return new_user_id()


@pytest.fixture(name="new_user_id")
def _new_user_id() -> Callable[[], str]:
    return new_user_id
