import asyncio
import gc
from collections.abc import Hashable

import pytest

from todo_api.application.locks import KeyedLocks
from todo_api.domain.errors import ContentionError


@pytest.fixture
def locks() -> KeyedLocks:
    return KeyedLocks(timeout=0.05)


async def held(locks: KeyedLocks, key: Hashable, entered: asyncio.Event, leave: asyncio.Event) -> None:
    async with locks.hold(key):
        entered.set()
        await leave.wait()


async def hold(locks: KeyedLocks, key: Hashable) -> tuple["asyncio.Task[None]", asyncio.Event]:
    """Hold the lock in a task until the event is set."""
    entered, leave = asyncio.Event(), asyncio.Event()
    holder = asyncio.create_task(held(locks, key, entered, leave))
    await entered.wait()
    return holder, leave


async def test_locks_are_granted_in_the_order_of_the_calls() -> None:
    locks, order = KeyedLocks(timeout=5), []

    async def take(number: int) -> None:
        async with locks.hold("key"):
            order.append(number)
            await asyncio.sleep(0)
            order.append(number)

    await asyncio.gather(*(take(number) for number in range(20)))

    assert order == [number for number in range(20) for _ in range(2)]


async def test_a_newcomer_does_not_overtake_a_waiter() -> None:
    locks, order = KeyedLocks(timeout=5), []
    holder, leave = await hold(locks, "key")

    async def take(name: str) -> None:
        async with locks.hold("key"):
            order.append(name)

    waiting = asyncio.create_task(take("first"))
    await asyncio.sleep(0)
    leave.set()
    await holder  # the lock is free now, and the waiter has not woken up yet
    await asyncio.gather(take("late"), waiting)

    assert order == ["first", "late"]


async def test_different_keys_do_not_wait_for_one_another(locks: KeyedLocks) -> None:
    holder, leave = await hold(locks, ("ada", 1))

    for key in (("ada", 2), ("bob", 1)):
        async with locks.hold(key):
            pass

    leave.set()
    await holder


async def test_a_timeout_raises_and_leaves_the_lock_usable(locks: KeyedLocks) -> None:
    holder, leave = await hold(locks, "key")

    with pytest.raises(ContentionError, match="nothing was changed"):
        async with locks.hold("key"):
            pytest.fail("two tasks held the lock at once")

    leave.set()
    await holder
    async with locks.hold("key"):
        pass


async def test_a_lock_may_be_held_longer_than_the_timeout(locks: KeyedLocks) -> None:
    async with locks.hold("key"):
        await asyncio.sleep(0.1)


async def test_an_error_or_a_cancellation_releases_the_lock(locks: KeyedLocks) -> None:
    with pytest.raises(ZeroDivisionError):
        async with locks.hold("key"):
            raise ZeroDivisionError
    holder, _ = await hold(locks, "key")
    waiting = asyncio.create_task(held(locks, "key", asyncio.Event(), asyncio.Event()))
    await asyncio.sleep(0)

    waiting.cancel()
    holder.cancel()
    await asyncio.gather(waiting, holder, return_exceptions=True)

    async with locks.hold("key"):
        pass


async def test_unused_keys_take_no_memory(locks: KeyedLocks) -> None:
    for number in range(100):
        async with locks.hold(number):
            assert number in locks._locks  # noqa: SLF001 - a leak shows nowhere else
    gc.collect()

    assert len(locks._locks) == 0  # noqa: SLF001
