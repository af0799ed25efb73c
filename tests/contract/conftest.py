from collections.abc import Iterator

import pytest
from alembic import command
from tests.conftest import alembic_config, empty_database, stop_clock
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
def own_database(database_url: str) -> Iterator[str]:
    """The URL of a database with the newest schema, for the tests of one module. Its clock stands still."""
    with empty_database(database_url) as url:
        command.upgrade(alembic_config(direct(url)), "head")
        stop_clock(url)
        yield url
