"""The adapters of one storage, which share their data."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import pytest
from tests.domain.builders import running_clock, stopped_clock

from todo_api.adapters.memory.accounts import InMemoryAccountRepository
from todo_api.adapters.memory.housekeeping import InMemoryHousekeeping
from todo_api.adapters.memory.lists import InMemoryListRepository
from todo_api.adapters.memory.repository import InMemoryTaskRepository
from todo_api.adapters.memory.store import Store
from todo_api.adapters.sqlalchemy.account_repository import SqlAlchemyAccountRepository
from todo_api.adapters.sqlalchemy.engine import FairEngine
from todo_api.adapters.sqlalchemy.hot_path import HotPath
from todo_api.adapters.sqlalchemy.housekeeping import SqlAlchemyHousekeeping
from todo_api.adapters.sqlalchemy.list_repository import SqlAlchemyListRepository
from todo_api.adapters.sqlalchemy.task_repository import SqlAlchemyTaskRepository
from todo_api.domain.ports import AccountRepository, Housekeeping, ListRepository, TaskRepository


@dataclass(frozen=True)
class Storage:
    tasks: TaskRepository
    lists: ListRepository
    accounts: AccountRepository
    housekeeping: Housekeeping


def in_memory(clock: Callable[[], datetime] = stopped_clock) -> Storage:
    store = Store(clock)
    return Storage(
        InMemoryTaskRepository(store),
        InMemoryListRepository(store),
        InMemoryAccountRepository(store),
        InMemoryHousekeeping(store),
    )


def storage_of(request: pytest.FixtureRequest, *, postgres: bool, hot_path: bool = True) -> Storage:
    """Return the storage for a test. Its clock stands still, unless the test has the marker `clock_runs`."""
    runs = request.node.get_closest_marker("clock_runs") is not None
    if not postgres:
        return in_memory(running_clock if runs else stopped_clock)
    return in_postgres(request.getfixturevalue("running_engine" if runs else "engine"), hot_path=hot_path)


def in_postgres(engine: FairEngine, *, hot_path: bool = True) -> Storage:
    return Storage(
        SqlAlchemyTaskRepository(engine, HotPath(engine) if hot_path else None),
        SqlAlchemyListRepository(engine),
        SqlAlchemyAccountRepository(engine),
        SqlAlchemyHousekeeping(engine),
    )
