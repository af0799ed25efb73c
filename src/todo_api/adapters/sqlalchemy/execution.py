"""Run one statement with SQLAlchemy."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from sqlalchemy import Select, UpdateBase
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from todo_api.adapters.sqlalchemy.driver import require_commit

Row: TypeAlias = Mapping[str, Any]
Statement: TypeAlias = Select[*tuple[Any, ...]] | UpdateBase


async def execute(connection: AsyncConnection, statement: Statement, values: Mapping[str, Any]) -> Sequence[Row]:
    """Run the statement on this connection, and return its rows, to be read by name."""
    result = await connection.execute(statement, values)
    require_commit_of(connection)
    return result.mappings().all() if result.returns_rows else ()  # type: ignore[return-value] # str keys


def require_commit_of(connection: AsyncConnection) -> None:
    """Raise an error if Citus reported the success of a commit that has failed: see `driver.require_commit`."""
    if connection.sync_connection is not None:
        require_commit(connection.sync_connection.connection.driver_connection)


async def fetch(engine: AsyncEngine, statement: Statement, values: Mapping[str, Any]) -> Sequence[Row]:
    """Run the statement in autocommit, and return its rows, to be read by name."""
    async with engine.connect() as connection:
        return await execute(connection, statement, values)
