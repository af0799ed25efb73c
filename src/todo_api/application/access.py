"""Who is calling and what they may do: the port that verifies bearer tokens, and its errors."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from todo_api.domain.errors import TodoError


class Scope(StrEnum):
    """What a call needs; a token may be limited to some of these (RFC 8693, section 4.2)."""

    READ = "tasks:read"
    WRITE = "tasks:write"


@dataclass(frozen=True, slots=True)
class Principal:
    """The verified caller.

    Attributes:
        user_id: The token's `sub`, 1 to 255 Unicode code points.
        scopes: What the token is limited to; None is a token without limits.
        expires_at: When the token ends, in seconds since the epoch.
    """

    user_id: str
    scopes: frozenset[str] | None
    expires_at: float

    def require(self, scope: Scope) -> None:
        """Raise InsufficientScopeError unless the token may do this."""
        if self.scopes is not None and scope not in self.scopes:
            raise InsufficientScopeError(scope)


class TokenVerifier(Protocol):
    """Verifies bearer tokens."""

    async def verify(self, token: str) -> Principal:
        """Return who the token speaks for.

        Raises:
            ExpiredTokenError: The token was good and has ended.
            PrematureTokenError: The token is not valid yet.
            InvalidTokenError: Anything else is wrong with the token; the message names it without quoting the token.
            VerifierUnavailableError: The keys to verify it with could not be had; trying again later may help.
        """
        ...


class AuthenticationError(TodoError):
    """The caller is not known."""


class MissingTokenError(AuthenticationError):
    """The request carries no bearer token."""


class InvalidTokenError(AuthenticationError):
    """The token cannot be trusted."""


class PrematureTokenError(InvalidTokenError):
    """The token is not valid yet."""


class ExpiredTokenError(AuthenticationError):
    """The token has ended."""


class InsufficientScopeError(TodoError):
    """The token is good, but not for this call."""

    def __init__(self, scope: Scope) -> None:
        """Take the scope that the call needs."""
        super().__init__(f"this call needs a token with the scope {scope}")
        self.scope = scope


class VerifierUnavailableError(TodoError):
    """The token cannot be verified now."""
