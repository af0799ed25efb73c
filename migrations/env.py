"""Runs the migrations: all of them in one transaction, one run at a time, giving up rather than blocking others.

Reads the database from the service's own settings, unless the caller of Alembic's API puts `database_url` into the
attributes of its Config; `lock_timeout` may stand there too.
"""

import asyncio
import sys
from logging.config import fileConfig

from alembic import context
from pydantic import ValidationError
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from todo_api.adapters.postgres.driver import DatabaseConfig, DatabaseUrlError
from todo_api.adapters.postgres.engine import create_engine
from todo_api.adapters.postgres.tables import metadata
from todo_api.settings import Settings

# Long enough for a statement to end, short enough that requests that queue behind a waiting migration survive it.
LOCK_TIMEOUT = "10s"
MIGRATION_LOCK = 0x746F646F  # any number that nothing else in the database locks


def database() -> DatabaseConfig:
    """Return the database to migrate, or end the program with what to do."""
    # A migration may take its time; only connecting and waiting for locks are bounded.
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
    """Run the migrations that are asked for."""
    # The revision is read after the lock is had, so that a second run finds the first one's work done.
    lock_timeout = context.config.attributes.get("lock_timeout", LOCK_TIMEOUT)
    connection.execute(text("SELECT set_config('lock_timeout', :timeout, true)"), {"timeout": lock_timeout})
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
    context.configure(connection=connection, target_metadata=metadata, compare_server_default=True)
    context.run_migrations()


async def run() -> None:
    """Connect and migrate."""
    engine = create_engine(database())
    try:
        async with engine.begin() as connection:
            await connection.run_sync(migrate)
    finally:
        await engine.dispose()


def main() -> None:
    """Migrate; at the command line, say in one line what kept it from being done."""
    try:
        asyncio.run(run())
    except DatabaseUrlError as error:
        sys.exit(f"DATABASE_URL {error}.")
    except (OSError, DBAPIError) as error:
        if "database_url" in context.config.attributes:
            raise
        reason = " ".join(str(getattr(error, "orig", None) or error).split()) or type(error).__name__
        sys.exit(f"The database that DATABASE_URL names was not migrated, and is as it was: {reason}")


if context.is_offline_mode():
    sys.exit("SQL scripts are not supported: run `alembic upgrade head` against the database.")
if context.config.config_file_name is not None and context.config.attributes.get("configure_logging", True):
    fileConfig(context.config.config_file_name, disable_existing_loggers=False)
main()
