"""The feed of several processes, each with its own pool."""

import asyncio
import itertools
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import asyncpg
import pytest
from tests.domain.builders import a_task
from tests.postgres.proxy import Proxy, open_proxy
from tests.postgres.running import Service

from todo_api.adapters.memory.change_feed import InMemoryChangeFeed
from todo_api.adapters.sqlalchemy.change_poller import SqlAlchemyChangePoller
from todo_api.adapters.sqlalchemy.task_repository import SqlAlchemyTaskRepository
from todo_api.application.change_feed import ChangeFeed, Listener

Connect = Callable[..., Service]
INTERVAL = 0.1


@asynccontextmanager
async def polling(service: Service, interval: float = INTERVAL) -> AsyncIterator[ChangeFeed]:
    feed = InMemoryChangeFeed()
    async with SqlAlchemyChangePoller(service.engine, feed, interval).polling():
        yield feed


async def news(listener: Listener) -> None:
    async with asyncio.timeout(10):
        await listener.wait()


async def silence(listener: Listener) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(5 * INTERVAL):
            await listener.wait()


async def until_known(listener: Listener) -> None:
    """Wait for the first poll, which always wakes: there may have been a write before it."""
    await news(listener)
    await silence(listener)


async def test_what_another_process_writes_is_noticed(
    connect: Connect, postgres_repository: SqlAlchemyTaskRepository, user_id: str, new_user_id: Callable[[], str]
) -> None:
    async with polling(connect()) as feed:
        with feed.listen(user_id) as listener, feed.listen(new_user_id()) as other:
            await until_known(listener)
            await until_known(other)
            task = await postgres_repository.add(a_task(user_id))
            await news(listener)
            await silence(listener)
            await postgres_repository.save(task)
            await news(listener)
            await silence(other)


async def test_it_is_noticed_within_about_a_second_by_default(
    connect: Connect, postgres_repository: SqlAlchemyTaskRepository, user_id: str
) -> None:
    feed = InMemoryChangeFeed()
    async with SqlAlchemyChangePoller(connect().engine, feed).polling():
        with feed.listen(user_id) as listener:
            await news(listener)
            await postgres_repository.add(a_task(user_id))
            async with asyncio.timeout(5):
                await listener.wait()


async def test_a_write_before_the_first_poll_is_not_missed(
    connect: Connect, postgres_repository: SqlAlchemyTaskRepository, user_id: str
) -> None:
    async with polling(connect()) as feed:
        with feed.listen(user_id) as listener:
            await postgres_repository.add(a_task(user_id))
            await news(listener)


async def test_an_erased_account_is_noticed(
    connect: Connect,
    postgres_repository: SqlAlchemyTaskRepository,
    database: "asyncpg.Connection[asyncpg.Record]",
    user_id: str,
) -> None:
    await postgres_repository.add(a_task(user_id))
    async with polling(connect()) as feed:
        with feed.listen(user_id) as listener:
            await until_known(listener)
            await database.execute("DELETE FROM users WHERE id = $1", user_id)
            await news(listener)
            await silence(listener)


async def test_it_polls_once_for_all_users_and_only_with_listeners(
    connect: Connect, database_url: str, new_user_id: Callable[[], str]
) -> None:
    async with open_proxy(database_url) as proxy:
        service = connect(proxy.url)
        async with polling(service) as feed:
            await asyncio.sleep(3 * INTERVAL)
            assert proxy.round_trips == 0
            with feed.listen(new_user_id()) as one, feed.listen(new_user_id()) as another:
                await until_known(one)
                await until_known(another)
                started, before = time.monotonic(), proxy.round_trips
                await asyncio.sleep(5 * INTERVAL)
                looks = (time.monotonic() - started) / INTERVAL
                assert 1 <= proxy.round_trips - before <= looks + 1
            with proxy.counted(0):
                await asyncio.sleep(3 * INTERVAL)


@pytest.mark.parametrize(("took", "pause"), [(0.0, 1.0), (0.05, 1.0), (0.25, 2.5), (9.0, 10.0)])
async def test_slow_polls_are_made_less_often(connect: Connect, user_id: str, took: float, pause: float) -> None:
    pauses: list[float] = []
    is_done = asyncio.Event()

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 4:  # the first pause, and those after three polls
            is_done.set()
            await asyncio.Event().wait()

    feed = InMemoryChangeFeed()
    clock = itertools.count(step=took).__next__  # a poll asks for the time when it starts and when it ends
    poller = SqlAlchemyChangePoller(connect().engine, feed, sleep=sleep, clock=clock)
    with feed.listen(user_id):
        async with poller.polling(), asyncio.timeout(10):
            await is_done.wait()
    assert pauses == [1.0, pause, pause, pause]


async def test_it_holds_no_connection_between_polls(connect: Connect, user_id: str) -> None:
    service = connect(pool_size=1, pool_timeout=1)
    async with polling(service) as feed:
        with feed.listen(user_id) as listener:
            await until_known(listener)
            await service.tasks.check()


async def test_it_survives_an_outage_and_logs_it_once(
    connect: Connect,
    database_url: str,
    unused_port: int,
    user_id: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with polling(connect(Proxy(database_url, unused_port).url)) as feed:
        with feed.listen(user_id) as listener:
            with caplog.at_level(logging.WARNING):
                await silence(listener)
            assert len(caplog.records) == 1
            async with open_proxy(database_url, unused_port):
                await until_known(listener)
            await connect().tasks.add(a_task(user_id))
            await silence(listener)
            async with open_proxy(database_url, unused_port):
                await news(listener)


async def test_it_ends_with_the_block(connect: Connect, user_id: str) -> None:
    async with polling(connect()) as feed:
        listening = feed.listen(user_id)
    with listening as listener:
        await silence(listener)
