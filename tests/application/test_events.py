"""Event streams over the in-memory repository; `Troubled` simulates errors and writes while a stream reads."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.domain.builders import START, a_task, stopped_clock

from todo_api.adapters.memory.change_feed import InMemoryChangeFeed
from todo_api.adapters.memory.housekeeping import InMemoryHousekeeping
from todo_api.adapters.memory.repository import InMemoryTaskRepository
from todo_api.adapters.memory.store import Store
from todo_api.application.events import PAGE_SIZE, EventService, TooManyStreamsError
from todo_api.domain.changes import NO_CHANGES, Changes, SyncPoint
from todo_api.domain.errors import ForgottenRevisionError, RepositoryUnavailableError

EMPTY = SyncPoint()
LONG = 60.0


class Troubled(InMemoryTaskRepository):
    """Runs a callback after each read, before the caller gets the result."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.afterwards: Callable[[], Awaitable[object]] | None = None

    async def changes(self, user_id: str, since: SyncPoint, limit: int) -> Changes:
        found = await super().changes(user_id, since, limit)
        if self.afterwards:
            await self.afterwards()
        return found


@pytest.fixture
def store() -> Store:
    return Store(stopped_clock)


@pytest.fixture
def repository(store: Store) -> Troubled:
    return Troubled(store)


@pytest.fixture
def feed() -> InMemoryChangeFeed:
    return InMemoryChangeFeed()


@pytest.fixture
def events(repository: Troubled, feed: InMemoryChangeFeed) -> EventService:
    return EventService(repository, feed, clock=lambda: datetime.now(UTC), streams=2)


@pytest.fixture
def write(repository: Troubled, feed: InMemoryChangeFeed) -> Callable[..., Awaitable[None]]:
    async def create(user_id: str = "ada", title: str = "Buy milk") -> None:
        await repository.add(a_task(user_id, title=title))
        feed.announce(user_id)

    return create


Stream = AsyncGenerator[Changes | None]
Write = Callable[..., Awaitable[None]]


def follow(
    events: EventService, since: SyncPoint = EMPTY, *, seconds: float = LONG, keep_alive: float = LONG
) -> Stream:
    return events.follow("ada", since, expires_at=time.time() + seconds, keep_alive=keep_alive)


async def following(stream: Stream) -> Any:
    """Return the next item, which must be a page."""
    async with asyncio.timeout(5):
        found = await anext(stream)
    assert found is not None
    return found


def titles(page: Changes) -> list[str]:
    return [task.title for task in page.tasks]


async def ended(stream: Stream) -> bool:
    async with asyncio.timeout(5):
        return [item async for item in stream if item is not None] == []


async def test_an_empty_copy_gets_everything_in_pages_and_then_changes(events: EventService, write: Write) -> None:
    for number in range(PAGE_SIZE + 1):
        await write(title=str(number))
    async with aclosing(follow(events)) as stream:
        first, second = await following(stream), await following(stream)
        assert (len(first.tasks), first.more) == (PAGE_SIZE, True)
        assert (titles(second), second.more) == ([str(PAGE_SIZE)], False)
        news = asyncio.create_task(following(stream))
        await write(title="later")
        assert titles(await news) == ["later"]


async def test_the_first_load_of_an_empty_account_is_one_empty_page(
    events: EventService, feed: InMemoryChangeFeed
) -> None:
    async with aclosing(follow(events)) as stream:
        assert await anext(stream) == NO_CHANGES
        feed.announce("ada")
        assert await anext(stream) is None


async def test_a_stream_resumes_at_its_point(events: EventService, write: Write) -> None:
    await write(title="known")
    await write(title="missed")
    async with aclosing(follow(events, SyncPoint(START + 1))) as stream:
        assert titles(await following(stream)) == ["missed"]
    async with aclosing(follow(events, SyncPoint(START + 2))) as stream:
        assert await anext(stream) is None
        await write(title="new")
        assert titles(await following(stream)) == ["new"]


async def test_a_keep_alive_follows_each_interval_without_changes(events: EventService, write: Write) -> None:
    await write()
    async with aclosing(follow(events, SyncPoint(START + 1), keep_alive=0.01)) as stream:
        for _ in range(3):
            async with asyncio.timeout(5):
                assert await anext(stream) is None


async def test_a_change_right_after_a_read_is_in_the_next(
    events: EventService, repository: Troubled, write: Write
) -> None:
    async def write_once() -> None:
        repository.afterwards = None
        await write(title="just after")

    repository.afterwards = write_once
    async with aclosing(follow(events)) as stream:
        assert titles(await following(stream)) == []
        assert titles(await following(stream)) == ["just after"]


async def test_a_stream_ends_when_its_token_expires(events: EventService, write: Write) -> None:
    await write()
    started = time.time()
    stream = follow(events, seconds=0.2)
    await following(stream)
    assert await ended(stream)
    assert time.time() >= started + 0.2


async def test_a_stream_ends_when_the_service_stops(events: EventService, feed: InMemoryChangeFeed) -> None:
    before = follow(events)
    await following(before)
    end = asyncio.create_task(ended(before))
    await asyncio.sleep(0)
    feed.close()
    assert await end
    after = follow(events)
    await following(after)
    assert await ended(after)


async def test_a_stream_does_not_start_at_a_forgotten_point(events: EventService) -> None:
    with pytest.raises(ForgottenRevisionError):
        await anext(follow(events, SyncPoint(START + 1)))


async def test_a_stream_ends_when_the_account_is_erased(
    events: EventService, store: Store, write: Write, feed: InMemoryChangeFeed
) -> None:
    await write()
    stream = follow(events)
    await following(stream)
    del store.accounts["ada"]
    feed.announce("ada")
    assert await ended(stream)


async def test_a_stream_neither_starts_nor_continues_without_the_database(
    events: EventService, repository: Troubled, write: Write
) -> None:
    async def fail() -> None:
        raise RepositoryUnavailableError

    stream = follow(events)
    await following(stream)
    repository.afterwards = fail
    await write()
    assert await ended(stream)
    with pytest.raises(RepositoryUnavailableError):
        await anext(follow(events))


async def test_the_number_of_streams_of_a_user_is_limited(events: EventService, write: Write) -> None:
    await write()
    streams = [follow(events) for _ in range(2)]
    for stream in streams:
        await following(stream)
    with pytest.raises(TooManyStreamsError, match="you have 2 open streams"):
        await anext(follow(events))
    async with aclosing(events.follow("bob", EMPTY, expires_at=time.time() + LONG, keep_alive=LONG)) as other:
        await anext(other)
    await streams[0].aclose()
    with pytest.raises(ForgottenRevisionError):
        await anext(follow(events, SyncPoint(START + 9)))
    waiting = asyncio.create_task(anext(streams[1]))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    async with aclosing(follow(events)) as first, aclosing(follow(events)) as second:
        await following(first)
        await following(second)


async def test_a_stream_ends_when_its_point_was_invalidated(
    events: EventService, store: Store, feed: InMemoryChangeFeed, write: Write
) -> None:
    await write()
    async with aclosing(follow(events, SyncPoint(START + 1))) as stream:
        assert await anext(stream) is None
        await InMemoryHousekeeping(store).raise_revisions("", 10)
        feed.announce("ada")
        with pytest.raises(StopAsyncIteration):
            await anext(stream)
    with pytest.raises(ForgottenRevisionError):
        await anext(follow(events, SyncPoint(START + 1)))
