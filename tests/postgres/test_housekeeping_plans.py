"""Purges find the users of the oldest rows, and the rows of a user, by index: they never scan a whole table."""

from itertools import product
from typing import TypeAlias

import asyncpg
import pytest
from tests.domain.builders import NOW
from tests.postgres.plans import explain, nodes
from tests.postgres.test_plans import MODES

from todo_api.adapters.sqlalchemy import purges

Database: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

FILL = f"""
INSERT INTO users SELECT 'user-' || n, 100000, now() FROM generate_series(0, 19999) n;
INSERT INTO tasks (user_id, id, title, title_key, completed, created_at, updated_at, revision, deleted_at)
SELECT 'user-' || n % 20000, gen_random_uuid(), 'x', 'x', false, timestamptz '{NOW}', timestamptz '{NOW}', n,
       CASE WHEN n % 3 = 0 THEN timestamptz '{NOW}' - n * interval '1 minute' END
  FROM generate_series(1, 60000) n;
INSERT INTO lists (user_id, id, name, position, created_at, updated_at, revision, deleted_at)
SELECT user_id, id, title, 'm', created_at, updated_at, revision, deleted_at FROM tasks;
INSERT INTO list_tombstones SELECT user_id, id, revision, coalesce(deleted_at, timestamptz '{NOW}') FROM tasks;
INSERT INTO tombstones SELECT user_id, id, revision, coalesce(deleted_at, timestamptz '{NOW}') FROM tasks;
INSERT INTO idempotency_keys
SELECT 'user-' || n % 20000, n::text, '', '', timestamptz '{NOW}' - n * interval '1 minute'
  FROM generate_series(1, 60000) n;
ANALYZE;
"""
STATEMENTS = {
    "ix_trash_by_age": purges.TRASH[0],
    "ix_lists_in_trash_by_age": purges.TRASH[1],
    "ix_tombstones_by_age": purges.TOMBSTONES[0],
    "ix_tombstones_of_lists_by_age": purges.TOMBSTONES[1],
    "ix_idempotency_keys_by_age": purges.KEYS[0],
}


@pytest.fixture
async def filled(own_database: Database) -> Database:
    await own_database.execute(FILL)
    return own_database


async def test_the_oldest_are_found_by_their_age(filled: Database) -> None:
    complaints = {}
    for mode, (index, purge) in product(MODES, STATEMENTS.items()):
        await filled.execute(f"SET plan_cache_mode = {mode}")
        root = await explain(filled, purge.owners, {"before": NOW, "limit": 1000, "visited": ["user-3"]})
        kinds = {node["Node Type"] for node in nodes(root)}
        if index not in {node.get("Index Name") for node in nodes(root)} or kinds & {"Seq Scan", "Sort"}:
            complaints[mode, index] = kinds
    assert complaints == {}


async def test_the_rows_of_a_user_are_found_by_the_user(filled: Database) -> None:
    complaints = {}
    for mode, (index, purge) in product(MODES, STATEMENTS.items()):
        await filled.execute(f"SET plan_cache_mode = {mode}")
        transaction = filled.transaction()
        await transaction.start()
        root = await explain(filled, purge.delete, {"owner": "user-3", "before": NOW, "limit": 1000})
        await transaction.rollback()
        kinds = {node["Node Type"] for node in nodes(root)}
        if "Seq Scan" in kinds or index in {node.get("Index Name") for node in nodes(root)}:
            complaints[mode, index] = kinds
    assert complaints == {}
