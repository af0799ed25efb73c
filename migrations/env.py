"""Run the migrations, one run at a time. They give up instead of blocking the service.

The database is that of the service's settings, unless the caller of Alembic's API sets `database_url` in the attributes
of its Config; `lock_timeout`, `lock_attempts` and `others_timeout` may be set there too.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from logging.config import fileConfig

from alembic import context
from pydantic import ValidationError
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from todo_api.adapters.sqlalchemy.driver import DatabaseConfig, DatabaseUrlError
from todo_api.adapters.sqlalchemy.engine import create_engine
from todo_api.adapters.sqlalchemy.tables import metadata
from todo_api.settings import Settings

# Long enough for a statement to finish, short enough for requests that queue behind a waiting migration.
LOCK_TIMEOUT = "2s"
LOCK_ATTEMPTS = 15
MIGRATION_LOCK = 0x746F646F  # an arbitrary advisory lock
OTHERS_TIMEOUT = 600.0  # seconds to wait for another run


def database() -> DatabaseConfig:
    """Return the database to migrate, or exit with instructions."""
    # Migrations have no time limit; only connecting and waiting for locks have timeouts.
    if url := context.config.attributes.get("database_url"):
        return DatabaseConfig(url=str(url), statement_timeout=None)
    try:
        settings = Settings()
    except ValidationError as error:
        sys.exit(str(error))
    if settings.database_url is None:
        sys.exit("Set DATABASE_URL to the database to migrate, such as postgresql://user:password@host/database.")
    url, timeout = settings.database_url.get_secret_value(), settings.database_connect_timeout
    return DatabaseConfig(url=url, connect_timeout=timeout, statement_timeout=None)


def migrate(connection: Connection) -> None:
    """Run the requested migrations, each in its own transactions."""
    lock_timeout = context.config.attributes.get("lock_timeout", LOCK_TIMEOUT)

    @event.listens_for(connection, "begin")
    def bound_waiting(connection: Connection) -> None:  # for this transaction only: there may be a pooler
        connection.execute(text("SELECT set_config('lock_timeout', :timeout, true)"), {"timeout": lock_timeout})

    context.configure(
        connection=connection,
        target_metadata=metadata,
        compare_server_default=True,
        transaction_per_migration=True,
        lock_attempts=context.config.attributes.get("lock_attempts", LOCK_ATTEMPTS),
    )
    with context.begin_transaction():
        context.run_migrations()


@asynccontextmanager
async def alone(engine: AsyncEngine) -> AsyncIterator[None]:
    """Hold the migration lock, in a transaction that does nothing else.

    It polls for the lock, because a concurrent index build would wait for a transaction that waits for the lock.
    """
    async with engine.connect() as connection:
        timeout = context.config.attributes.get("others_timeout", OTHERS_TIMEOUT)
        end = time.monotonic() + timeout
        while not await _lock(connection):
            await connection.rollback()
            if time.monotonic() > end:
                raise TimeoutError(f"another run of the migrations did not end in {timeout:g} seconds")
            await asyncio.sleep(0.1)
        yield


async def _lock(connection: AsyncConnection) -> bool:
    locked = await connection.execute(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
    # Also ends the snapshot of the SELECT, which would otherwise last as long as the transaction.
    await connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
    return bool(locked.scalar_one())


async def run() -> None:
    engine = create_engine(database(), isolation_level="READ COMMITTED")
    try:
        async with alone(engine), engine.connect() as connection:
            await connection.run_sync(migrate)
    finally:
        await engine.dispose()


def main() -> None:
    """Migrate; at the command line, report an error in one line."""
    try:
        asyncio.run(run())
    except DatabaseUrlError as error:
        sys.exit(f"DATABASE_URL {error}.")
    except (OSError, DBAPIError) as error:
        if "database_url" in context.config.attributes:
            raise
        reason = " ".join(str(getattr(error, "orig", None) or error).split()) or type(error).__name__
        sys.exit(f"The database that DATABASE_URL names was not migrated completely; run it again: {reason}")


if context.is_offline_mode():
    sys.exit("SQL scripts are not supported: run `alembic upgrade head` against the database.")
if context.config.config_file_name is not None and context.config.attributes.get("configure_logging", True):
    fileConfig(context.config.config_file_name, disable_existing_loggers=False)
main()
