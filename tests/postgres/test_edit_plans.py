"""Edits look up tombstones by their ids, also by a plan that was made when there were none."""

import json
from typing import Any
from uuid import uuid4

import asyncpg
from tests.domain.builders import NOW, START, a_task
from tests.postgres.plans import literal, nodes

from todo_api.adapters.sqlalchemy import edits
from todo_api.adapters.sqlalchemy.hot_path import CompiledStatement
from todo_api.adapters.sqlalchemy.mapping import to_row

USER = "has-20000-tombstones"
WRITTEN = 500
FILL = f"INSERT INTO tombstones SELECT '{USER}', gen_random_uuid(), {START}, now() FROM generate_series(1, 20000)"


async def test_writing_tasks_reads_no_other_tombstones(own_database: "asyncpg.Connection[asyncpg.Record]") -> None:
    await own_database.execute(f"INSERT INTO users VALUES ('{USER}', {START}, now())")
    await own_database.execute("VACUUM ANALYZE tombstones")
    await own_database.execute("SET plan_cache_mode = force_generic_plan")
    tasks = [a_task(USER, task_id=uuid4(), revision=START, position="m") for _ in range(WRITTEN)]
    values: dict[str, Any] = edits.arrays([to_row(task) for task in tasks])
    values |= {"owner": USER, "now": NOW, "new_revision": START + 1, "new_live_tasks": WRITTEN}
    compiled = CompiledStatement(edits.WRITE)
    call = f"EXECUTE written ({', '.join(literal(value) for value in compiled.arguments(values))})"
    await own_database.execute(f"PREPARE written AS {compiled.sql}")
    await own_database.execute(call)

    await own_database.execute(FILL)  # as a user does who deletes a long list: autovacuum comes later
    plan = json.loads(await own_database.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {call}"))[0]["Plan"]

    read = {
        node["Node Type"]: (node["Actual Rows"] + node.get("Rows Removed by Join Filter", 0)) * node["Actual Loops"]
        for node in nodes(plan)
    }
    assert max(read.values()) <= 10 * WRITTEN, read
