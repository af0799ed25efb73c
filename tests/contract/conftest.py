import pytest

from todo_api.adapters.memory.repository import InMemoryTaskRepository
from todo_api.domain.ports import TaskRepository


@pytest.fixture(params=["memory", "postgres"])
def repository(request: pytest.FixtureRequest) -> TaskRepository:
    """Each adapter in turn: what is true of one is true of all."""
    if request.param == "memory":
        return InMemoryTaskRepository()
    found: TaskRepository = request.getfixturevalue("postgres_repository")
    return found
