"""Which revision of the schema this program needs, and which one a database has."""

from asyncpg import UndefinedTableError
from sqlalchemy import Text, column, select, table

from todo_api.adapters.sqlalchemy.driver import DatabaseConfig, connector
from todo_api.adapters.sqlalchemy.statements import Statement

# The newest of migrations/versions; a test compares the two.
REVISION = "0003"

VERSION = Statement(select(column("version_num", Text)).select_from(table("alembic_version")))


def serves(revision: str) -> bool:
    """Say whether this program can work with a schema at that revision.

    It can with a newer one, which has come for the version that is about to replace this one, or was here before this
    one came back: migrations leave the version before them at work, and their revisions are numbers, in order.
    """
    return revision.isdecimal() and revision >= REVISION


async def current_revision(config: DatabaseConfig) -> str | None:
    """Return the revision that the database is at, or None before its first migration.

    Raises:
        DatabaseUrlError: The URL is no URL of a PostgreSQL database.
        OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError: The database cannot be reached.
    """
    connection = await connector(config)()
    try:
        revision: str | None = await connection.fetchval(VERSION.sql)
    except UndefinedTableError:  # no migration has made it yet
        return None
    finally:
        await connection.close(timeout=config.connect_timeout)
    return revision
