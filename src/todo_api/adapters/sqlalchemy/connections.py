"""Runs statements on pooled connections: one round trip each, in autocommit, first come first served."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

import asyncpg

from todo_api.adapters.sqlalchemy.driver import DatabaseConfig, connector
from todo_api.adapters.sqlalchemy.failures import LOST, NOT_RUN, STATEMENT_GONE, UNREACHABLE, NotRunError
from todo_api.adapters.sqlalchemy.prepared import Connection, Fetch, Observe, forget_statements, observed, run_prepared
from todo_api.adapters.sqlalchemy.statements import Statement
from todo_api.domain.errors import RepositoryUnavailableError, TodoError

T = TypeVar("T")

_log = logging.getLogger(__name__)


# Longer than this (seconds) without use, and something on the way may have forgotten the connection without a word.
_LONGEST_IDLE = 30.0
_PING_TIMEOUT = 1.0

# Seconds for which a server that takes no writes is not left for another: there was none just now.
_SEARCH_PAUSE = 1.0


class Connections:
    """A pool of connections with a fair queue before it.

    The pools of SQLAlchemy and asyncpg let newcomers overtake those who wait, and to take a connection out of them and
    put it back costs half as much as a statement. Here, nobody at 100 callers on 10 connections waits much longer than
    the others.
    """

    def __init__(self, config: DatabaseConfig, observe: Observe | None = None) -> None:
        """Take the configuration, and whom to tell of each statement. Connections are made when first needed."""
        self._fetch = run_prepared if observe is None else observed(observe)
        self.in_use = self.waiting = 0  # connections, and callers
        self._make = connector(config)
        self._free = asyncio.Semaphore(config.pool_size)
        self._idle: list[Connection] = []
        self._pool_timeout = config.pool_timeout
        # Instants of the monotonic clock: connections not used since the former have to prove themselves, and those not
        # used since the latter are past hope. Connections made before the third may lead to a former primary.
        self._suspect_before = self._lost_before = self._demoted_before = 0.0
        self._complaint = ""

    async def read(self, statement: Statement, values: Mapping[str, Any]) -> list[asyncpg.Record]:
        """Run a statement that changes nothing; on a connection that turns out to be lost, once more on another.

        Raises:
            RepositoryUnavailableError: The database cannot be reached, or no connection was free in time.
        """
        return await self._in_turn(lambda: self._run(statement, values), again_after=LOST)

    async def write(self, statement: Statement, values: Mapping[str, Any]) -> list[asyncpg.Record]:
        """Run a statement that changes something; once more only where it is certain that it was not run.

        Raises:
            RepositoryUnavailableError: The database cannot be reached, or no connection was free in time.
        """
        return await self._in_turn(lambda: self._run(statement, values), again_after=NOT_RUN)

    async def transact(self, work: "Callable[[Transaction], Awaitable[T]]") -> T:
        """Do the work in a transaction and commit it; once more where the connection was lost before the commit.

        An error that the work raises is raised, and everything is rolled back.

        Raises:
            RepositoryUnavailableError: The database cannot be reached, or no connection was free in time.
        """
        return await self._in_turn(lambda: self._transact(work), again_after=NOT_RUN)

    async def close(self) -> None:
        """Close all connections."""
        while self._idle:
            connection = self._idle.pop()
            with suppress(*UNREACHABLE):
                await connection.driver.close(timeout=_PING_TIMEOUT)
            _discard(connection)

    async def _in_turn(self, work: Callable[[], Awaitable[T]], again_after: tuple[type[Exception], ...]) -> T:
        """Do the work when a connection is free for it; once more after one of these errors."""
        await self._wait()
        self.in_use += 1
        try:
            try:
                result = await work()
            except again_after:
                self._suspect_before = time.monotonic()
                result = await work()
        except UNREACHABLE as error:
            self._suspect_before = time.monotonic()
            self._complain(error)
            raise RepositoryUnavailableError("the database cannot be reached") from error
        finally:
            self.in_use -= 1
            self._free.release()
        self._complaint = ""
        return result

    async def _wait(self) -> None:
        if not self._free.locked():
            await self._free.acquire()
            return
        self.waiting += 1
        try:
            async with asyncio.timeout(self._pool_timeout):
                await self._free.acquire()
        except TimeoutError as error:
            raise RepositoryUnavailableError("no database connection was free in time; nothing was changed") from error
        finally:
            self.waiting -= 1

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
            try:
                rows = await self._fetch(connection, statement, values)
            except STATEMENT_GONE as error:  # nothing was run
                forget_statements(connection, error)
                rows = await self._fetch(connection, statement, values)
        except asyncpg.ConnectionDoesNotExistError as error:
            _discard(connection)
            if isinstance(error.__cause__, asyncpg.AdminShutdownError):
                raise NotRunError(*error.args) from error
            raise
        except asyncpg.PostgresError as error:
            self._idle.append(connection)
            self._seek_primary(connection, error)
            raise
        except BaseException:  # also when cancelled: an answer may still be under way, so nobody may use it again
            _discard(connection)
            raise
        connection.good_at = time.monotonic()
        self._idle.append(connection)
        return rows

    async def _transact(self, work: "Callable[[Transaction], Awaitable[T]]") -> T:
        connection = await self._connect()
        try:
            await _execute(connection, "BEGIN")
            transaction = Transaction(connection, self._fetch)
            try:
                result = await work(transaction)
            except (TodoError, asyncpg.PostgresError) as error:
                await _execute(connection, "ROLLBACK")
                self._seek_primary(connection, error)
                raise
            await _execute(connection, "ROLLBACK" if transaction.abandoned else "COMMIT")
        except TodoError:
            self._idle.append(connection)
            raise
        except STATEMENT_GONE as error:  # nothing of it is done; the statements have to be prepared anew
            forget_statements(connection, error)
            self._idle.append(connection)
            raise NotRunError from error
        except BaseException:  # also when cancelled: whatever state it is in, the server gives up what it was at
            _discard(connection)
            raise
        connection.good_at = time.monotonic()
        self._idle.append(connection)
        return result

    def _seek_primary(self, connection: Connection, error: Exception) -> None:
        """Give up all connections to a server that has become a replica, or refuses to write for another reason.

        Raises:
            NotRunError: there may be a better one.
        """
        if not isinstance(error, asyncpg.ReadOnlySQLTransactionError):
            return
        now = time.monotonic()
        if connection.made_at >= self._demoted_before:
            if connection.made_at > now - _SEARCH_PAUSE:
                return
            self._demoted_before = now
        raise NotRunError(*error.args) from error

    async def _connect(self) -> Connection:
        """Return a connection that is good as far as can be told; what Neon or a firewall has let go of is replaced."""
        while True:
            connection = self._idle.pop() if self._idle else Connection(await self._make())
            try:
                if await self._is_good(connection):
                    return connection
            except BaseException:
                _discard(connection)
                raise
            _discard(connection)

    async def _is_good(self, connection: Connection) -> bool:
        is_lost = connection.driver.is_closed() or connection.good_at < self._lost_before
        if is_lost or connection.made_at < self._demoted_before:
            return False
        good_since = max(self._suspect_before, time.monotonic() - _LONGEST_IDLE)
        if connection.good_at >= good_since or await _answers(connection):
            return True
        self._lost_before = time.monotonic()
        return False


class Transaction:
    """Runs statements in one transaction."""

    def __init__(self, connection: Connection, fetch: Fetch) -> None:
        """Take the connection that the transaction is on, and how to run a statement there."""
        self._connection = connection
        self._fetch = fetch
        self.abandoned = False

    async def run(self, statement: Statement, values: Mapping[str, Any]) -> list[asyncpg.Record]:
        """Run a statement."""
        try:
            return await self._fetch(self._connection, statement, values)
        except LOST as error:
            raise NotRunError from error

    def abandon(self) -> None:
        """Have everything rolled back at the end, which is no error."""
        self.abandoned = True


async def _execute(connection: Connection, sql: str) -> None:
    await connection.driver.execute(sql)


async def _answers(connection: Connection) -> bool:
    try:
        await connection.driver.fetchval("SELECT 1", timeout=_PING_TIMEOUT)
    except (*LOST, TimeoutError):
        return False
    return True


def _discard(connection: Connection) -> None:
    """Hang up without another word: the server gives up what it was at."""
    connection.driver.terminate()
