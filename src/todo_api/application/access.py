"""Authentication and authorization: the caller, the scopes, and the port that verifies bearer tokens."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from todo_api.domain.errors import TodoError


class Scope(StrEnum):
    """A scope that a token can be restricted to (RFC 8693, section 4.2)."""

    READ = "tasks:read"
    WRITE = "tasks:write"


@dataclass(frozen=True, slots=True)
class Principal:
    """The authenticated caller.

    Attributes:
        user_id: The `sub` of the token, 1 to 255 code points.
        scopes: The scopes of the token; None if it is not restricted.
        expires_at: When the token expires, in seconds since the epoch.
    """

    user_id: str
    scopes: frozenset[str] | None
    expires_at: float

    def require(self, scope: Scope) -> None:
        """Raise InsufficientScopeError unless the token has the scope."""
        if self.scopes is not None and scope not in self.scopes:
            raise InsufficientScopeError(scope)


class TokenVerifier(Protocol):
    """Verifies bearer tokens."""

    async def verify(self, token: str) -> Principal:
        """Return the caller that the token was issued to.

        Raises:
            ExpiredTokenError: The token has expired.
            PrematureTokenError: The token is not valid yet.
            InvalidTokenError: The token is invalid in any other way. The message says how, without quoting the token.
            VerifierUnavailableError: The keys cannot be fetched now; a retry may succeed.
        """
        ...


class AuthenticationError(TodoError):
    """The caller is not authenticated."""


class MissingTokenError(AuthenticationError):
    """The request has no bearer token."""


class InvalidTokenError(AuthenticationError):
    """The token is invalid."""


class PrematureTokenError(InvalidTokenError):
    """The token is not valid yet."""


class ExpiredTokenError(AuthenticationError):
    """The token has expired."""


class InsufficientScopeError(TodoError):
    """The token lacks the scope that the call needs."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(f"this call needs a token with the scope {scope}")
        self.scope = scope


class VerifierUnavailableError(TodoError):
    """Tokens cannot be verified now; a retry may succeed."""
