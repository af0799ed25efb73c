"""No change is ever skipped by those who follow, however the commits of a user's writers interleave."""

from collections.abc import Callable

from sqlalchemy.ext.asyncio import AsyncEngine
from tests.postgres.storm import weather

from todo_api.adapters.sqlalchemy.task_repository import SqlAlchemyTaskRepository

PROCESSES = 4
WRITERS = 3


async def test_copies_miss_nothing_of_what_many_processes_write(
    connect: Callable[..., AsyncEngine], database_url: str, user_id: str
) -> None:
    processes = [SqlAlchemyTaskRepository(connect(pool_size=WRITERS)) for _ in range(PROCESSES)]
    reading = SqlAlchemyTaskRepository(connect(pool_size=4))

    await weather(database_url, user_id, processes * WRITERS, reading, limits=[1, 2, 5, 50])
