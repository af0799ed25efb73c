"""The command line: `todo-api dev | serve | token | openapi`."""

import argparse
import asyncio
import json
import math
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from pydantic import SecretStr, ValidationError
from pydantic_settings import SettingsError
from sqlalchemy.exc import DBAPIError

from todo_api import __version__, development, serving
from todo_api.adapters.postgres.schema import REVISION, current_revision
from todo_api.local_postgres import LocalPostgresError, open_server
from todo_api.main import create_app
from todo_api.settings import SHORTEST_SECRET, ConfigurationError, Settings

FACTORY = "todo_api.main:app_from_environment"
ALEMBIC_INI = Path(__file__).parents[2] / "alembic.ini"
DEVELOPMENT_GRACE = 1  # seconds; whoever presses Ctrl-C wants it to end
PRODUCTION_GRACE = 10
DATABASE_ERRORS = (OSError, DBAPIError, asyncpg.PostgresError, asyncpg.InterfaceError)
INTERRUPTED = 130  # as shells report a SIGINT


class _Failure(Exception):  # noqa: N818 - not for others to catch
    """The command cannot be done; the message is the line that the user sees."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command, and returns the exit status: 0, or 1 after a line on stderr that says what to do."""
    parsed = _parser().parse_args(arguments)
    try:
        parsed.run(parsed)
    except (_Failure, ConfigurationError, LocalPostgresError, serving.CannotListenError) as error:
        print(f"todo-api: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


# --- dev ---------------------------------------------------------------------------------


def _dev(arguments: argparse.Namespace) -> None:
    serving.exit_on_sigterm()
    if arguments.exit_with_parent is not None:
        serving.end_with(arguments.exit_with_parent or os.getppid())
    settings = _development_settings(arguments)
    settings.require_token_verification()
    with _listening(settings) as sockets, _database(settings) as database_url:
        _migrate(database_url)
        app = create_app(settings.model_copy(update={"database_url": SecretStr(database_url)}))
        serving.serve(
            app,
            sockets,
            grace=DEVELOPMENT_GRACE,
            access_log=arguments.access_log,
            announce=lambda: print(_welcome(settings, serving.url_of(sockets, settings.host)), flush=True),
        )


@contextmanager
def _database(settings: Settings) -> Iterator[str]:
    if settings.database_url:
        yield settings.database_url.get_secret_value()
        return
    with open_server(settings.data_dir / "postgres") as url:
        yield url


def _migrate(database_url: str) -> None:
    if not ALEMBIC_INI.exists():
        raise _Failure(f"{ALEMBIC_INI} is missing: `todo-api dev` runs from a checkout of the project")
    config = Config(ALEMBIC_INI, attributes={"database_url": database_url, "configure_logging": False})
    try:
        command.upgrade(config, "head")
    except DATABASE_ERRORS as error:
        raise _Failure(_unreachable(error)) from error
    except CommandError as error:  # it does not know the revision that it finds
        raise _Failure(f"the database is of a newer version of todo-api: {error}") from error


def _welcome(settings: Settings, url: str) -> str:
    database = "DATABASE_URL" if settings.database_url else f"its own, in {settings.data_dir.resolve()}"
    return development.welcome(url, _token(settings, development.DEFAULT_USER), database)


# --- serve -------------------------------------------------------------------------------


def _serve(arguments: argparse.Namespace) -> None:
    serving.exit_on_sigterm()
    settings = _settings(arguments)
    app = create_app(settings)  # also where the workers make their own: it finds what is missing
    _require_newest_schema(settings)
    with _listening(settings) as sockets:
        options = {"grace": PRODUCTION_GRACE, "access_log": arguments.access_log}
        announce = partial(print, f"todo-api is serving on {serving.url_of(sockets, settings.host)}", flush=True)
        if settings.workers == 1:
            serving.serve(app, sockets, announce=announce, **options)
        else:
            announce()
            serving.serve_in_workers(FACTORY, sockets, workers=settings.workers, **options)


def _require_newest_schema(settings: Settings) -> None:
    assert settings.database_url  # noqa: S101 - create_app has seen to it
    try:
        found = asyncio.run(current_revision(settings.database_url.get_secret_value()))
    except DATABASE_ERRORS as error:
        raise _Failure(_unreachable(error)) from error
    if found != REVISION:
        raise _Failure(
            f"the database's schema is at revision {found or 'none'} and this version needs {REVISION}. "
            "Run, with the same DATABASE_URL and version: alembic upgrade head"
        )


def _unreachable(error: BaseException) -> str:
    reason = " ".join(str(getattr(error, "orig", None) or error).split()) or type(error).__name__
    return f"the database that DATABASE_URL names cannot be used: {reason}"


# --- token, openapi ----------------------------------------------------------------------


def _print_token(arguments: argparse.Namespace) -> None:
    settings = _development_settings(arguments)
    settings.require_token_verification()
    print(_token(settings, arguments.user, timedelta(hours=arguments.hours), arguments.scope))


def _token(
    settings: Settings,
    user: str,
    lifetime: timedelta = timedelta(hours=development.DEFAULT_HOURS),
    scopes: Sequence[str] = (),
) -> str:
    assert settings.token_secret  # noqa: S101 - development has one
    return development.mint_token(settings.token_secret, user, lifetime, scopes)


def _print_openapi(arguments: argparse.Namespace) -> None:
    # The document is the same for every configuration, and needs none.
    placeholders = {
        "database_url": SecretStr("postgresql:///"),
        "better_auth_secret": SecretStr("x" * SHORTEST_SECRET),
    }
    print(json.dumps(create_app(_settings(arguments).model_copy(update=placeholders)).openapi(), indent=2))


# --- settings and sockets ----------------------------------------------------------------


def _settings(arguments: argparse.Namespace) -> Settings:
    """The environment's, with the flags on top."""
    try:
        settings = Settings()
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, one['loc'])).upper()}: {one['msg']}" for one in error.errors()]
        raise _Failure("; ".join(problems)) from None  # the error itself quotes values, which may be secret
    except SettingsError as error:
        raise _Failure(str(error)) from None
    flags = {name: getattr(arguments, name, None) for name in ("host", "port", "workers")}
    return settings.model_copy(update={name: value for name, value in flags.items() if value is not None})


def _development_settings(arguments: argparse.Namespace) -> Settings:
    settings = _settings(arguments)
    try:
        return development.with_secret(settings)
    except OSError as error:
        raise _Failure(f"DATA_DIR is {settings.data_dir}: {error.filename}: {error.strerror}") from error


@contextmanager
def _listening(settings: Settings) -> Iterator[list[serving.Socket]]:
    sockets = serving.listen(settings.host, settings.port)
    try:
        yield sockets
    finally:
        serving.close(sockets)
