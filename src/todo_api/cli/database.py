"""What the commands ask the database before they serve: which revision its schema is at."""

import asyncio

from sqlalchemy.exc import SQLAlchemyError

from todo_api.adapters.sqlalchemy.driver import DatabaseConfig, DatabaseUrlError
from todo_api.adapters.sqlalchemy.errors import driver_error
from todo_api.adapters.sqlalchemy.schema import REVISION, current_revision, serves
from todo_api.main import database_config
from todo_api.settings import ConfigurationError, Settings

DATABASE_ERRORS = (OSError, SQLAlchemyError)


def schema_revision(config: DatabaseConfig) -> str | None:
    """The revision that the schema is at, or None where there is none yet.

    Raises:
        ConfigurationError: the database cannot be reached.
    """
    try:
        return asyncio.run(current_revision(config))
    except DatabaseUrlError as error:
        raise ConfigurationError(f"DATABASE_URL {error}") from error
    except DATABASE_ERRORS as error:
        raise unusable(error) from error


def require_usable_schema(settings: Settings) -> str:
    """Return the revision that the schema is at, which is this version's or a newer one.

    Raises:
        ConfigurationError: it is at an older one, or the database cannot be reached.
    """
    found = schema_revision(database_config(settings))
    if found is None or not serves(found):
        raise ConfigurationError(
            f"the database's schema is at revision {found or 'none'}, and this version needs {REVISION}. "
            "Run, in this version and with the same DATABASE_URL: alembic upgrade head"
        )
    return found


def unusable(error: Exception) -> ConfigurationError:
    """The error in one line; PostgreSQL's and the system's do not hold the password."""
    reason = " ".join(str(driver_error(error)).split()) or type(error).__name__
    return ConfigurationError(f"the database that DATABASE_URL names cannot be used: {reason}")
