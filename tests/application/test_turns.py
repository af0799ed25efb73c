import asyncio
import gc
from collections.abc import Hashable

import pytest

from todo_api.application.turns import Turns
from todo_api.domain.errors import ContentionError


@pytest.fixture
def turns() -> Turns:
    return Turns(patience=0.05)


async def held(turns: Turns, key: Hashable, entered: asyncio.Event, leave: asyncio.Event) -> None:
    async with turns.take(key):
        entered.set()
        await leave.wait()


async def hold(turns: Turns, key: Hashable) -> tuple["asyncio.Task[None]", asyncio.Event]:
    """Somebody who has the turn until the event is set."""
    entered, leave = asyncio.Event(), asyncio.Event()
    holder = asyncio.create_task(held(turns, key, entered, leave))
    await entered.wait()
    return holder, leave


async def test_turns_come_in_the_order_of_asking() -> None:
    turns, order = Turns(patience=5), []

    async def take(number: int) -> None:
        async with turns.take("key"):
            order.append(number)
            await asyncio.sleep(0)
            order.append(number)

    await asyncio.gather(*(take(number) for number in range(20)))

    assert order == [number for number in range(20) for _ in range(2)]


async def test_a_latecomer_does_not_overtake_who_waits() -> None:
    turns, order = Turns(patience=5), []
    holder, leave = await hold(turns, "key")

    async def take(name: str) -> None:
        async with turns.take("key"):
            order.append(name)

    waiting = asyncio.create_task(take("first"))
    await asyncio.sleep(0)
    leave.set()
    await holder  # the turn is free now, and the one who waits has not woken up yet
    await asyncio.gather(take("late"), waiting)

    assert order == ["first", "late"]


async def test_different_keys_do_not_wait_for_one_another(turns: Turns) -> None:
    holder, leave = await hold(turns, ("ada", 1))

    for key in (("ada", 2), ("bob", 1)):
        async with turns.take(key):
            pass

    leave.set()
    await holder


async def test_who_waits_too_long_is_told_and_harms_nobody(turns: Turns) -> None:
    holder, leave = await hold(turns, "key")

    with pytest.raises(ContentionError, match="nothing was changed"):
        async with turns.take("key"):
            pytest.fail("two had the turn at once")

    leave.set()
    await holder
    async with turns.take("key"):
        pass


async def test_a_turn_may_last_longer_than_the_patience_of_others(turns: Turns) -> None:
    async with turns.take("key"):
        await asyncio.sleep(0.1)


async def test_an_error_or_a_cancellation_gives_the_turn_back(turns: Turns) -> None:
    with pytest.raises(ZeroDivisionError):
        async with turns.take("key"):
            raise ZeroDivisionError
    holder, _ = await hold(turns, "key")
    waiting = asyncio.create_task(held(turns, "key", asyncio.Event(), asyncio.Event()))
    await asyncio.sleep(0)

    waiting.cancel()
    holder.cancel()
    await asyncio.gather(waiting, holder, return_exceptions=True)

    async with turns.take("key"):
        pass


async def test_nothing_is_kept_for_keys_that_nobody_uses(turns: Turns) -> None:
    for number in range(100):
        async with turns.take(number):
            assert number in turns._locks  # noqa: SLF001 - a leak shows nowhere else
    gc.collect()

    assert len(turns._locks) == 0  # noqa: SLF001
