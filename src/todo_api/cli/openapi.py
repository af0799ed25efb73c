"""`todo-api openapi`: print the OpenAPI document."""

import argparse
import json

from pydantic import SecretStr

from todo_api.cli.configuration import settings_of
from todo_api.main import create_app
from todo_api.settings import SHORTEST_SECRET


def run(arguments: argparse.Namespace) -> None:
    # The document does not depend on them, but the application needs them.
    needed = {"database_url": SecretStr("postgresql:///"), "better_auth_secret": SecretStr("x" * SHORTEST_SECRET)}
    app = create_app(settings_of(arguments).model_copy(update=needed))
    print(json.dumps(app.openapi(), indent=2, ensure_ascii=False))
