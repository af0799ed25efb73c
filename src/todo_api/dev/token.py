"""Tokens for development, without a front end."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import jwt

DEFAULT_USER = "dev-user"
DEFAULT_HOURS = 24.0


def mint_token(secret: str, user: str, lifetime: timedelta, scopes: Sequence[str] = ()) -> str:
    """Sign a token with HS256; with scopes, it is limited to them."""
    now = datetime.now(UTC)
    claims: dict[str, object] = {"sub": user, "iat": now, "exp": now + lifetime}
    if scopes:
        claims["scope"] = " ".join(scopes)
    return jwt.encode(claims, secret, algorithm="HS256")
