"""`todo-api distribute`: distribute the tables over the servers of a Citus cluster."""

import argparse
import asyncio
from dataclasses import replace

from todo_api.adapters.sqlalchemy.distribution import NotDistributableError, distribute
from todo_api.cli.configuration import settings_of
from todo_api.cli.database import DATABASE_ERRORS, require_usable_schema, unusable
from todo_api.main import database_config
from todo_api.settings import ConfigurationError, Settings


def run(arguments: argparse.Namespace) -> None:
    settings = settings_of(arguments)
    require_usable_schema(settings)
    try:
        done = asyncio.run(_distribute(settings))
    except NotDistributableError as error:
        raise ConfigurationError(str(error)) from error
    except DATABASE_ERRORS as error:
        raise unusable(error) from error
    if not done:
        print("all tables are distributed already")


async def _distribute(settings: Settings) -> int:
    """Print each thing done, and return their number."""
    done = 0
    async for line in distribute(replace(database_config(settings), statement_timeout=None)):
        print(line, flush=True)
        done += 1
    return done
