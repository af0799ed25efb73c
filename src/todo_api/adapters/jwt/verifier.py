"""Implement the port `TokenVerifier` for Better Auth's tokens."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice

import httpx2
import jwt
from jwt.types import Options

from todo_api.adapters.jwt.cache import TokenCache
from todo_api.adapters.jwt.claims import LEEWAY, read_principal
from todo_api.adapters.jwt.endpoint import JwksEndpoint
from todo_api.adapters.jwt.key_set import Keys, PublishedKeySet
from todo_api.adapters.jwt.keys import PUBLIC_KEY_ALGORITHMS, SECRET_ALGORITHM, VerificationKey, secret_key
from todo_api.adapters.jwt.unverified import UnverifiedToken, read_unverified
from todo_api.application.access import ExpiredTokenError, InvalidTokenError, Principal

# Several keys are tried if a token names no key, or if they have the same id.
MAX_CANDIDATES = 8

MIN_SECRET_LENGTH = 32  # RFC 7518, section 3.2: an HS256 key is at least as long as the hash, in bytes


@dataclass(frozen=True, slots=True)
class JwtConfig:
    """The source of the keys, and the required claims.

    Attributes:
        secret: Verifies HS256 tokens, at least 32 characters; without it, they are refused.
        jwks_url: Publishes the keys of all other tokens (RFC 7517, section 5); without it, they are refused.
        issuers: Accepted `iss` values, with or without a trailing slash; if empty, the claim is not checked.
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


class JwtTokenVerifier:
    """Verifies JWTs (RFC 7519) that are signed with a shared secret, or with a key of a published set.

    Belongs to one event loop. Keys are fetched when the first token needs them, so the service starts, and shared
    secrets work, while the issuer is down.
    """

    def __init__(
        self,
        config: JwtConfig,
        *,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
        transport: httpx2.AsyncBaseTransport | None = None,
        on_key_fetch: Callable[[bool], None] | None = None,
    ) -> None:
        """Create a verifier without fetching keys.

        Args:
            config: The source of the keys, and the required claims.
            now: Returns the time in seconds since 1970, which decides whether a token has expired.
            clock: A monotonic clock in seconds, which decides when keys are fetched.
            transport: Replaces the network in tests.
            on_key_fetch: Called after each fetch of keys with whether it succeeded.

        Raises:
            ValueError: The secret has the form of a public key.
        """
        self._issuers = _with_and_without_slash(config.issuers)
        self._audiences = _with_and_without_slash(config.audiences)
        self._secret = secret_key(config.secret) if config.secret is not None else None
        self._published: PublishedKeySet | None = None
        if config.jwks_url is not None:
            endpoint = JwksEndpoint(config.jwks_url, transport)
            self._published = PublishedKeySet(
                endpoint, clock=clock, on_change=self._keep_tokens_of, on_fetch=on_key_fetch
            )
        self._cache = TokenCache()
        self._now = now

    async def verify(self, token: str) -> Principal:
        principal = self._cache.get(token, self._now())
        if principal is None:
            return await self._verify_new(token)
        if self._published is not None:
            self._published.refresh_if_old()
        return principal

    async def aclose(self) -> None:
        """Stop fetching keys, and close the connections."""
        if self._published is not None:
            await self._published.aclose()

    async def _verify_new(self, token: str) -> Principal:
        unverified = read_unverified(token)
        # First, because a malformed token must neither cost a signature check nor start a fetch of keys.
        principal = read_principal(unverified.claims, unverified.type, self._now())
        key = await self._find_key(unverified)
        # Last, because only an otherwise valid token is reported as expired (RFC 7519, section 4.1.4).
        if self._now() >= principal.expires_at + LEEWAY:
            raise ExpiredTokenError("the token has expired")
        self._cache.add(token, principal, key)
        return principal

    async def _find_key(self, token: UnverifiedToken) -> VerificationKey:
        # The algorithm selects the source of the keys, and each key allows only its own algorithms: a public key never
        # verifies an HS256 token (RFC 8725, section 2.1).
        key = None
        if token.algorithm == SECRET_ALGORITHM:
            key = self._signer(token, (self._secret,) if self._secret else ())
        elif token.algorithm in PUBLIC_KEY_ALGORITHMS and self._published is not None:
            key = await self._find_published_key(token, self._published)
        if key is None:
            raise InvalidTokenError("the token is not signed with a known key")
        return key

    async def _find_published_key(self, token: UnverifiedToken, published: PublishedKeySet) -> VerificationKey | None:
        generation = published.generation
        key = self._signer(token, await published.current())
        if key is None and (newer := await published.newer(generation)) is not None:
            key = self._signer(token, newer)
        return key

    def _signer(self, token: UnverifiedToken, keys: Keys) -> VerificationKey | None:
        candidates = (key for key in keys if _may_have_signed(key, token))
        return next((key for key in islice(candidates, MAX_CANDIDATES) if self._is_signed(token, key)), None)

    def _is_signed(self, token: UnverifiedToken, key: VerificationKey) -> bool:
        """Return whether the key has signed the token.

        Raises:
            InvalidTokenError: It has, but the issuer or the audience is missing or not accepted.
        """
        # A front end that signs with the shared secret need not set issuer and audience (docs/authentication.md).
        checked = token.claims.keys() if token.algorithm == SECRET_ALGORITHM else {"iss", "aud"}
        options: Options = {
            "require": ["sub", "exp"],
            "verify_iss": bool(self._issuers) and "iss" in checked,
            "verify_aud": bool(self._audiences) and "aud" in checked,
            "enforce_minimum_key_length": True,
            "verify_exp": False,  # read_principal checks the dates, with other rules
            "verify_nbf": False,
            "verify_iat": False,
            "verify_jti": False,
        }
        try:
            jwt.decode(
                token.text,
                key.material,
                algorithms=sorted(key.algorithms),
                issuer=self._issuers,
                audience=self._audiences,
                options=options,
            )
        except (jwt.InvalidSignatureError, jwt.InvalidAlgorithmError, jwt.InvalidKeyError):
            return False
        except jwt.PyJWTError as error:
            raise InvalidTokenError(f"the token is not accepted: {error}") from error
        return True

    def _keep_tokens_of(self, keys: Keys) -> None:
        self._cache.keep_only((*keys, self._secret))


def _with_and_without_slash(names: Iterable[str]) -> frozenset[str]:
    bare = {name.rstrip("/") for name in names}
    return frozenset(bare | {f"{name}/" for name in bare})


def _may_have_signed(key: VerificationKey, token: UnverifiedToken) -> bool:
    # RFC 7515, section 4.1.4, and RFC 7517, section 4.5: `kid` is optional in both.
    same_id = key.key_id is None or token.key_id is None or key.key_id == token.key_id
    return same_id and token.algorithm in key.algorithms
