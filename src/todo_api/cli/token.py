"""`todo-api token`: print a token for development."""

import argparse
from datetime import timedelta

from todo_api.cli.configuration import settings_of
from todo_api.dev.token import mint_token, with_secret


def run(arguments: argparse.Namespace) -> None:
    _, secret = with_secret(settings_of(arguments))
    print(mint_token(secret, arguments.user, timedelta(hours=arguments.hours), arguments.scope))
