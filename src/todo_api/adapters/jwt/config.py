"""What a verifier has to be told."""

from dataclasses import dataclass, field

# RFC 7518, section 3.2: an HS256 key is at least as long as the hash. An ASCII character is a byte.
SHORTEST_SECRET = 32


@dataclass(frozen=True, slots=True)
class JwtConfig:
    """Where the keys come from, and what a token must say.

    Attributes:
        secret: Verifies HS256 tokens, at least 32 characters; None refuses them all.
        jwks_url: Publishes the keys of all other tokens (RFC 7517, section 5); None refuses them all.
        issuers: Acceptable `iss` values, a trailing slash aside; empty accepts any, and none.
        audiences: Acceptable `aud` values, likewise.

    Raises:
        ValueError: There is nothing to verify a token with, or the secret is too short.
    """

    secret: str | None = field(default=None, repr=False)
    jwks_url: str | None = None
    issuers: frozenset[str] = frozenset()
    audiences: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Refuse a configuration that could verify nothing, or anything."""
        if self.secret is None and self.jwks_url is None:
            raise ValueError("a verifier needs a secret or the address of a key set")
        if self.secret is not None and len(self.secret) < SHORTEST_SECRET:
            raise ValueError(f"the secret needs at least {SHORTEST_SECRET} characters")
