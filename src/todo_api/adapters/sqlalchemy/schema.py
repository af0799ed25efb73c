"""The schema revision that this program needs, and the revision of a database."""

from asyncpg import UndefinedTableError
from sqlalchemy import Text, column, select, table
from sqlalchemy.exc import ProgrammingError

from todo_api.adapters.sqlalchemy.driver import DatabaseConfig
from todo_api.adapters.sqlalchemy.engine import create_engine
from todo_api.adapters.sqlalchemy.errors import driver_error
from todo_api.adapters.sqlalchemy.execution import fetch

# The newest in migrations/versions; a test compares them.
REVISION = "0006"

VERSION = select(column("version_num", Text)).select_from(table("alembic_version"))


def serves(revision: str) -> bool:
    """Return whether this program works with a schema at that revision.

    It works with newer ones: migrations keep the previous version working, and their revisions are consecutive
    numbers.
    """
    return revision.isdecimal() and revision >= REVISION


async def current_revision(config: DatabaseConfig) -> str | None:
    """Return the revision that the database is at, or None before its first migration.

    Raises:
        DatabaseUrlError: The URL is not the URL of a PostgreSQL database.
        OSError, sqlalchemy.exc.DBAPIError: The database cannot be used.
    """
    engine = create_engine(config)
    try:
        rows = await fetch(engine, VERSION, {})
    except ProgrammingError as error:
        if isinstance(driver_error(error), UndefinedTableError):
            return None
        raise
    finally:
        await engine.dispose()
    return rows[0]["version_num"] if rows else None
