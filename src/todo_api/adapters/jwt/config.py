"""The configuration of a verifier."""

from dataclasses import dataclass, field

MIN_SECRET_LENGTH = 32  # RFC 7518, section 3.2: an HS256 key is at least as long as the hash; ASCII has a byte each


@dataclass(frozen=True, slots=True)
class JwtConfig:
    """The source of the keys, and the required claims.

    Attributes:
        secret: Verifies HS256 tokens, at least 32 characters; without it, they are refused.
        jwks_url: Publishes the keys of all other tokens (RFC 7517, section 5); without it, they are refused.
        issuers: Accepted `iss` values, a trailing slash aside; if empty, the claim is not checked.
        audiences: Accepted `aud` values, likewise.

    Raises:
        ValueError: There is neither a secret nor a URL, or the secret is too short.
    """

    secret: str | None = field(default=None, repr=False)
    jwks_url: str | None = None
    issuers: frozenset[str] = frozenset()
    audiences: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if self.secret is None and self.jwks_url is None:
            raise ValueError("a verifier needs a secret or the URL of a key set")
        if self.secret is not None and len(self.secret) < MIN_SECRET_LENGTH:
            raise ValueError(f"the secret needs at least {MIN_SECRET_LENGTH} characters")
