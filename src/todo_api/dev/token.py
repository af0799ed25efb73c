"""Tokens for development, without a front end, and the secret that signs them."""

import fcntl
import os
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
from pydantic import SecretStr

from todo_api.settings import SHORTEST_SECRET, ConfigurationError, Settings

DEFAULT_USER = "dev-user"
DEFAULT_HOURS = 24.0


def mint_token(secret: str, user: str, lifetime: timedelta, scopes: Sequence[str] = ()) -> str:
    """Sign a token with HS256; with scopes, it is limited to them."""
    now = datetime.now(UTC)
    claims: dict[str, object] = {"sub": user, "iat": now, "exp": now + lifetime}
    if scopes:
        claims["scope"] = " ".join(scopes)
    return jwt.encode(claims, secret, algorithm="HS256")


def with_secret(settings: Settings) -> tuple[Settings, str]:
    """Return the settings with a secret, and the secret: BETTER_AUTH_SECRET, or the one that is stored in DATA_DIR.

    Raises:
        ConfigurationError: The secret is too short, or its file can be neither read nor written.
    """
    secret = settings.token_secret
    if not secret:
        try:
            secret = kept_secret(settings.data_dir)
        except OSError as error:
            raise ConfigurationError(
                f"DATA_DIR is {settings.data_dir}, and {error.filename} cannot keep a secret: {error.strerror}. "
                "Set BETTER_AUTH_SECRET, or DATA_DIR to a directory that can be written"
            ) from error
        settings = settings.model_copy(update={"better_auth_secret": SecretStr(secret)})
    settings.require_token_verification()
    return settings, secret


def kept_secret(directory: Path) -> str:
    """Return the secret in the directory's file `secret`, which the first call writes; only its owner may read it.

    Raises:
        OSError: The file can be neither read nor written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
    with os.fdopen(os.open(directory / "secret", flags, mode=0o600), "r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # if two commands start together, one writes and the other reads
        kept = file.read().strip()
        if len(kept) >= SHORTEST_SECRET:
            return kept
        secret = secrets.token_urlsafe(SHORTEST_SECRET)
        file.seek(0)
        file.truncate()
        file.write(f"{secret}\n")
        return secret
