"""Which revision of the schema this program needs, and which one a database has."""

from asyncpg import UndefinedTableError
from sqlalchemy import Select, Text, column, select, table
from sqlalchemy.exc import ProgrammingError

from todo_api.adapters.postgres.engine import DatabaseConfig, create_engine
from todo_api.adapters.postgres.statements import Statement

# The newest of migrations/versions; a test compares the two.
REVISION = "0003"

_version: Select[str] = select(column("version_num", Text)).select_from(table("alembic_version"))
VERSION = Statement(_version)


async def current_revision(config: DatabaseConfig) -> str | None:
    """Return the revision that the database is at, or None before its first migration.

    Raises:
        DatabaseUrlError: The URL is no URL of a PostgreSQL database.
        OSError, TimeoutError, sqlalchemy.exc.DBAPIError, asyncpg.PostgresError: The database cannot be reached.
    """
    engine = create_engine(config)
    try:
        async with engine.connect() as connection:
            return (await connection.execute(_version)).scalar_one_or_none()
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", None) == UndefinedTableError.sqlstate:  # no migration has made it yet
            return None
        raise
    finally:
        await engine.dispose()
