"""A connection that prepares each statement once, and remembers it."""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

import asyncpg
from asyncpg.prepared_stmt import PreparedStatement

from todo_api.adapters.sqlalchemy.failures import LOST, NotRunError
from todo_api.adapters.sqlalchemy.statements import Statement


class Connection:
    """A connection of asyncpg, and what is known of it.

    Instants are of the monotonic clock: when it was made, and when it was last known to be good.
    """

    __slots__ = ("driver", "good_at", "is_behind_pooler", "made_at", "statements")

    def __init__(self, driver: Any) -> None:
        """Take asyncpg's connection, which has just been made."""
        self.driver = driver
        self.made_at = self.good_at = time.monotonic()
        self.statements: dict[str, PreparedStatement[asyncpg.Record]] = {}
        self.is_behind_pooler: bool | None = None  # nobody has looked yet


# Is told of each statement that was run: what it does, the seconds that it took, and the kind of error that it met.
Observe: TypeAlias = Callable[[str, float, str | None], None]
Fetch: TypeAlias = Callable[[Connection, Statement, Mapping[str, Any]], Awaitable[list[asyncpg.Record]]]


async def run_prepared(connection: Connection, statement: Statement, values: Mapping[str, Any]) -> list[asyncpg.Record]:
    prepared = await _prepare(connection, statement.sql)
    return await prepared.fetch(*statement.arguments(values))


def observed(observe: Observe) -> Fetch:
    async def fetch(connection: Connection, statement: Statement, values: Mapping[str, Any]) -> list[asyncpg.Record]:
        started = time.perf_counter()
        failure = None
        try:
            return await run_prepared(connection, statement, values)
        except BaseException as error:
            failure = type(error).__name__
            raise
        finally:
            observe(statement.operation, time.perf_counter() - started, failure)

    return fetch


def forget_statements(connection: Connection, error: Exception) -> None:
    """Have all statements of the connection prepared anew: the server says that it does not know one of them.

    Either a migration has changed a table, or there is a pooler after all, which sent it to another server.
    """
    connection.statements.clear()
    connection.is_behind_pooler = not isinstance(error, asyncpg.InvalidCachedStatementError)


async def _prepare(connection: Connection, sql: str) -> "PreparedStatement[asyncpg.Record]":
    """Return the statement as this connection knows it; only the first time costs a round trip."""
    prepared = connection.statements.get(sql)
    if prepared is None:
        # An unnamed statement goes along with its parameters each time: asyncpg describes it once and parses it anew
        # in the round trip that runs it. A named one is parsed once, and a pooler might send it to another server.
        try:
            name = "" if await _is_behind_pooler(connection) else True  # any name
            prepared = connection.statements[sql] = await connection.driver.prepare(sql, name=name)
        except LOST as error:
            raise NotRunError from error
    return prepared


async def _is_behind_pooler(connection: Connection) -> bool:
    """Say whether something stands between: poolers make up the process id that a client is told at its start."""
    if connection.is_behind_pooler is None:
        driver = connection.driver
        connection.is_behind_pooler = await driver.fetchval("SELECT pg_backend_pid()") != driver.get_server_pid()
    return connection.is_behind_pooler
