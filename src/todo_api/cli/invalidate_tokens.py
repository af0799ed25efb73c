"""`todo-api invalidate-tokens`: make all clients load their tasks again, after a restore or a failover with loss."""

import argparse
import asyncio

from todo_api.adapters.sqlalchemy.engine import create_engine
from todo_api.cli.configuration import settings_of
from todo_api.cli.database import require_usable_schema
from todo_api.domain.errors import RepositoryUnavailableError
from todo_api.main import database_config, housekeeping
from todo_api.settings import ConfigurationError, Settings


def run(arguments: argparse.Namespace) -> None:
    settings = settings_of(arguments)
    require_usable_schema(settings)
    try:
        accounts = asyncio.run(_invalidate(settings))
    except RepositoryUnavailableError as error:
        raise ConfigurationError(f"{error}; run the command again, until it succeeds") from error
    print(f"invalidated the sync tokens and list ETags of {accounts:,} account{'' if accounts == 1 else 's'}")


async def _invalidate(settings: Settings) -> int:
    engine = create_engine(database_config(settings))
    try:
        return await housekeeping(engine, settings).invalidate_tokens()
    finally:
        await engine.dispose()
