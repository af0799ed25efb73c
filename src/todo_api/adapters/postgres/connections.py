"""Runs statements on pooled connections: one round trip each, in autocommit, first come first served."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from asyncpg.prepared_stmt import PreparedStatement
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_dbapi
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import PoolProxiedConnection

from todo_api.adapters.postgres.engine import DatabaseConfig, create_engine
from todo_api.adapters.postgres.statements import Statement
from todo_api.domain.errors import RepositoryUnavailableError

_log = logging.getLogger(__name__)

# Nothing is wrong with the statement; the server or the way to it has failed. InterfaceError is asyncpg's own word for
# a connection that is closed, OSError and TimeoutError are the network's.
_UNREACHABLE = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.TransactionRollbackError,
    asyncpg.UndefinedTableError,
    asyncpg.UndefinedColumnError,
    AsyncAdapt_asyncpg_dbapi.Error,  # what SQLAlchemy makes of asyncpg's errors, which it meets only when it connects
)
_LOST = (ConnectionError, asyncpg.InterfaceError, asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError)

_POOLER = "behind a pooler"


class Connections:
    """A pool of connections with a fair queue before it.

    SQLAlchemy's pool lets newcomers overtake those who wait; the semaphore before it does not, so that at 100 callers
    on 10 connections nobody waits much longer than the others.
    """

    def __init__(self, config: DatabaseConfig) -> None:
        """Take the configuration; connections are made when they are first needed."""
        self.engine: AsyncEngine = create_engine(config)
        self._free = asyncio.Semaphore(config.pool_size)
        self._pool_timeout = config.pool_timeout

    async def read(self, statement: Statement, values: Mapping[str, Any]) -> list[asyncpg.Record]:
        """Run a statement that changes nothing; on a connection that turns out to be lost, once more on another.

        Raises:
            RepositoryUnavailableError: The database cannot be reached, or no connection was free in time.
        """
        async with self._available():
            try:
                return await self._run(statement, values)
            except _LOST:
                return await self._run(statement, values)

    async def write(self, statement: Statement, values: Mapping[str, Any]) -> list[asyncpg.Record]:
        """Run a statement that changes something, never twice.

        Raises:
            RepositoryUnavailableError: The database cannot be reached, or no connection was free in time.
        """
        async with self._available():
            return await self._run(statement, values)

    async def close(self) -> None:
        """Close all connections."""
        await self.engine.dispose()

    @asynccontextmanager
    async def _available(self) -> AsyncIterator[None]:
        try:
            if self._free.locked():
                async with asyncio.timeout(self._pool_timeout):
                    await self._free.acquire()
            else:
                await self._free.acquire()
        except TimeoutError as error:
            raise RepositoryUnavailableError("no database connection was free in time; nothing was changed") from error
        try:
            yield
        except _UNREACHABLE as error:
            _log.warning("the database cannot be used: %s: %s", type(error).__name__, error)
            raise RepositoryUnavailableError("the database cannot be reached") from error
        finally:
            self._free.release()

    async def _run(self, statement: Statement, values: Mapping[str, Any]) -> list[asyncpg.Record]:
        connection = await self._connect()
        try:
            prepared = await _prepare(connection, statement.sql)
            try:
                rows = await prepared.fetch(*statement.arguments(values))
            except asyncpg.InvalidCachedStatementError:  # a migration changed a table; nothing was run
                connection.info.clear()
                prepared = await _prepare(connection, statement.sql)
                rows = await prepared.fetch(*statement.arguments(values))
        except asyncpg.PostgresError:
            connection.close()
            raise
        except BaseException:  # also when cancelled: an answer may still be under way, so nobody may use it again
            connection.invalidate()
            connection.close()
            raise
        connection.close()
        return rows

    async def _connect(self) -> PoolProxiedConnection:
        while True:
            connection = await self.engine.raw_connection()
            driver = connection.driver_connection
            if driver is not None and not driver.is_closed():
                return connection
            # The other side has hung up since it was last used, as Neon does when it suspends.
            connection.invalidate()
            connection.close()


async def _prepare(connection: PoolProxiedConnection, sql: str) -> "PreparedStatement[asyncpg.Record]":
    """Return the statement as this connection knows it; only the first time costs a round trip."""
    prepared: PreparedStatement[asyncpg.Record] | None = connection.info.get(sql)
    if prepared is None:
        driver: Any = connection.driver_connection
        # An unnamed statement goes along with its parameters each time: asyncpg describes it once and parses it anew
        # in the round trip that runs it. A named one is parsed once, and a pooler might send it to another server.
        name = "" if await _is_behind_pooler(connection, driver) else True  # any name
        prepared = connection.info[sql] = await driver.prepare(sql, name=name)
    return prepared


async def _is_behind_pooler(connection: PoolProxiedConnection, driver: Any) -> bool:
    """Say whether something stands between: poolers make up the process id that a client is told at its start."""
    known: bool | None = connection.info.get(_POOLER)
    if known is None:
        known = connection.info[_POOLER] = await driver.fetchval("SELECT pg_backend_pid()") != driver.get_server_pid()
    return known
