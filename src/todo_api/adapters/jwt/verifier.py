"""The port `TokenVerifier`, for Better Auth's tokens."""

import time
from collections.abc import Callable
from itertools import islice

import httpx2

from todo_api.adapters.jwt.claims import LEEWAY, ClaimRules, read_principal
from todo_api.adapters.jwt.compact import UnverifiedToken, take_apart
from todo_api.adapters.jwt.config import JwtConfig
from todo_api.adapters.jwt.endpoint import JwksEndpoint
from todo_api.adapters.jwt.keys import PUBLIC_KEY_ALGORITHMS, SECRET_ALGORITHM, VerificationKey, secret_key
from todo_api.adapters.jwt.published import KeySet, PublishedKeys
from todo_api.adapters.jwt.remembered import RememberedTokens
from todo_api.application.access import ExpiredTokenError, InvalidTokenError, Principal

# Signatures are tried one by one where a token does not name its key, or several keys have that name.
MOST_CANDIDATES = 8


class JwtTokenVerifier:
    """Verifies JWTs (RFC 7519) that are signed with a shared secret, or with a key of a published set.

    Belongs to one event loop. Nothing is fetched before the first token that needs it: the service starts, and shared
    secrets work, while the other side is down.
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
        """Prepare to verify.

        Args:
            config: Where keys come from, and what tokens must say.
            now: The time of day, in seconds since the epoch, that tokens are held against.
            clock: Measures the intervals between two fetches; never steps back.
            transport: Takes the place of the network in tests.
            on_key_fetch: Is told whether a fetch of the keys has succeeded.

        Raises:
            ValueError: The secret has the form of a public key.
        """
        self._rules = ClaimRules.of(config.issuers, config.audiences)
        self._secret = secret_key(config.secret) if config.secret is not None else None
        self._endpoint = JwksEndpoint(config.jwks_url, transport) if config.jwks_url is not None else None
        self._published = (
            PublishedKeys(self._endpoint.fetch, clock=clock, on_change=self._forget_removed, on_fetch=on_key_fetch)
            if self._endpoint
            else None
        )
        self._remembered = RememberedTokens()
        self._now = now

    async def verify(self, token: str) -> Principal:
        """Return who the token speaks for; see the port for the errors."""
        principal = self._remembered.find(token, self._now())
        if principal is None:
            return await self._verify_new(token)
        if self._published is not None:
            self._published.refresh_if_old()
        return principal

    async def aclose(self) -> None:
        """Stop fetching keys, and release the connections."""
        if self._published is not None:
            await self._published.aclose()
        if self._endpoint is not None:
            await self._endpoint.aclose()

    async def _verify_new(self, token: str) -> Principal:
        unverified = take_apart(token)
        # What can be refused without a key is refused first: it costs no signature, and makes nobody fetch keys.
        principal = self._read(unverified)
        key = await self._verifying_key(unverified)
        # Last, because only a token that was good can be called expired. RFC 7519, section 4.1.4.
        if self._now() >= principal.expires_at + LEEWAY:
            raise ExpiredTokenError("the token has expired")
        self._remembered.remember(token, principal, key)
        return principal

    def _read(self, unverified: UnverifiedToken) -> Principal:
        self._rules.check(unverified.claims, required=unverified.algorithm != SECRET_ALGORITHM)
        return read_principal(unverified.claims, unverified.type, self._now())

    async def _verifying_key(self, unverified: UnverifiedToken) -> VerificationKey:
        # The algorithm decides where the key comes from, and each key allows only its own: a public key never gets to
        # verify an HS256 token (RFC 8725, section 2.1).
        key = None
        if unverified.algorithm == SECRET_ALGORITHM:
            key = _signer(unverified, (self._secret,) if self._secret else ())
        elif unverified.algorithm in PUBLIC_KEY_ALGORITHMS and self._published is not None:
            key = await self._published_key(unverified, self._published)
        if key is None:
            raise InvalidTokenError("the token is not signed with a known key")
        return key

    async def _published_key(self, unverified: UnverifiedToken, published: PublishedKeys) -> VerificationKey | None:
        generation = published.generation
        key = _signer(unverified, await published.current())
        if key is None and (newer := await published.search(since=generation)) is not None:
            key = _signer(unverified, newer)
        return key

    def _forget_removed(self, keys: KeySet) -> None:
        self._remembered.keep_only({*keys, self._secret})


def _signer(unverified: UnverifiedToken, keys: KeySet) -> VerificationKey | None:
    candidates = (key for key in keys if _may_have_signed(key, unverified))
    return next((key for key in islice(candidates, MOST_CANDIDATES) if key.signed(unverified.text)), None)


def _may_have_signed(key: VerificationKey, unverified: UnverifiedToken) -> bool:
    # RFC 7515, section 4.1.4, and RFC 7517, section 4.5: `kid` is optional on both sides.
    same_id = key.key_id is None or unverified.key_id is None or key.key_id == unverified.key_id
    return same_id and unverified.algorithm in key.algorithms
