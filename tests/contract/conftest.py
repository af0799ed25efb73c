import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from alembic import command
from tests.citus import new_cluster_database, prepare_cluster
from tests.conftest import STOP_CLOCK, alembic_config, empty_database, stop_clock
from tests.pooler import direct
from tests.storages import Storage, storage_of

from todo_api.domain.ports import TaskRepository


@pytest.fixture(params=["memory", "postgres", "hot path"])
def storage(request: pytest.FixtureRequest) -> Storage:
    """Each storage in turn: all follow the same contract."""
    return storage_of(request, postgres=request.param != "memory", hot_path=request.param == "hot path")


@pytest.fixture
def repository(storage: Storage) -> TaskRepository:
    return storage.tasks


@pytest.fixture(scope="module")
def own_database(request: pytest.FixtureRequest, database_url: str) -> Iterator[str]:
    """The URL of a database with the newest schema, for the tests of one module. Its clock stands still."""
    if request.config.getoption("--database") == "citus":
        with _distributed_database(database_url) as url:
            yield url
        return
    with empty_database(database_url) as url:
        command.upgrade(alembic_config(direct(url)), "head")
        stop_clock(url)
        yield url


@contextmanager
def _distributed_database(coordinator: str) -> Iterator[str]:
    opened = new_cluster_database(coordinator)
    with asyncio.Runner() as runner:
        url = runner.run(opened.__aenter__())
        try:
            command.upgrade(alembic_config(url), "head")
            runner.run(prepare_cluster(url, STOP_CLOCK))
            yield url
        finally:
            runner.run(opened.__aexit__(None, None, None))
