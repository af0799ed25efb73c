"""`todo-api dev`: everything on one machine, from nothing."""

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from pydantic import SecretStr

from todo_api.adapters.sqlalchemy.driver import DatabaseConfig
from todo_api.adapters.sqlalchemy.schema import REVISION
from todo_api.cli.configuration import development_settings_of
from todo_api.cli.database import DATABASE_ERRORS, schema_revision, unusable
from todo_api.dev import token as development
from todo_api.dev.postgres import open_server
from todo_api.logs import configure_logs
from todo_api.main import create_app, database_config
from todo_api.server import serving
from todo_api.settings import ConfigurationError, Settings

ALEMBIC_INI = Path(__file__).parents[3] / "alembic.ini"
GRACE = 1  # seconds; whoever presses Ctrl-C wants it to end


def run(arguments: argparse.Namespace) -> None:
    """Starts a database unless DATABASE_URL names one, migrates it, serves, and says how to try it."""
    serving.exit_on_sigterm()
    configure_logs("console")
    if arguments.exit_with_parent is not None:
        serving.end_with(arguments.exit_with_parent or os.getppid())
    settings, secret = development_settings_of(arguments)
    with serving.listening(settings.host, settings.port) as sockets, _database(settings) as database_url:
        served = settings.model_copy(
            update={
                "database_url": SecretStr(database_url),
                "rate_limit": "off",
                "rate_limit_failed": "off",
                "access_log": bool(arguments.access_log),
            }
        )
        _migrate(database_config(served))
        url = serving.url_of(sockets, settings.host)
        serving.serve(
            create_app(served),
            sockets,
            grace=GRACE,
            announce=lambda: print(_welcome(settings, secret, url), flush=True),
        )


@contextmanager
def _database(settings: Settings) -> Iterator[str]:
    if settings.database_url:
        yield settings.database_url.get_secret_value()
        return
    with open_server(settings.data_dir / "postgres") as url:
        yield url


def _migrate(database: DatabaseConfig) -> None:
    """Brings the schema to the newest revision."""
    if schema_revision(database) == REVISION:
        return
    # Loaded only when there is something to do: it takes as long as all that comes before.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    if not ALEMBIC_INI.exists():
        raise ConfigurationError(f"{ALEMBIC_INI} is missing: `todo-api dev` runs from a checkout of the project")
    config = Config(ALEMBIC_INI, attributes={"database_url": database.url, "configure_logging": False})
    try:
        command.upgrade(config, "head")
    except DATABASE_ERRORS as error:
        raise unusable(error) from error
    except CommandError as error:  # it does not know the revision that it finds
        raise ConfigurationError(f"the database is of another version of todo-api: {error}") from error


def _welcome(settings: Settings, secret: str, url: str) -> str:
    token = development.mint_token(secret, development.DEFAULT_USER, timedelta(hours=development.DEFAULT_HOURS))
    database = "the one that DATABASE_URL names" if settings.database_url else f"in {settings.data_dir.resolve()}"
    return development.welcome(url, token, database)
