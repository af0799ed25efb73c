"""The adapters of one storage, together: what one of them writes, the others see."""

from dataclasses import dataclass

from todo_api.adapters.memory.accounts import InMemoryAccountRepository
from todo_api.adapters.memory.housekeeping import InMemoryHousekeeping
from todo_api.adapters.memory.repository import InMemoryTaskRepository
from todo_api.adapters.memory.store import Store
from todo_api.adapters.postgres.accounts import PostgresAccountRepository
from todo_api.adapters.postgres.connections import Connections
from todo_api.adapters.postgres.housekeeping import PostgresHousekeeping
from todo_api.adapters.postgres.repository import PostgresTaskRepository
from todo_api.domain.ports import AccountRepository, Housekeeping, TaskRepository


@dataclass(frozen=True)
class Storage:
    tasks: TaskRepository
    accounts: AccountRepository
    housekeeping: Housekeeping


def in_memory() -> Storage:
    store = Store()
    return Storage(InMemoryTaskRepository(store), InMemoryAccountRepository(store), InMemoryHousekeeping(store))


def in_postgres(connections: Connections) -> Storage:
    return Storage(
        PostgresTaskRepository(connections), PostgresAccountRepository(connections), PostgresHousekeeping(connections)
    )
