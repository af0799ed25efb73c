"""What only development has: a secret that is made and kept, tokens without a front end, and a welcome."""

import fcntl
import os
import secrets
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
from pydantic import SecretStr

from todo_api.settings import SHORTEST_SECRET, Settings

DEFAULT_USER = "dev-user"
DEFAULT_HOURS = 24.0


def with_secret(settings: Settings) -> tuple[Settings, str]:
    """The settings with a secret for tokens, and that secret: the user's own, else the one that is kept in DATA_DIR.

    Raises:
        OSError: that file can neither be read nor made.
    """
    if settings.token_secret:
        return settings, settings.token_secret
    secret = kept_secret(settings.data_dir)
    return settings.model_copy(update={"better_auth_secret": SecretStr(secret)}), secret


def kept_secret(directory: Path) -> str:
    """The secret in the directory's file `secret`, made at the first call; only its owner may read it.

    Raises:
        OSError: the file can neither be read nor made.
    """
    directory.mkdir(parents=True, exist_ok=True)
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
    with os.fdopen(os.open(directory / "secret", flags, mode=0o600), "r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # of two that start at once, one makes it and the other reads it
        kept = file.read().strip()
        if len(kept) >= SHORTEST_SECRET:
            return kept
        made = secrets.token_urlsafe(SHORTEST_SECRET)
        file.seek(0)
        file.truncate()
        file.write(f"{made}\n")
        file.flush()
        os.fsync(file.fileno())
        return made


def mint_token(secret: str, user: str, lifetime: timedelta, scopes: Sequence[str] = ()) -> str:
    """A token for the user as Better Auth's HS256 ones are; with scopes, it may do only what they say."""
    now = datetime.now(UTC)
    claims: dict[str, object] = {"sub": user, "iat": now, "exp": now + lifetime}
    if scopes:
        claims["scope"] = " ".join(scopes)
    return jwt.encode(claims, secret, algorithm="HS256")


def welcome(url: str, token: str, database: str) -> str:
    """What `dev` prints when it serves."""
    tasks = _shell_word(f"{url}/api/tasks")
    bearer = f"-H 'Authorization: Bearer {token}'"
    return f"""
todo-api is serving on {url}

  Pages to try it in   {url}/docs
  Database             {database}
  Token of {DEFAULT_USER}    {token}

Create a task, and list them:

curl -X POST {tasks} {bearer} -H 'Content-Type: application/json' -d '{{"title": "Try todo-api"}}'

curl {tasks} {bearer}

A token for another user: {_command()} token NAME. Ctrl-C stops the service and its database; the data stay.
"""


def _command() -> str:
    """How to call `todo-api` from here: by its path, where the virtual environment is below and not activated."""
    path = Path(sys.executable).with_name("todo-api")
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else "todo-api"


def _shell_word(url: str) -> str:
    # An IPv6 address has brackets, at which zsh looks for files.
    return f"'{url}'" if "[" in url else url
