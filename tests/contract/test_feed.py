"""What listeners may count on: the same for every change feed."""

import asyncio

import pytest

from todo_api.adapters.memory.change_feed import InMemoryChangeFeed
from todo_api.application.change_feed import ChangeFeed, Listener
from todo_api.domain.errors import FeedClosedError


@pytest.fixture
def feed() -> ChangeFeed:
    """The feed of one process; what other processes write is in tests/postgres/test_feed.py."""
    return InMemoryChangeFeed()


async def hears(listener: Listener) -> bool:
    try:
        async with asyncio.timeout(0.05):
            await listener.wait()
    except TimeoutError:
        return False
    return True


async def test_an_announcement_wakes_who_listens_to_the_user(feed: ChangeFeed, user_id: str) -> None:
    with feed.listen(user_id) as one, feed.listen(user_id) as another, feed.listen("somebody else") as other:
        waiting = [asyncio.create_task(listener.wait()) for listener in (one, another)]
        await asyncio.sleep(0)
        feed.announce(user_id)
        async with asyncio.timeout(5):
            await asyncio.gather(*waiting)
        assert not await hears(other)


async def test_an_announcement_before_the_wait_is_not_missed_and_is_heard_once(feed: ChangeFeed, user_id: str) -> None:
    feed.announce(user_id)
    with feed.listen(user_id) as listener:
        assert not await hears(listener)
        feed.announce(user_id)
        feed.announce(user_id)
        assert await hears(listener)
        assert not await hears(listener)


async def test_a_wait_that_is_given_up_misses_nothing(feed: ChangeFeed, user_id: str) -> None:
    with feed.listen(user_id) as listener:
        waiting = asyncio.create_task(listener.wait())
        await asyncio.sleep(0)
        feed.announce(user_id)
        waiting.cancel()
        await asyncio.wait([waiting])
        assert await hears(listener)


async def test_who_has_left_is_not_woken(feed: ChangeFeed, user_id: str) -> None:
    with feed.listen(user_id) as stays:
        with feed.listen(user_id) as left:
            pass
        feed.announce(user_id)
        assert await hears(stays)
        assert not await hears(left)


async def test_closing_ends_all_waiting_now_and_later(feed: ChangeFeed, user_id: str) -> None:
    with feed.listen(user_id) as listener:
        waiting = asyncio.create_task(listener.wait())
        await asyncio.sleep(0)
        feed.close()
        for wait in (waiting, listener.wait()):
            with pytest.raises(FeedClosedError):
                await asyncio.wait_for(wait, timeout=5)
    with feed.listen(user_id) as late, pytest.raises(FeedClosedError):
        await asyncio.wait_for(late.wait(), timeout=5)
