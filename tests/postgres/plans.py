"""Query plans of PostgreSQL: what a statement reads, and how."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import asyncpg

from todo_api.adapters.sqlalchemy.execution import Statement
from todo_api.adapters.sqlalchemy.hot_path import CompiledStatement
from todo_api.domain.due_date import BEGINNING_OF_TIME, END_OF_TIME

Node = Mapping[str, Any]


async def explain(
    database: "asyncpg.Connection[asyncpg.Record]", statement: Statement, values: Mapping[str, Any]
) -> Node:
    """Return the plan of the executed statement."""
    compiled = CompiledStatement(statement)
    await database.execute(f"PREPARE explained AS {compiled.sql}")
    arguments = ", ".join(literal(value) for value in compiled.arguments(values))
    plan = await database.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE explained ({arguments})")
    await database.execute("DEALLOCATE explained")
    root: Node = json.loads(plan)[0]["Plan"]
    return root


def literal(value: object) -> str:
    """Return the value as an SQL literal."""
    match value:
        case None:
            return "NULL"
        case bool() | int():
            return str(value)
        case list():
            return f"'{{{','.join('NULL' if item is None else str(item) for item in value)}}}'"
        case datetime() if value in (END_OF_TIME, BEGINNING_OF_TIME):
            return "'infinity'" if value == END_OF_TIME else "'-infinity'"
    return f"'{value}'"


def nodes(node: Node) -> Iterator[Node]:
    """Yield the node and all nodes below it."""
    yield node
    for child in node.get("Plans", ()):
        yield from nodes(child)


def buffers(node: Node) -> int:
    """Return how many blocks were read, from the disk or the cache."""
    return int(node["Shared Hit Blocks"] + node["Shared Read Blocks"])
