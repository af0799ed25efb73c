"""With 100,000 tasks, a page only reads the rows that it returns, at the start and at the end of a list."""

from datetime import datetime
from itertools import product
from uuid import UUID

import asyncpg
import pytest
from tests.domain.builders import NOW
from tests.postgres.plans import Node, buffers, explain, nodes

from todo_api.adapters.sqlalchemy import pages, statements
from todo_api.adapters.sqlalchemy.changes import CHANGES
from todo_api.domain.due_date import BEGINNING_OF_TIME, END_OF_TIME
from todo_api.domain.listing import Order, Sort, Status

USER = "has-100000-tasks"
LIMIT = 50
READ = LIMIT + 1  # one more row shows whether there is a next page
MOST_BUFFERS = READ + 20  # a block for each row, and the way down the index

FILL = f"""
INSERT INTO users SELECT 'other-' || n, 4, now() FROM generate_series(1, 2000) n;
INSERT INTO users VALUES ('{USER}', 100000, now());
INSERT INTO tasks (user_id, id, title, title_key, completed, completed_at, due_at, due_kind, created_at, updated_at,
                   revision, priority, position)
SELECT CASE WHEN n > 100000 THEN 'other-' || n % 2000 + 1 ELSE '{USER}' END, gen_random_uuid(), md5(n::text),
       md5(n::text), n % 2 = 0, CASE WHEN n % 2 = 0 THEN timestamptz '2026-01-01Z' END,
       CASE WHEN n % 3 > 0 THEN timestamptz '2026-01-01Z' + (n::bigint * 7919 % 100003) * interval '1 minute' END,
       CASE WHEN n % 3 > 0 THEN 'instant' END,
       timestamptz '2025-01-01Z' + (n::bigint * 104729 % 100003) * interval '1 second',
       timestamptz '2027-01-01Z' + (n::bigint * 7901 % 100003) * interval '1 second', n, n / 7 % 4,
       CASE WHEN n % 5 > 0 THEN 'm' || lpad(to_hex(n), 13, '0') END
  FROM generate_series(1, 108000) n;
INSERT INTO tombstones SELECT '{USER}', gen_random_uuid(), n, now() FROM generate_series(4, 100000, 4) n;
ANALYZE;
"""

FEW_BUFFERS = 20
MODES = ("auto", "force_custom_plan", "force_generic_plan")
SEEN = {"known": [100_000]}

INDEXES = {
    (Sort.CREATED, Order.ASC): "created",
    (Sort.CREATED, Order.DESC): "created",
    (Sort.TITLE, Order.ASC): "title",
    (Sort.TITLE, Order.DESC): "title",
    (Sort.DUE_DATE, Order.ASC): "due_ascending",
    (Sort.DUE_DATE, Order.DESC): "due_descending",
    (Sort.UPDATED, Order.ASC): "updated",
    (Sort.UPDATED, Order.DESC): "updated",
    (Sort.PRIORITY, Order.ASC): "priority",
    (Sort.PRIORITY, Order.DESC): "priority",
    (Sort.POSITION, Order.ASC): "position",
    (Sort.POSITION, Order.DESC): "position",
}
NEAR_THE_END = {
    (Sort.CREATED, Order.ASC): datetime.fromisoformat("2025-01-02T03:44:00Z"),
    (Sort.CREATED, Order.DESC): datetime.fromisoformat("2025-01-01T00:04:00Z"),
    (Sort.TITLE, Order.ASC): "ff80",
    (Sort.TITLE, Order.DESC): "0080",
    (Sort.DUE_DATE, Order.ASC): END_OF_TIME,
    (Sort.DUE_DATE, Order.DESC): BEGINNING_OF_TIME,
    (Sort.UPDATED, Order.ASC): datetime.fromisoformat("2027-01-02T03:44:00Z"),
    (Sort.UPDATED, Order.DESC): datetime.fromisoformat("2027-01-01T00:04:00Z"),
    (Sort.PRIORITY, Order.ASC): 3,
    (Sort.PRIORITY, Order.DESC): 0,
    (Sort.POSITION, Order.ASC): "m000000018480",
    (Sort.POSITION, Order.DESC): "m0000000000200",
}


NEAR_THE_END_ID = {Order.ASC: UUID("fe00" + "0" * 28), Order.DESC: UUID("0200" + "0" * 28)}


def complaint(root: Node, indexes: set[str], most_rows: int = READ) -> str | None:
    """Return what is wrong with the plan of a page, or nothing."""
    kinds = {node["Node Type"] for node in nodes(root)}
    scans = [node for node in nodes(root) if node.get("Relation Name") == "tasks"]
    if len(scans) != 1 or scans[0].get("Index Name") not in indexes:
        return f"it scans {[(node['Node Type'], node.get('Index Name')) for node in scans]}"
    if odd := kinds & {"Sort", "Incremental Sort", "Seq Scan", "Bitmap Heap Scan", "Hash Join", "Materialize"}:
        return f"it has {odd}"
    (scan,) = scans
    rows = scan["Actual Rows"] * scan["Actual Loops"] + scan.get("Rows Removed by Filter", 0)
    if not READ // 2 <= rows <= most_rows:
        return f"it reads {rows} rows"
    return f"it reads {buffers(root)} blocks" if buffers(root) > MOST_BUFFERS + most_rows - READ else None


@pytest.fixture
async def filled(own_database: "asyncpg.Connection[asyncpg.Record]") -> "asyncpg.Connection[asyncpg.Record]":
    await own_database.execute(FILL)
    return own_database


async def test_pages_of_a_long_list_and_single_tasks_are_read_from_their_indexes(
    filled: "asyncpg.Connection[asyncpg.Record]",
) -> None:
    complaints = {}
    for mode in MODES:
        await filled.execute(f"SET plan_cache_mode = {mode}")
        for (sort, order), status, resumed in product(INDEXES, Status, (False, True)):
            index = f"ix_tasks_by_{'' if status is Status.ALL else 'status_'}{INDEXES[sort, order]}"
            values = {"owner": USER, "limit": READ, "known": [1]}
            if resumed:
                values |= {"after_key": NEAR_THE_END[sort, order], "after_id": NEAR_THE_END_ID[order]}
            root = await explain(filled, pages.page(sort, order, status, resumed=resumed), values)
            complaints[mode, sort, order, status, resumed] = complaint(root, {index})
            if sort is Sort.PRIORITY and status is not Status.ALL:  # of four values, each index has about as many rows
                either = {index, "ix_tasks_by_priority"}
                complaints[mode, sort, order, status, resumed] = complaint(root, either, 4 * READ)

            seen = await explain(filled, pages.page(sort, order, status, resumed=resumed), values | SEEN)
            if buffers(seen) > FEW_BUFFERS:
                complaints[mode, sort, order, status, resumed] = f"at a known revision, {buffers(seen)} blocks"

    assert set(INDEXES) == set(product(Sort, Order))
    assert [f"{case}: {text}" for case, text in complaints.items() if text] == []

    task_id = await filled.fetchval("SELECT id FROM tasks WHERE user_id = $1 LIMIT 1", USER)
    for statement in (statements.GET, statements.REMOVE_AT_REVISION):
        root = await explain(filled, statement, {"owner": USER, "task_id": task_id, "expected_revision": 1, "now": NOW})
        scans = [node for node in nodes(root) if node.get("Relation Name") == "tasks" and "Index Name" in node]

        assert [node["Index Name"] for node in scans] in (["pk_tasks"], ["ix_tasks_by_revision"])
        assert buffers(root) <= FEW_BUFFERS


async def test_changes_are_read_from_the_point_on(filled: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Read the start and the middle of a first load, the last few changes, and none."""
    read = {}
    for mode, since in product(MODES, (0, 50_000, 99_990, 100_000)):
        await filled.execute(f"SET plan_cache_mode = {mode}")
        values = {"owner": USER, "limit": READ, "since": since, "since_id": UUID(int=2**128 - 1), "whole": since}
        root = await explain(filled, CHANGES, values)
        read[mode, since] = buffers(root)

    assert {case for case, blocks in read.items() if blocks > MOST_BUFFERS} == set()
    assert {case for case in product(MODES, [100_000]) if read[case] > FEW_BUFFERS} == set()
