"""Readers never miss a change, however the commits of a user's writers interleave."""

from collections.abc import Callable

from tests.postgres.running import Service
from tests.postgres.storm import follow_many_writers

PROCESSES = 4
WRITERS = 3


async def test_copies_miss_no_write_of_many_processes(
    connect: Callable[..., Service], database_url: str, user_id: str
) -> None:
    processes = [connect(pool_size=WRITERS).tasks for _ in range(PROCESSES)]
    reading = connect(pool_size=4).tasks

    await follow_many_writers(database_url, user_id, processes * WRITERS, reading, limits=[1, 2, 5, 50])
