"""The contract of listeners: the same for every change feed."""

import asyncio

import pytest

from todo_api.adapters.memory.change_feed import InMemoryChangeFeed
from todo_api.application.change_feed import ChangeFeed, Listener
from todo_api.domain.errors import FeedClosedError


@pytest.fixture
def feed() -> ChangeFeed:
    """The feed of one process; tests/postgres/test_feed.py tests writes of other processes."""
    return InMemoryChangeFeed()


async def is_notified(listener: Listener) -> bool:
    try:
        async with asyncio.timeout(0.05):
            await listener.wait()
    except TimeoutError:
        return False
    return True


async def test_an_announcement_wakes_the_users_listeners(feed: ChangeFeed, user_id: str) -> None:
    with feed.listen(user_id) as one, feed.listen(user_id) as another, feed.listen("somebody else") as other:
        waiting = [asyncio.create_task(listener.wait()) for listener in (one, another)]
        await asyncio.sleep(0)
        feed.announce(user_id)
        async with asyncio.timeout(5):
            await asyncio.gather(*waiting)
        assert not await is_notified(other)


async def test_an_announcement_before_the_wait_is_received_once(feed: ChangeFeed, user_id: str) -> None:
    feed.announce(user_id)
    with feed.listen(user_id) as listener:
        assert not await is_notified(listener)
        feed.announce(user_id)
        feed.announce(user_id)
        assert await is_notified(listener)
        assert not await is_notified(listener)


async def test_a_cancelled_wait_misses_nothing(feed: ChangeFeed, user_id: str) -> None:
    with feed.listen(user_id) as listener:
        waiting = asyncio.create_task(listener.wait())
        await asyncio.sleep(0)
        feed.announce(user_id)
        waiting.cancel()
        await asyncio.wait([waiting])
        assert await is_notified(listener)


async def test_a_closed_listener_is_not_woken(feed: ChangeFeed, user_id: str) -> None:
    with feed.listen(user_id) as stays:
        with feed.listen(user_id) as left:
            pass
        feed.announce(user_id)
        assert await is_notified(stays)
        assert not await is_notified(left)


async def test_closing_ends_current_and_future_waits(feed: ChangeFeed, user_id: str) -> None:
    with feed.listen(user_id) as listener:
        waiting = asyncio.create_task(listener.wait())
        await asyncio.sleep(0)
        feed.close()
        for wait in (waiting, listener.wait()):
            with pytest.raises(FeedClosedError):
                await asyncio.wait_for(wait, timeout=5)
    with feed.listen(user_id) as late, pytest.raises(FeedClosedError):
        await asyncio.wait_for(late.wait(), timeout=5)
