"""Run one statement with SQLAlchemy."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from sqlalchemy import Select, UpdateBase
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

Row: TypeAlias = Mapping[str, Any]
Statement: TypeAlias = Select[*tuple[Any, ...]] | UpdateBase


async def execute(connection: AsyncConnection, statement: Statement, values: Mapping[str, Any]) -> Sequence[Row]:
    """Run the statement on this connection, and return its rows, to be read by name."""
    result = await connection.execute(statement, values)
    return result.mappings().all() if result.returns_rows else ()  # type: ignore[return-value] # str keys


async def fetch(engine: AsyncEngine, statement: Statement, values: Mapping[str, Any]) -> Sequence[Row]:
    """Run the statement in autocommit, and return its rows, to be read by name."""
    async with engine.connect() as connection:
        return await execute(connection, statement, values)
