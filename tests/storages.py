"""The adapters of one storage, which share their data."""

from dataclasses import dataclass

from todo_api.adapters.memory.accounts import InMemoryAccountRepository
from todo_api.adapters.memory.housekeeping import InMemoryHousekeeping
from todo_api.adapters.memory.repository import InMemoryTaskRepository
from todo_api.adapters.memory.store import Store
from todo_api.adapters.sqlalchemy.account_repository import SqlAlchemyAccountRepository
from todo_api.adapters.sqlalchemy.engine import FairEngine
from todo_api.adapters.sqlalchemy.hot_path import HotPath
from todo_api.adapters.sqlalchemy.housekeeping import SqlAlchemyHousekeeping
from todo_api.adapters.sqlalchemy.task_repository import SqlAlchemyTaskRepository
from todo_api.domain.ports import AccountRepository, Housekeeping, TaskRepository


@dataclass(frozen=True)
class Storage:
    tasks: TaskRepository
    accounts: AccountRepository
    housekeeping: Housekeeping


def in_memory() -> Storage:
    store = Store()
    return Storage(InMemoryTaskRepository(store), InMemoryAccountRepository(store), InMemoryHousekeeping(store))


def in_postgres(engine: FairEngine, *, hot_path: bool = True) -> Storage:
    return Storage(
        SqlAlchemyTaskRepository(engine, HotPath(engine) if hot_path else None),
        SqlAlchemyAccountRepository(engine),
        SqlAlchemyHousekeeping(engine),
    )
