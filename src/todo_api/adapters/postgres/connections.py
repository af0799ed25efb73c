"""Runs statements on pooled connections: one round trip each, in autocommit, first come first served."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

import asyncpg
from asyncpg.prepared_stmt import PreparedStatement
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_dbapi
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import PoolProxiedConnection

from todo_api.adapters.postgres.engine import DatabaseConfig, create_engine
from todo_api.adapters.postgres.statements import Statement
from todo_api.domain.errors import RepositoryUnavailableError, TodoError

T = TypeVar("T")

_log = logging.getLogger(__name__)


class _NotRunError(Exception):
    """The connection was lost, and the statement was not run."""


# Nothing is wrong with the statement; the server or the way to it has failed. InterfaceError is asyncpg's own word for
# a connection that is closed, OSError and TimeoutError are the network's.
_UNREACHABLE = (
    OSError,
    TimeoutError,
    _NotRunError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.LockNotAvailableError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.TransactionRollbackError,
    asyncpg.UndefinedTableError,
    asyncpg.UndefinedColumnError,
    AsyncAdapt_asyncpg_dbapi.Error,  # what SQLAlchemy makes of asyncpg's errors, which it meets only when it connects
    DBAPIError,  # the same, where it asks the server for its version
)
_LOST = (
    ConnectionError,
    _NotRunError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
)

# The statement has not been run: asyncpg had read the server's goodbye before it sent anything, or the server said
# goodbye instead of running it.
_NOT_RUN = (_NotRunError, asyncpg.InternalClientError, asyncpg.AdminShutdownError)

# A migration changed a table, or the statement is on another server after all, behind a pooler that does not show.
_STATEMENT_GONE = (asyncpg.InvalidCachedStatementError, asyncpg.InvalidSQLStatementNameError)

# Longer than this (seconds) without use, and something on the way may have forgotten the connection without a word.
_LONGEST_IDLE = 30.0
_PING_TIMEOUT = 1.0

_POOLER = "behind a pooler"
_GOOD_AT = "when it was last known to be good"


class Connections:
    """A pool of connections with a fair queue before it.

    SQLAlchemy's own pool lets newcomers overtake those who wait, and to take a connection out of it and put it back
    costs half as much as a statement. Here, nobody at 100 callers on 10 connections waits much longer than the others.
    """

    def __init__(self, config: DatabaseConfig) -> None:
        """Take the configuration; connections are made when they are first needed."""
        self._engine = create_engine(config)
        self._free = asyncio.Semaphore(config.pool_size)
        self._idle: list[PoolProxiedConnection] = []
        self._pool_timeout = config.pool_timeout
        # Instants of the monotonic clock: connections not used since the former have to prove themselves, and those not
        # used since the latter are past hope.
        self._suspect_before = self._lost_before = 0.0
        self._complaint = ""

    async def read(self, statement: Statement, values: Mapping[str, Any]) -> list[asyncpg.Record]:
        """Run a statement that changes nothing; on a connection that turns out to be lost, once more on another.

        Raises:
            RepositoryUnavailableError: The database cannot be reached, or no connection was free in time.
        """
        return await self._in_turn(lambda: self._run(statement, values), again_after=_LOST)

    async def write(self, statement: Statement, values: Mapping[str, Any]) -> list[asyncpg.Record]:
        """Run a statement that changes something; once more only where it is certain that it was not run.

        Raises:
            RepositoryUnavailableError: The database cannot be reached, or no connection was free in time.
        """
        return await self._in_turn(lambda: self._run(statement, values), again_after=_NOT_RUN)

    async def transact(self, work: "Callable[[Transaction], Awaitable[T]]") -> T:
        """Do the work in a transaction and commit it; once more where the connection was lost before the commit.

        An error that the work raises is raised, and everything is rolled back.

        Raises:
            RepositoryUnavailableError: The database cannot be reached, or no connection was free in time.
        """
        return await self._in_turn(lambda: self._transact(work), again_after=_NOT_RUN)

    async def close(self) -> None:
        """Close all connections."""
        while self._idle:
            connection = self._idle.pop()
            with suppress(*_UNREACHABLE):
                await _driver(connection).close(timeout=_PING_TIMEOUT)
            _discard(connection)

    async def _in_turn(self, work: Callable[[], Awaitable[T]], again_after: tuple[type[Exception], ...]) -> T:
        """Do the work when a connection is free for it; once more after one of these errors."""
        await self._wait()
        try:
            try:
                result = await work()
            except again_after:
                self._suspect_before = time.monotonic()
                result = await work()
        except _UNREACHABLE as error:
            self._suspect_before = time.monotonic()
            self._complain(error)
            raise RepositoryUnavailableError("the database cannot be reached") from error
        finally:
            self._free.release()
        self._complaint = ""
        return result

    async def _wait(self) -> None:
        try:
            if self._free.locked():
                async with asyncio.timeout(self._pool_timeout):
                    await self._free.acquire()
            else:
                await self._free.acquire()
        except TimeoutError as error:
            raise RepositoryUnavailableError("no database connection was free in time; nothing was changed") from error

    def _complain(self, error: Exception) -> None:
        """Log the error once, until something has succeeded: some come again each second."""
        # Not the error itself: PostgreSQL's details quote what people wrote.
        complaint = f"{type(error).__name__}: {''.join(map(str, error.args[:1]))}"
        if complaint != self._complaint:
            _log.warning("the database cannot be used: %s", complaint)
        self._complaint = complaint

    async def _run(self, statement: Statement, values: Mapping[str, Any]) -> list[asyncpg.Record]:
        connection = await self._connect()
        try:
            prepared = await _prepare(connection, statement.sql)
            try:
                rows = await prepared.fetch(*statement.arguments(values))
            except _STATEMENT_GONE as error:  # nothing was run
                connection.info.clear()
                connection.info[_POOLER] = not isinstance(error, asyncpg.InvalidCachedStatementError)
                prepared = await _prepare(connection, statement.sql)
                rows = await prepared.fetch(*statement.arguments(values))
        except asyncpg.ConnectionDoesNotExistError as error:
            _discard(connection)
            if isinstance(error.__cause__, asyncpg.AdminShutdownError):
                raise _NotRunError(*error.args) from error
            raise
        except asyncpg.PostgresError:
            self._idle.append(connection)
            raise
        except BaseException:  # also when cancelled: an answer may still be under way, so nobody may use it again
            _discard(connection)
            raise
        connection.info[_GOOD_AT] = time.monotonic()
        self._idle.append(connection)
        return rows

    async def _transact(self, work: "Callable[[Transaction], Awaitable[T]]") -> T:
        connection = await self._connect()
        try:
            await _execute(connection, "BEGIN")
            transaction = Transaction(connection)
            try:
                result = await work(transaction)
            except (TodoError, asyncpg.PostgresError):
                await _execute(connection, "ROLLBACK")
                raise
            await _execute(connection, "ROLLBACK" if transaction.abandoned else "COMMIT")
        except TodoError:
            self._idle.append(connection)
            raise
        except _STATEMENT_GONE as error:  # nothing of it is done; the statements have to be prepared anew
            connection.info.clear()
            self._idle.append(connection)
            raise _NotRunError from error
        except BaseException:  # also when cancelled: whatever state it is in, the server gives up what it was at
            _discard(connection)
            raise
        connection.info[_GOOD_AT] = time.monotonic()
        self._idle.append(connection)
        return result

    async def _connect(self) -> PoolProxiedConnection:
        """Return a connection that is good as far as can be told; what Neon or a firewall has let go of is replaced."""
        while True:
            connection = self._idle.pop() if self._idle else await self._engine.raw_connection()
            try:
                if await self._is_good(connection):
                    return connection
            except BaseException:
                _discard(connection)
                raise
            _discard(connection)

    async def _is_good(self, connection: PoolProxiedConnection) -> bool:
        now = time.monotonic()
        good_at: float = connection.info.setdefault(_GOOD_AT, now)
        driver = _driver(connection)
        if driver.is_closed() or good_at < self._lost_before:
            return False
        if good_at >= max(self._suspect_before, now - _LONGEST_IDLE) or await _answers(driver):
            return True
        self._lost_before = time.monotonic()
        return False


class Transaction:
    """Runs statements in one transaction."""

    def __init__(self, connection: PoolProxiedConnection) -> None:
        """Take the connection that the transaction is on."""
        self._connection = connection
        self.abandoned = False

    async def run(self, statement: Statement, values: Mapping[str, Any]) -> list[asyncpg.Record]:
        """Run a statement."""
        try:
            prepared = await _prepare(self._connection, statement.sql)
            return await prepared.fetch(*statement.arguments(values))
        except _LOST as error:
            raise _NotRunError from error

    def abandon(self) -> None:
        """Have everything rolled back at the end, which is no error."""
        self.abandoned = True


async def _execute(connection: PoolProxiedConnection, sql: str) -> None:
    await _driver(connection).execute(sql)


async def _answers(driver: Any) -> bool:
    try:
        await driver.fetchval("SELECT 1", timeout=_PING_TIMEOUT)
    except (*_LOST, TimeoutError):
        return False
    return True


def _driver(connection: PoolProxiedConnection) -> Any:
    """Return asyncpg's connection."""
    return connection.driver_connection


def _discard(connection: PoolProxiedConnection) -> None:
    connection.invalidate()
    connection.close()


async def _prepare(connection: PoolProxiedConnection, sql: str) -> "PreparedStatement[asyncpg.Record]":
    """Return the statement as this connection knows it; only the first time costs a round trip."""
    prepared: PreparedStatement[asyncpg.Record] | None = connection.info.get(sql)
    if prepared is None:
        driver = _driver(connection)
        # An unnamed statement goes along with its parameters each time: asyncpg describes it once and parses it anew
        # in the round trip that runs it. A named one is parsed once, and a pooler might send it to another server.
        try:
            name = "" if await _is_behind_pooler(connection, driver) else True  # any name
            prepared = connection.info[sql] = await driver.prepare(sql, name=name)
        except _LOST as error:
            raise _NotRunError from error
    return prepared


async def _is_behind_pooler(connection: PoolProxiedConnection, driver: Any) -> bool:
    """Say whether something stands between: poolers make up the process id that a client is told at its start."""
    known: bool | None = connection.info.get(_POOLER)
    if known is None:
        known = connection.info[_POOLER] = await driver.fetchval("SELECT pg_backend_pid()") != driver.get_server_pid()
    return known
