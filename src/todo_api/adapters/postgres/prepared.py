"""Runs statements by asyncpg, on the connection that SQLAlchemy has made; each is prepared once."""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

import asyncpg
from asyncpg.prepared_stmt import PreparedStatement
from sqlalchemy.pool import PoolProxiedConnection

from todo_api.adapters.postgres.failures import LOST, NotRunError
from todo_api.adapters.postgres.statements import Statement

_POOLER = "behind a pooler"

# Is told of each statement that was run: what it does, the seconds that it took, and the kind of error that it met.
Observe: TypeAlias = Callable[[str, float, str | None], None]
Fetch: TypeAlias = Callable[[PoolProxiedConnection, Statement, Mapping[str, Any]], Awaitable[list[asyncpg.Record]]]


async def run_prepared(
    connection: PoolProxiedConnection, statement: Statement, values: Mapping[str, Any]
) -> list[asyncpg.Record]:
    prepared = await _prepare(connection, statement.sql)
    return await prepared.fetch(*statement.arguments(values))


def observed(observe: Observe) -> Fetch:
    async def fetch(
        connection: PoolProxiedConnection, statement: Statement, values: Mapping[str, Any]
    ) -> list[asyncpg.Record]:
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


def forget_statements(connection: PoolProxiedConnection, error: Exception) -> None:
    """Have all statements of the connection prepared anew: the server says that it does not know one of them.

    Either a migration has changed a table, or there is a pooler after all, which sent it to another server.
    """
    connection.info.clear()
    connection.info[_POOLER] = not isinstance(error, asyncpg.InvalidCachedStatementError)


async def _prepare(connection: PoolProxiedConnection, sql: str) -> "PreparedStatement[asyncpg.Record]":
    """Return the statement as this connection knows it; only the first time costs a round trip."""
    prepared: PreparedStatement[asyncpg.Record] | None = connection.info.get(sql)
    if prepared is None:
        driver: Any = connection.driver_connection
        # An unnamed statement goes along with its parameters each time: asyncpg describes it once and parses it anew
        # in the round trip that runs it. A named one is parsed once, and a pooler might send it to another server.
        try:
            name = "" if await _is_behind_pooler(connection, driver) else True  # any name
            prepared = connection.info[sql] = await driver.prepare(sql, name=name)
        except LOST as error:
            raise NotRunError from error
    return prepared


async def _is_behind_pooler(connection: PoolProxiedConnection, driver: Any) -> bool:
    """Say whether something stands between: poolers make up the process id that a client is told at its start."""
    known: bool | None = connection.info.get(_POOLER)
    if known is None:
        known = connection.info[_POOLER] = await driver.fetchval("SELECT pg_backend_pid()") != driver.get_server_pid()
    return known
