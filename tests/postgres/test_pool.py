"""Lost, awaited and cancelled connections: the pool stays usable, and callers are served in order."""

import asyncio
import random
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any, TypeAlias

import asyncpg
import pytest
from sqlalchemy import Float, bindparam, func, literal_column, select
from sqlalchemy.exc import StatementError
from tests.domain.builders import START, a_task
from tests.postgres.proxy import open_proxy
from tests.postgres.running import Service

from todo_api.domain.errors import RepositoryUnavailableError
from todo_api.domain.listing import TaskQuery

Database: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Connect = Callable[..., Service]

SLEEP = select(func.pg_sleep(bindparam("seconds", type_=Float)))
ECHO = select(bindparam("value", type_=Float).label("value"), func.pg_sleep(literal_column("0.001")))


async def sleep(service: Service, seconds: float) -> None:
    await service.read(SLEEP, {"seconds": seconds})


async def fill(service: Service, count: int) -> None:
    """Open that many connections, and leave them idle."""
    await asyncio.gather(*(sleep(service, 0.1) for _ in range(count)))


@pytest.fixture
def marked(connect: Connect, server_url: str, user_id: str) -> Callable[..., Service]:
    """Make connections whose application name is the user's id."""
    separator = "&" if "?" in server_url else "?"
    return lambda **config: connect(f"{server_url}{separator}application_name={user_id}", **config)


@pytest.fixture
def backends(database: Database, user_id: str) -> Callable[[str], Any]:
    """Evaluate an expression for each server process of a marked connection."""

    async def call(expression: str = "pid") -> list[Any]:
        sql = f"SELECT {expression} FROM pg_stat_activity WHERE application_name = $1 ORDER BY pid"
        return [row[0] for row in await database.fetch(sql, user_id)]

    return call


KILL = "pg_terminate_backend(pid, 5000)"


async def test_connections_that_the_server_closed_are_replaced(
    marked: Connect, backends: Callable[..., Any], user_id: str
) -> None:
    service = marked(pool_size=5)
    repository = service.tasks
    task = await repository.add(a_task(user_id))
    for _ in range(3):
        await fill(service, 5)
        assert await backends(KILL) == [True] * 5

        saved = await repository.save(replace(task, title=f"{task.title}!"))
        assert saved
        found = await asyncio.gather(*(repository.get(user_id, saved.id) for _ in range(20)))
        assert found == [saved] * 20
        task = saved


async def test_a_read_is_retried_after_a_lost_connection(marked: Connect, backends: Callable[..., Any]) -> None:
    service = marked(pool_size=1)
    await sleep(service, 0)
    reading = asyncio.create_task(sleep(service, 0.3))
    await asyncio.sleep(0.1)

    assert await backends(KILL) == [True]

    await reading


async def test_a_write_that_the_server_aborted_is_retried(marked: Connect, backends: Callable[..., Any]) -> None:
    service = marked(pool_size=1)
    await sleep(service, 0)
    writing = asyncio.create_task(service.write(SLEEP, {"seconds": 0.3}))
    await asyncio.sleep(0.1)

    assert await backends(KILL) == [True]

    await writing


async def test_a_write_with_an_unknown_result_is_never_retried(
    connect: Connect, database_url: str, user_id: str
) -> None:
    async with open_proxy(database_url) as proxy:
        service = connect(proxy.url, pool_size=1)
        await sleep(service, 0)
        writing = asyncio.create_task(service.write(SLEEP, {"seconds": 0.5}))
        await asyncio.sleep(0.1)

        await proxy.hang_up()

        with pytest.raises(RepositoryUnavailableError):
            await writing
        await service.tasks.add(a_task(user_id))


async def test_waiting_for_a_connection_times_out(connect: Connect) -> None:
    service = connect(pool_size=1, pool_timeout=0.2)
    holder = asyncio.create_task(sleep(service, 1))
    await asyncio.sleep(0.05)
    start = time.monotonic()

    results = await asyncio.gather(*(sleep(service, 0) for _ in range(20)), return_exceptions=True)

    assert time.monotonic() - start < 0.8
    assert {type(result) for result in results} == {RepositoryUnavailableError}
    assert {str(result) for result in results} == {"no database connection was free in time; nothing was changed"}
    await holder
    await sleep(service, 0)


async def test_writes_continue_while_the_server_closes_connections(
    marked: Callable[..., Service], backends: Callable[[str], Any], user_id: str
) -> None:
    service = marked(pool_size=4)
    repository = service.tasks
    for written in range(1, 16):
        await asyncio.gather(*(sleep(service, 0.001) for _ in range(4)))
        await backends("pg_terminate_backend(pid)")
        assert (await repository.add(a_task(user_id))).revision == START + written


async def test_latecomers_do_not_overtake(connect: Connect) -> None:
    service, order = connect(pool_size=2), []

    async def twice(number: int) -> None:
        """Run a statement, then another one immediately, while others have been waiting."""
        for turn in range(3):
            await sleep(service, 0.002)
            order.append((turn, number))

    await asyncio.gather(sleep(service, 0.002), sleep(service, 0.002))
    await asyncio.gather(*(twice(number) for number in range(12)))

    # Two are served at once, and one may be slower, so neighbours may change places.
    places = {who: place for place, who in enumerate(order)}
    expected = {(turn, number): turn * 12 + number for turn in range(3) for number in range(12)}
    assert all(abs(places[who] - expected[who]) <= 5 for who in expected), order


async def test_a_slow_statement_times_out(connect: Connect) -> None:
    service = connect(pool_size=1, statement_timeout=0.2)
    start = time.monotonic()

    with pytest.raises(RepositoryUnavailableError):
        await service.write(SLEEP, {"seconds": 5})

    assert time.monotonic() - start < 2
    await sleep(service, 0)


async def test_a_statement_with_a_missing_value_costs_no_other_connection(
    marked: Connect, backends: Callable[..., Any]
) -> None:
    service = marked(pool_size=3)
    await fill(service, 3)
    before = await backends()

    with pytest.raises((KeyError, StatementError)):
        await service.read(SLEEP, {})
    await fill(service, 3)

    assert len(set(before) & set(await backends())) >= 2


async def test_a_statement_that_the_server_cancels_costs_no_connection(
    marked: Connect, backends: Callable[..., Any]
) -> None:
    service = marked(pool_size=2)
    await fill(service, 2)
    before = await backends()
    sleeping = asyncio.create_task(sleep(service, 30))
    await asyncio.sleep(0.2)

    await backends("pg_cancel_backend(pid)")
    with pytest.raises(RepositoryUnavailableError):
        await sleeping
    await fill(service, 2)

    assert await backends() == before


async def test_a_cancelled_caller_leaves_the_pool_usable(connect: Connect) -> None:
    service = connect(pool_size=2, pool_timeout=2)
    numbers = random.Random(1)
    for moment in [*(numbers.uniform(0, 0.02) for _ in range(40)), 0, 0]:
        callers = [asyncio.create_task(service.read(ECHO, {"value": n})) for n in range(4)]
        await asyncio.sleep(moment)
        for caller in callers[::2]:
            caller.cancel()
        results = await asyncio.gather(*callers, return_exceptions=True)
        for number in (1, 3):
            rows = results[number]
            assert not isinstance(rows, BaseException)
            assert rows[0]["value"] == number  # not the result of another caller

    start = time.monotonic()
    await fill(service, 4)
    assert time.monotonic() - start < 1.5


async def test_a_cancelled_wait_does_not_take_a_place(connect: Connect) -> None:
    service = connect(pool_size=1, pool_timeout=1)
    holder = asyncio.create_task(sleep(service, 0.2))
    await asyncio.sleep(0.05)
    waiting = [asyncio.create_task(sleep(service, 5)) for _ in range(5)]
    await asyncio.sleep(0.05)
    for caller in waiting:
        caller.cancel()
        with suppress(asyncio.CancelledError):
            await caller

    await sleep(service, 0)
    await holder


async def test_no_more_connections_are_open_than_the_pool_has_places(
    marked: Connect, backends: Callable[..., Any]
) -> None:
    service = marked(pool_size=3)
    for _ in range(3):
        callers = [asyncio.create_task(sleep(service, 0.02)) for _ in range(12)]
        await asyncio.sleep(0.01)
        for caller in callers[:6]:
            caller.cancel()
        await asyncio.gather(*callers, return_exceptions=True)
    await fill(service, 12)

    await asyncio.sleep(0.05)
    assert len(await backends()) <= 3

    await service.engine.dispose()
    await asyncio.sleep(0.05)
    assert await backends() == []


async def test_a_migration_does_not_break_running_connections(
    migrated_database: str, connect: Connect, user_id: str
) -> None:
    service = connect(migrated_database, pool_size=1)
    repository = service.tasks
    task = await repository.add(a_task(user_id))
    assert (await repository.page(user_id, TaskQuery())).tasks == [await repository.get(user_id, task.id)]

    async with connect(migrated_database).engine.begin() as other:
        await other.exec_driver_sql("ALTER TABLE tasks ALTER COLUMN title TYPE varchar(600)")

    assert await repository.get(user_id, task.id) == task
    assert (await repository.page(user_id, TaskQuery())).tasks == [task]
    assert await repository.save(task)
