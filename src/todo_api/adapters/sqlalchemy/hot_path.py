"""The hot path: run a statement as a prepared statement, below SQLAlchemy, on a connection of its pool.

It skips what `connection.execute` does around each statement: three greenlets, a Connection, and result rows. The
statements, the engine, its pool and its events stay the same. See docs/decisions/hot-path.md.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

import asyncpg
from sqlalchemy.dialects.postgresql import asyncpg as dialect
from sqlalchemy.exc import MissingGreenlet
from sqlalchemy.pool import PoolProxiedConnection
from sqlalchemy.sql.compiler import SQLCompiler

from todo_api.adapters.sqlalchemy.driver import require_commit
from todo_api.adapters.sqlalchemy.engine import FairEngine
from todo_api.adapters.sqlalchemy.errors import NotRunError
from todo_api.adapters.sqlalchemy.execution import Row, Statement
from todo_api.adapters.sqlalchemy.observation import Observe


class CompiledStatement:
    """The text of a statement for asyncpg, and the order of its parameters."""

    def __init__(self, statement: Statement) -> None:
        compiled = statement.compile(dialect=dialect.dialect())  # type: ignore[no-untyped-call] # SQLAlchemy's
        assert isinstance(compiled, SQLCompiler)  # noqa: S101 - not DDL; tells the type checker
        names = compiled.positiontup or ()
        self.sql = str(compiled)
        self.operation = statement.__visit_name__.upper()
        self.arguments: Callable[[Mapping[str, Any]], Sequence[Any]] = (
            itemgetter(*names) if len(names) > 1 else lambda values: [values[name] for name in names]
        )


class HotPath:
    """Runs statements on the engine's connections, in autocommit."""

    def __init__(self, engine: FairEngine, observe: Observe | None = None) -> None:
        self._engine = engine
        self._observe = observe
        self._compiled: dict[Statement, CompiledStatement] = {}

    async def fetch(self, statement: Statement, values: Mapping[str, Any]) -> Sequence[Row]:
        """Do what `execution.fetch` does, with asyncpg's rows and errors."""
        compiled = self._compiled.get(statement)
        if compiled is None:
            compiled = self._compiled[statement] = CompiledStatement(statement)
        arguments = compiled.arguments(values)
        async with self._engine.queue:
            connection = await self._check_out()
            try:
                rows = await self._run(connection, compiled, arguments)
            except BaseException as error:
                self._give_back(connection, error)
                raise
            connection.close()
        return rows

    async def _check_out(self) -> PoolProxiedConnection:
        try:
            return self._engine.pool.connect()  # needs no greenlet unless it has to open a connection
        except MissingGreenlet:
            return await self._engine.raw_connection()

    def _give_back(self, connection: PoolProxiedConnection, error: BaseException) -> None:
        if not self._engine.stale.must_close(error, connection.info):
            connection.close()
            return
        connection.invalidate(error)
        if isinstance(error, asyncpg.ReadOnlySQLTransactionError):
            raise NotRunError(*error.args) from error  # there may be a new primary

    async def _run(
        self, connection: PoolProxiedConnection, compiled: CompiledStatement, arguments: Sequence[Any]
    ) -> Sequence[Row]:
        if self._observe is None:
            return await _run(connection, compiled.sql, arguments)
        started, failure = time.perf_counter(), None
        try:
            return await _run(connection, compiled.sql, arguments)
        except BaseException as error:
            failure = type(error).__name__
            raise
        finally:
            self._observe(compiled.operation, time.perf_counter() - started, failure)


async def _run(connection: PoolProxiedConnection, sql: str, arguments: Sequence[Any]) -> Sequence[Row]:
    try:
        rows = await (await _prepare(connection, sql)).fetch(*arguments)
    except asyncpg.InvalidCachedStatementError:  # a migration changed a table
        connection.info.pop("prepared")
        rows = await (await _prepare(connection, sql)).fetch(*arguments)
    require_commit(connection.driver_connection)
    return rows  # type: ignore[no-any-return] # asyncpg's rows are read by name too


async def _prepare(connection: PoolProxiedConnection, sql: str) -> Any:
    """Return the prepared statement of this connection. Only the first call costs a round trip."""
    known = connection.info.setdefault("prepared", {})
    if (prepared := known.get(sql)) is None:
        prepared = known[sql] = await connection.driver_connection.prepare(sql)  # type: ignore[union-attr] # it has one
    return prepared
