"""`todo-api dev`: serve for development, with a database, its migrations and a token."""

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

from pydantic import SecretStr

from todo_api.adapters.sqlalchemy.driver import DatabaseConfig
from todo_api.adapters.sqlalchemy.schema import REVISION
from todo_api.cli.configuration import settings_of
from todo_api.cli.database import DATABASE_ERRORS, schema_revision, unusable
from todo_api.dev.postgres import LocalPostgresError, open_server
from todo_api.dev.start_page import add_start_page
from todo_api.dev.token import DEFAULT_HOURS, DEFAULT_USER, mint_token, with_secret
from todo_api.dev.welcome import welcome
from todo_api.logs import configure_logs
from todo_api.main import create_app, database_config
from todo_api.server.process import exit_on_sigterm, exit_with_parent
from todo_api.server.server import serve
from todo_api.server.sockets import listening, url_of
from todo_api.settings import ConfigurationError, Settings

ALEMBIC_INI = Path(__file__).parents[3] / "alembic.ini"
GRACE = 1  # seconds that requests in progress have to finish


def run(arguments: argparse.Namespace) -> None:
    exit_on_sigterm()
    configure_logs("console")
    if arguments.exit_with_parent is not None:
        exit_with_parent(arguments.exit_with_parent or os.getppid())
    settings, secret = with_secret(settings_of(arguments))
    with listening(settings.host, settings.port) as sockets, _database(settings) as database_url:
        served = settings.model_copy(
            update={
                "database_url": SecretStr(database_url),
                "rate_limit": "off",
                "rate_limit_failed": "off",
                "access_log": bool(arguments.access_log),
            }
        )
        _migrate(database_config(served))
        url = url_of(sockets, settings.host)
        new_token = partial(mint_token, secret, DEFAULT_USER, timedelta(hours=DEFAULT_HOURS))
        app = create_app(served)
        add_start_page(app, new_token)
        serve(
            app,
            sockets,
            grace=GRACE,
            on_ready=lambda: print(_welcome(settings, new_token(), url), flush=True),
        )


@contextmanager
def _database(settings: Settings) -> Iterator[str]:
    if settings.database_url:
        yield settings.database_url.get_secret_value()
        return
    try:
        with open_server(settings.data_dir / "postgres") as url:
            yield url
    except LocalPostgresError as error:
        raise ConfigurationError(str(error)) from error


def _migrate(database: DatabaseConfig) -> None:
    if schema_revision(database) == REVISION:
        return
    # Imported here, because the import takes as long as everything before it.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    if not ALEMBIC_INI.exists():
        raise ConfigurationError(f"{ALEMBIC_INI} is missing: run `todo-api dev` from a checkout of the project")
    config = Config(ALEMBIC_INI, attributes={"database_url": database.url, "configure_logging": False})
    try:
        command.upgrade(config, "head")
    except DATABASE_ERRORS as error:
        raise unusable(error) from error
    except CommandError as error:  # an unknown revision
        raise ConfigurationError(f"the database belongs to another version of todo-api: {error}") from error


def _welcome(settings: Settings, token: str, url: str) -> str:
    database = "the one of DATABASE_URL" if settings.database_url else f"in {settings.data_dir.resolve()}"
    return welcome(url, token, database)
