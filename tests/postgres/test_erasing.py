"""Accounts are erased whole also while their tables have no foreign keys, as during `todo-api distribute`."""

import asyncio
from typing import TypeAlias
from uuid import uuid4

import asyncpg
from tests.domain.builders import NOW, a_task
from tests.postgres.test_deadlocks import Connect

from todo_api.adapters.sqlalchemy.account_repository import SqlAlchemyAccountRepository
from todo_api.adapters.sqlalchemy.tables import metadata, users
from todo_api.domain.listing import TaskQuery

Database: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

OF_USERS = [table for table in metadata.sorted_tables if users.c.id in {key.column for key in table.foreign_keys}]
INSERTS = {
    "idempotency_keys": "INSERT INTO idempotency_keys VALUES ($1, $2::text, '', '', $3)",
    "list_tombstones": "INSERT INTO list_tombstones VALUES ($1, $2, 1, $3)",
    "lists": "INSERT INTO lists (user_id, id, name, position, created_at, updated_at, revision)"
    " VALUES ($1, $2, 'List', 'a', $3, $3, 1)",
    "tombstones": "INSERT INTO tombstones VALUES ($1, $2, 1, $3)",
}


async def drop_foreign_keys(database: Database) -> None:
    for table in OF_USERS:
        await database.execute(f"ALTER TABLE {table} DROP CONSTRAINT fk_{table}_user_id")


async def test_no_row_is_left(own_database: Database, migrated_database: str, connect: Connect, user_id: str) -> None:
    await drop_foreign_keys(own_database)
    service = connect(migrated_database)
    for owner in (user_id, f"{user_id}-2"):
        await service.tasks.add(a_task(owner))
        for insert in INSERTS.values():
            value = str(uuid4()) if "idempotency_keys" in insert else uuid4()
            await own_database.execute(insert, owner, value, NOW)

    await SqlAlchemyAccountRepository(service.engine).erase(user_id)

    for table in OF_USERS:
        assert await own_database.fetchval(f"SELECT array_agg(user_id) FROM {table}") == [f"{user_id}-2"], table
    assert {table.name for table in OF_USERS} == {"tasks", *INSERTS}


async def test_a_write_that_ends_first_is_erased_too(
    own_database: Database, migrated_database: str, connect: Connect, user_id: str
) -> None:
    await drop_foreign_keys(own_database)
    service = connect(migrated_database)
    task = await service.tasks.add(a_task(user_id))
    async with own_database.transaction():
        await own_database.execute("SELECT FROM users WHERE id = $1 FOR UPDATE", user_id)
        erasing = asyncio.create_task(SqlAlchemyAccountRepository(service.engine).erase(user_id))
        waiting = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()"
        while not await own_database.fetchval(f"{waiting} AND wait_event_type = 'Lock')"):
            await own_database.execute("SELECT pg_sleep(0.01), pg_stat_clear_snapshot()")
        await own_database.execute(INSERTS["lists"], user_id, uuid4(), NOW)
        assert not erasing.done()
    await erasing
    assert await own_database.fetchval("SELECT count(*) FROM lists") == 0
    again = await service.tasks.add(a_task(user_id))
    assert (await service.tasks.page(user_id, TaskQuery())).tasks == [again]
    assert again.revision > task.revision
