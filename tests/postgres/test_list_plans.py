"""With 20,000 deleted lists, the lists, their trash and the changes only read the rows that they return."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from tests.postgres.plans import buffers, explain

from todo_api.adapters.sqlalchemy import list_repository, loading
from todo_api.adapters.sqlalchemy.changes import CHANGES
from todo_api.adapters.sqlalchemy.execution import Statement

USER = "has-deleted-20000-lists"
LIVE = 20
LIMIT = 50
FEW_BUFFERS = 10
MOST_BUFFERS = LIMIT + 20  # a block for each row, and the way down the indexes
MODES = ("auto", "force_custom_plan", "force_generic_plan")

FILL = f"""
INSERT INTO users SELECT 'other-' || n, 20, now() FROM generate_series(1, 2000) n;
INSERT INTO users VALUES ('{USER}', 20000, now());
INSERT INTO lists (user_id, id, name, position, created_at, updated_at, revision, deleted_at)
SELECT CASE WHEN n > 20000 THEN 'other-' || n % 2000 + 1 ELSE '{USER}' END, gen_random_uuid(), 'List', 'm', now(),
       now(), n, CASE WHEN n % (20000 / {LIVE}) > 0 THEN timestamptz '2026-01-01Z' + n * interval '1 second' END
  FROM generate_series(1, 28000) n;
INSERT INTO list_tombstones SELECT user_id, id, revision, deleted_at FROM lists WHERE deleted_at IS NOT NULL;
ANALYZE;
"""


def since(revision: int) -> Mapping[str, Any]:
    return {"limit": LIMIT, "since": revision, "since_id": UUID(int=2**128 - 1), "whole": revision}


@pytest.mark.parametrize(
    ("statement", "values", "most"),
    [
        pytest.param(list_repository.LISTS, {}, MOST_BUFFERS, id="lists"),
        pytest.param(list_repository.TRASH, {"limit": LIMIT}, MOST_BUFFERS, id="trash"),
        pytest.param(loading.LISTS, {"ids": [UUID(int=1)]}, FEW_BUFFERS, id="lists of an edit"),
        pytest.param(loading.ALL_LISTS, {}, MOST_BUFFERS, id="all lists of an edit"),
        # A tombstone looks for a list that was created again.
        pytest.param(CHANGES, since(10_000), 4 * LIMIT + MOST_BUFFERS, id="changes"),
        pytest.param(CHANGES, since(19_995), MOST_BUFFERS, id="last changes"),
    ],
)
async def test_deleted_lists_are_not_read(
    own_database: "asyncpg.Connection[asyncpg.Record]", statement: Statement, values: Mapping[str, Any], most: int
) -> None:
    await own_database.execute(FILL)
    read = {}
    for mode in MODES:
        await own_database.execute(f"SET plan_cache_mode = {mode}")
        read[mode] = buffers(await explain(own_database, statement, {"owner": USER, **values}))
    assert {mode for mode in MODES if read[mode] > most} == set(), read
