"""The revision of the database schema, which commands check first."""

import asyncio

from sqlalchemy.exc import SQLAlchemyError

from todo_api.adapters.sqlalchemy.distribution import ClusterProblems, cluster_problems
from todo_api.adapters.sqlalchemy.driver import DatabaseConfig
from todo_api.adapters.sqlalchemy.errors import driver_error
from todo_api.adapters.sqlalchemy.schema import REVISION, current_revision, serves
from todo_api.main import database_config
from todo_api.settings import ConfigurationError, Settings

DATABASE_ERRORS = (OSError, SQLAlchemyError)


def schema_revision(config: DatabaseConfig) -> str | None:
    """Return the revision of the schema, or None if there is no schema yet.

    Raises:
        ConfigurationError: The database cannot be reached.
    """
    try:
        return asyncio.run(current_revision(config))
    except DATABASE_ERRORS as error:
        raise unusable(error) from error


def require_usable_schema(settings: Settings) -> str:
    """Return the revision of the schema if this version can work with it.

    Raises:
        ConfigurationError: The revision is too old, or the database cannot be reached.
    """
    found = schema_revision(database_config(settings))
    if found is None or not serves(found):
        raise ConfigurationError(
            f"the database's schema is at revision {found or 'none'}, and this version needs {REVISION}. "
            "Run, in this version and with the same DATABASE_URL: alembic upgrade head"
        )
    return found


def problems_of_cluster(settings: Settings) -> ClusterProblems | None:
    """Return what is wrong with the Citus cluster; None if the database is not one of Citus.

    Raises:
        ConfigurationError: The database cannot be reached.
    """
    try:
        return asyncio.run(cluster_problems(database_config(settings)))
    except DATABASE_ERRORS as error:
        raise unusable(error) from error


def unusable(error: Exception) -> ConfigurationError:
    """Describe the error in one line. Messages of PostgreSQL and the system do not contain the password."""
    reason = " ".join(str(driver_error(error)).split()) or type(error).__name__
    return ConfigurationError(f"the database of DATABASE_URL cannot be used: {reason}")
