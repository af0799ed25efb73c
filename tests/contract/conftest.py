import pytest
from tests.storages import Storage, in_memory, in_postgres

from todo_api.domain.ports import TaskRepository


@pytest.fixture(params=["memory", "postgres"])
def storage(request: pytest.FixtureRequest) -> Storage:
    """Each storage in turn: what is true of one is true of all."""
    return in_memory() if request.param == "memory" else in_postgres(request.getfixturevalue("connections"))


@pytest.fixture
def repository(storage: Storage) -> TaskRepository:
    return storage.tasks
