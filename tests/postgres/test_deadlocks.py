"""A deadlock has rolled one transaction back, so the call is repeated."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeAlias

import asyncpg
import pytest
from tests.domain.builders import a_task
from tests.postgres.running import Service

from todo_api.adapters.sqlalchemy.engine import FairEngine
from todo_api.adapters.sqlalchemy.errors import reads, writes
from todo_api.domain.errors import RepositoryUnavailableError

Database: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Connect: TypeAlias = Callable[..., Service]


@pytest.mark.one_server
async def test_a_write_that_ends_a_deadlock_is_repeated(connect: Connect, database: Database, user_id: str) -> None:
    tasks = connect().tasks
    task = await tasks.add(a_task(user_id))
    async with database.transaction():
        await database.execute("SET LOCAL deadlock_timeout = '1min'")  # so that the other side notices it
        await database.execute("SELECT FROM tasks WHERE user_id = $1 FOR UPDATE", user_id)
        saving = asyncio.create_task(tasks.save(replace(task, title="Saved")))
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%locked%'"
        while not await database.fetchval(waiting):
            await database.execute("SELECT pg_sleep(0.01), pg_stat_clear_snapshot()")
        await database.execute("SELECT FROM users WHERE id = $1 FOR UPDATE", user_id)
    saved = await saving
    assert saved == await tasks.get(user_id, task.id)
    assert saved.title == "Saved"


class Adapter:
    """Fails so many times, with a deadlock unless another error is given."""

    def __init__(self, engine: FairEngine, failures: int, error: Exception | None = None) -> None:
        self.engine = engine
        self.failures = failures
        self.error = error or asyncpg.DeadlockDetectedError("deadlock detected")

    async def call(self) -> str:
        self.failures -= 1
        if self.failures >= 0:
            raise self.error
        return "done"

    read = reads(call)
    write = writes(call)


@pytest.mark.parametrize("call", [Adapter.read, Adapter.write])
@pytest.mark.parametrize(
    "error", [None, asyncpg.SerializationError("shard for the given value does not exist")], ids=["deadlock", "moved"]
)
async def test_a_call_is_repeated_a_few_times(
    call: Callable[[Adapter], Awaitable[str]], error: Exception | None, connect: Connect
) -> None:
    engine = connect().engine
    assert await call(Adapter(engine, failures=4, error=error)) == "done"
    failing = Adapter(engine, failures=5, error=error)
    with pytest.raises(RepositoryUnavailableError):
        await call(failing)
    assert failing.failures == 0
