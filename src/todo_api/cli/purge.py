"""`todo-api purge`: purge once, and make tasks of an earlier version searchable; `serve` does so on a schedule."""

import argparse
import asyncio

from todo_api.adapters.sqlalchemy.engine import create_engine
from todo_api.application.housekeeping import Purged
from todo_api.cli.configuration import settings_of
from todo_api.cli.database import require_usable_schema
from todo_api.domain.errors import RepositoryUnavailableError
from todo_api.main import database_config, housekeeping
from todo_api.settings import ConfigurationError, Settings


def run(arguments: argparse.Namespace) -> None:
    settings = settings_of(arguments)
    require_usable_schema(settings)
    try:
        purged = asyncio.run(_purge(settings))
    except RepositoryUnavailableError as error:
        raise ConfigurationError(f"{error}; a part may be purged: run the command again for the rest") from error
    print(f"purged {purged}")


async def _purge(settings: Settings) -> Purged:
    engine = create_engine(database_config(settings))
    try:
        house = housekeeping(engine, settings)
        await house.index_words()
        return await house.purge()
    finally:
        await engine.dispose()
