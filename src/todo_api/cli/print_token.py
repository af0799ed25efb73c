"""`todo-api token`: a token for development."""

import argparse
from datetime import timedelta

from todo_api.cli.configuration import development_settings_of
from todo_api.dev.token import mint_token


def run(arguments: argparse.Namespace) -> None:
    """Prints a token that `todo-api dev` accepts, and nothing else."""
    _, secret = development_settings_of(arguments)
    print(mint_token(secret, arguments.user, timedelta(hours=arguments.hours), arguments.scope))
