"""Each statement is reported once, with its kind, its duration and its error."""

from collections.abc import AsyncIterator

import pytest
from tests.domain.builders import NOW, a_task
from tests.postgres.running import Service
from tests.postgres.test_pool import SLEEP

from todo_api.adapters.sqlalchemy.driver import DatabaseConfig
from todo_api.adapters.sqlalchemy.engine import create_engine
from todo_api.adapters.sqlalchemy.observation import observe_statements
from todo_api.domain.errors import RepositoryUnavailableError, TaskExistsError


class Reports(list[tuple[str, float, str | None]]):
    def __call__(self, operation: str, seconds: float, error: str | None) -> None:
        self.append((operation, seconds, error))

    @property
    def kinds(self) -> list[tuple[str, str | None]]:
        return [(operation, error) for operation, _, error in self]


@pytest.fixture
def reports() -> Reports:
    return Reports()


@pytest.fixture(params=[True, False], ids=["hot path", "sqlalchemy"])
async def service(database_url: str, reports: Reports, request: pytest.FixtureRequest) -> AsyncIterator[Service]:
    engine = create_engine(DatabaseConfig(url=database_url, pool_size=1, statement_timeout=0.3))
    observe_statements(engine, reports)
    service = Service(engine, hot_path=request.param, observe=reports)
    await service.tasks.check()
    reports.clear()
    yield service
    await engine.dispose()


async def test_statements_are_reported_by_kind(service: Service, reports: Reports, user_id: str) -> None:
    task = await service.tasks.add(a_task(user_id))
    await service.tasks.get(user_id, task.id)
    await service.tasks.save(task)
    await service.tasks.remove(user_id, task.id, now=NOW)

    assert reports.kinds == [("INSERT", None), ("SELECT", None), ("UPDATE", None), ("UPDATE", None)]
    assert all(0 < seconds < 10 for _, seconds, _ in reports)


async def test_errors_are_reported_by_name(service: Service, reports: Reports, user_id: str) -> None:
    task = await service.tasks.add(a_task(user_id))
    with pytest.raises(TaskExistsError):
        await service.tasks.add(task)
    with pytest.raises(RepositoryUnavailableError):
        await service.write(SLEEP, {"seconds": 5})

    failed = [(operation, error) for operation, error in reports.kinds if error]
    assert failed == [("INSERT", "UniqueViolationError"), ("SELECT", "TimeoutError")]
