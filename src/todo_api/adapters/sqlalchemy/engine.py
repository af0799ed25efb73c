"""The engine that all adapters of this package share; it is made once, in the composition root."""

from typing import Literal

from sqlalchemy import Engine
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from todo_api.adapters.sqlalchemy.driver import DatabaseConfig, connector
from todo_api.adapters.sqlalchemy.fair_queue import FairQueue
from todo_api.adapters.sqlalchemy.stale import StaleConnections


class FairEngine(AsyncEngine):
    """An AsyncEngine whose callers wait for a connection in a fair queue."""

    def __init__(self, sync_engine: Engine, queue: FairQueue) -> None:
        super().__init__(sync_engine)
        self.queue = queue
        self.stale = StaleConnections(sync_engine)

    def connect(self) -> AsyncConnection:
        """Return a connection that waits in the queue when it starts."""
        return _QueuedConnection(self, self.queue)


class _QueuedConnection(AsyncConnection):
    def __init__(self, engine: AsyncEngine, queue: FairQueue) -> None:
        super().__init__(engine)
        self._queue = queue
        self._holds_place = False

    async def start(self, is_ctxmanager: bool = False) -> AsyncConnection:  # noqa: FBT001, FBT002 - SQLAlchemy's
        await self._queue.acquire()
        self._holds_place = True
        try:
            return await super().start(is_ctxmanager)
        except BaseException:
            self._leave()
            raise

    async def close(self) -> None:
        try:
            await super().close()
        finally:
            self._leave()

    def _leave(self) -> None:
        if self._holds_place:
            self._holds_place = False
            self._queue.release()


def create_engine(
    config: DatabaseConfig, isolation_level: Literal["AUTOCOMMIT", "READ COMMITTED"] = "AUTOCOMMIT"
) -> FairEngine:
    """Return an engine for the database. Connections are opened when they are first needed.

    In AUTOCOMMIT a statement is one round trip; a caller that needs a transaction sets another level on its connection.

    Raises:
        DatabaseUrlError: `config.url` is not the URL of a PostgreSQL database.
    """
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connector(config),
        isolation_level=isolation_level,
        pool_size=config.pool_size,
        max_overflow=0,
        pool_use_lifo=True,
        pool_reset_on_return=None,  # SQLAlchemy's Connection ends its transaction; the hot path has none
        hide_parameters=True,  # keep user text out of error messages
    )
    return FairEngine(engine.sync_engine, FairQueue(config.pool_size, config.pool_timeout))
