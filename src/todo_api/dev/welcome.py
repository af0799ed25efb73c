"""The message that `todo-api dev` prints when it serves."""

import sys
from pathlib import Path

from todo_api.dev.token import DEFAULT_USER


def welcome(url: str, token: str, database: str) -> str:
    tasks = f"'{url}/api/tasks'"  # quoted, because zsh treats the brackets of an IPv6 address as a pattern
    bearer = f"-H 'Authorization: Bearer {token}'"
    return f"""
todo-api is serving on {url}

  Start here           {url}/
  Pages to try it in   {url}/docs
  Database             {database}
  Token of {DEFAULT_USER}    {token}

Create a task, and list them:

curl -X POST {tasks} {bearer} -H 'Content-Type: application/json' -d '{{"title": "Try todo-api"}}'

curl {tasks} {bearer}

A token for another user: {_command()} token NAME. Ctrl-C stops the service and its database; the data stays.
"""


def _command() -> str:
    """Return how to call `todo-api` here: by its path where the virtual environment is below this directory."""
    path = Path(sys.executable).with_name("todo-api")
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else "todo-api"
