"""Find connections of the pool that must not be used again. Times are those of the monotonic clock, in seconds."""

import time
from collections.abc import MutableMapping
from typing import Any

import asyncpg
from sqlalchemy import Engine, event
from sqlalchemy.engine import AdaptedConnection, ExceptionContext
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from todo_api.adapters.sqlalchemy.errors import LOST, driver_error, is_of_another_server

# After this time a firewall or a serverless database may have dropped the connection silently.
_MAX_IDLE = 30.0
# Seconds between two searches for a primary: a server that refuses writes is kept until then.
_SEARCH_PAUSE = 1.0
# The connection is lost, or an undetected pooler now leads to another server, without the prepared statements.
_UNUSABLE = (*LOST, asyncpg.InvalidSQLStatementNameError)
# After these errors older connections are suspect too. Others, such as a missing parameter, say nothing about them.
_OUTAGE_SIGNS = (*_UNUSABLE, OSError, TimeoutError, asyncpg.ReadOnlySQLTransactionError)


class StaleConnections:
    """Replaces connections that are closed, idle for too long, or older than the last outage.

    SQLAlchemy invalidates the pool when `handle_error` reports a disconnect, but only for statements that it executes
    itself. The time of the last outage works for the hot path too.
    """

    def __init__(self, engine: Engine) -> None:
        self._stale_before = 0.0
        event.listen(engine, "connect", self._on_connect)
        event.listen(engine, "checkout", self._on_checkout)
        event.listen(engine, "checkin", self._on_checkin)
        event.listen(engine, "close", self._on_close)
        event.listen(engine, "handle_error", self._on_error)

    def must_close(self, error: BaseException, info: MutableMapping[str, Any]) -> bool:
        """Return whether the connection, whose pool entry has this `info`, is unusable after the error.

        After a lost connection, all older ones are suspect too. A server that refuses writes was demoted, or is a
        replica: all connections to it are closed, so that the next ones look for the primary.
        """
        now = time.monotonic()
        made_at = info["made_at"]
        if isinstance(error, asyncpg.ReadOnlySQLTransactionError):
            if self._stale_before <= made_at and made_at > now - _SEARCH_PAUSE:
                return False
        elif isinstance(error, asyncpg.PostgresError) and (
            not isinstance(error, _UNUSABLE) or is_of_another_server(error)
        ):
            return False
        if isinstance(error, _OUTAGE_SIGNS) and made_at >= self._stale_before:
            self._stale_before = now
        return True  # also after a cancelled call: its response may still arrive

    def _on_connect(self, _: AdaptedConnection, entry: ConnectionPoolEntry) -> None:
        entry.info["made_at"] = entry.info["used_at"] = time.monotonic()

    def _on_checkout(self, _: AdaptedConnection, entry: ConnectionPoolEntry, __: PoolProxiedConnection) -> None:
        info = entry.info
        if (
            info["made_at"] < self._stale_before
            or info["used_at"] < time.monotonic() - _MAX_IDLE
            or entry.driver_connection.is_closed()  # type: ignore[union-attr] # there is one when it is checked out
        ):
            raise DisconnectionError

    def _on_checkin(self, connection: AdaptedConnection | None, entry: ConnectionPoolEntry) -> None:
        if connection is not None:
            entry.info["used_at"] = time.monotonic()

    def _on_close(self, connection: AdaptedConnection, _: ConnectionPoolEntry) -> None:
        connection.driver_connection.terminate()  # a graceful close would wait for a server that may be down

    def _on_error(self, context: ExceptionContext) -> None:
        if context.connection is not None and not context.connection.invalidated:
            error = driver_error(context.original_exception)
            context.is_disconnect = self.must_close(error, context.connection.info)
            context.invalidate_pool_on_disconnect = False
