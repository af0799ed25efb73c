"""Lists with filters, searches and counts read at most the account, among ten times as many tasks of others."""

from typing import Any, TypeAlias
from uuid import UUID

import asyncpg
import pytest
from tests.domain.builders import NOW
from tests.postgres.plans import Node, buffers, explain, nodes

from todo_api.adapters.sqlalchemy import overview, pages
from todo_api.adapters.sqlalchemy.filters import conditions
from todo_api.domain.due_views import DueView
from todo_api.domain.filters import TaskFilter
from todo_api.domain.listing import Order, Sort, Status
from todo_api.domain.overview import DueViews
from todo_api.domain.task_changes import Priority

Database: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

USER = "user-7"
OWN = 10_000
LIST = UUID(int=1)
# One task in ten is the user's, so they lie among those of the others.
FILL = f"""
INSERT INTO users SELECT 'user-' || n, 100000, now() FROM generate_series(0, 9) n;
INSERT INTO tasks (user_id, id, title, title_key, completed, due_at, due_kind, created_at, updated_at, revision,
                   list_id, priority, tags, tag_keys, position, words, words_revision)
SELECT 'user-' || n % 10, gen_random_uuid(), 'Task ' || n, 'task ' || n, false,
       CASE WHEN n % 3 > 0 THEN timestamptz '2026-01-01Z' + n * interval '7 minutes' END,
       CASE WHEN n % 3 > 0 THEN 'instant' END, now(), now(), n,
       CASE WHEN n / 10 % 50 = 0 THEN '{LIST}'::uuid END, n / 10 % 4,
       CASE WHEN n / 10 % 40 = 0 THEN '["Tag"]'::jsonb END, CASE WHEN n / 10 % 40 = 0 THEN '["tag"]'::jsonb END,
       'm' || lpad(to_hex(n), 13, '0'), ' ' || n || ' task ', n
  FROM generate_series(1, {10 * OWN}) n;
ANALYZE;
"""
FILTERS = {
    "a word that one task has": TaskFilter(q="77777"),
    "a word that none has": TaskFilter(q="nothing"),
    "two words": TaskFilter(q="task 9999"),
    "a tag": TaskFilter(tags=("tag",)),
    "a tag that none has": TaskFilter(tags=("other",)),
    "a list": TaskFilter(list_id=LIST),
    "a list that is not there": TaskFilter(list_id=UUID(int=2)),
    "the inbox": TaskFilter(list_id=None),
    "priorities": TaskFilter(priorities=(Priority.HIGH, Priority.LOW)),
    "overdue": TaskFilter(due=DueView.OVERDUE, now=NOW),
    "without a date": TaskFilter(due=DueView.NONE),
    "everything": TaskFilter(q="task", tags=("tag",), list_id=LIST, due=DueView.TODAY, now=NOW),
}
MODES = ("force_custom_plan", "force_generic_plan")


@pytest.fixture
async def filled(own_database: Database) -> Database:
    await own_database.execute(FILL)
    return own_database


def complaint(root: Node) -> str | None:
    """Return what is wrong with a plan, or nothing."""
    scans = [node for node in nodes(root) if node.get("Relation Name") == "tasks"]
    if odd := [node["Node Type"] for node in scans if node["Node Type"] == "Seq Scan"]:
        return f"it has {odd}"
    removed = ("Rows Removed by Filter", "Rows Removed by Index Recheck")
    rows = sum(
        node["Actual Rows"] * node["Actual Loops"] + sum(node.get(name, 0) for name in removed) for node in scans
    )
    if rows > OWN:
        return f"it reads {rows} rows"
    most = OWN + OWN // 20  # a block for each row, as they are scattered, and the index
    return f"it reads {buffers(root)} blocks" if buffers(root) > most else None


async def test_filters_and_counts_read_no_more_than_the_account(filled: Database) -> None:
    complaints: dict[Any, str | None] = {}
    for mode in MODES:
        await filled.execute(f"SET plan_cache_mode = {mode}")
        for name, wanted in FILTERS.items():
            names, values = conditions(wanted)
            values |= {"owner": USER, "limit": 51, "known": [1]}
            for sort in Sort:
                statement = pages.page(sort, Order.ASC, Status.ALL, names, resumed=False)
                complaints[mode, name, sort] = complaint(await explain(filled, statement, values))
        values = {"owner": USER, **overview.view_values(DueViews.at(NOW, "UTC"))}
        complaints[mode, "counts"] = complaint(await explain(filled, overview.COUNTS, values))
        complaints[mode, "tags"] = complaint(await explain(filled, overview.TAGS, values))

    assert [f"{case}: {text}" for case, text in complaints.items() if text] == []
