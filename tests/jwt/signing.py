"""Real keys, real tokens and a key set to publish, for the tests of the verifier."""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import httpx2
import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from jwt.algorithms import get_default_algorithms

from todo_api.adapters.jwt import JwtConfig, JwtTokenVerifier

ORIGIN = "http://localhost:3000"
SECRET = "a-secret-of-more-than-thirty-two-characters"
NOW = 1_800_000_000.0

JsonObject = dict[str, Any]

_KEYS: dict[str, Callable[[], Any]] = {
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
    "Ed448": ed448.Ed448PrivateKey.generate,
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ES384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "ES256K": lambda: ec.generate_private_key(ec.SECP256K1()),
    "ES512": lambda: ec.generate_private_key(ec.SECP521R1()),
    "RS256": lambda: rsa.generate_private_key(65537, 2048),
    "RS1024": lambda: rsa.generate_private_key(65537, 1024),
}
_SAME_KEY = {"PS256": "RS256", "RS384": "RS256"}


def private_key(kind: str, number: int = 0) -> Any:
    """One key per kind and number for the whole run; algorithms that can share a key do."""
    return _made(_SAME_KEY.get(kind, kind), number)


@cache
def _made(kind: str, _: int) -> Any:
    return _KEYS[kind]()


@dataclass(frozen=True)
class Signer:
    algorithm: str
    key_id: str | None = "key-1"
    number: int = 0

    @property
    def private(self) -> Any:
        return private_key(self.algorithm, self.number)

    def jwk(self, **changes: Any) -> JsonObject:
        """The public key as Better Auth publishes it; a change to None removes a member."""
        algorithm = {"Ed448": "EdDSA", "RS1024": "RS256"}.get(self.algorithm, self.algorithm)
        handler = get_default_algorithms()[algorithm]
        public = json.loads(handler.to_jwk(self.private.public_key()))
        for member in ("use", "key_ops", "alg"):
            public.pop(member, None)
        members = {**public, "alg": algorithm, "kid": self.key_id, **changes}
        return {name: value for name, value in members.items() if value is not None}

    def token(self, changes: Mapping[str, Any] | None = None, headers: Mapping[str, Any] | None = None) -> str:
        algorithm = {"Ed448": "EdDSA", "RS1024": "RS256"}.get(self.algorithm, self.algorithm)
        return sign(algorithm, self.private, claims(changes), {"kid": self.key_id, **(headers or {})})


def claims(changes: Mapping[str, Any] | None = None) -> JsonObject:
    """Return the JWT plugin's default claims: the user, and the registered claims. A change to None removes a claim."""
    members = {
        "iat": int(NOW),
        "name": "Ada",
        "email": "ada@example.com",
        "emailVerified": True,
        "createdAt": "2026-01-01T00:00:00.000Z",
        "updatedAt": "2026-01-01T00:00:00.000Z",
        "id": "user-1",
        "sub": "user-1",
        "exp": int(NOW) + 900,
        "iss": ORIGIN,
        "aud": ORIGIN,
        **(changes or {}),
    }
    return {name: value for name, value in members.items() if value is not None}


def sign(algorithm: str, key: Any, payload: Any, headers: Mapping[str, Any] | None = None) -> str:
    """Sign any content; headers that are None are removed, like the `typ` that PyJWT would add."""
    members = {"alg": algorithm, **(headers or {})}
    header = encode(json.dumps({name: value for name, value in members.items() if value is not None}))
    body = encode(payload if isinstance(payload, str | bytes) else json.dumps(payload))
    return f"{header}.{body}.{encode(raw_signature(algorithm, key, f'{header}.{body}'))}"


def raw_signature(algorithm: str, key: Any, signing_input: str) -> bytes:
    if algorithm == "none":
        return b""
    return bytes(get_default_algorithms()[algorithm].sign(signing_input.encode(), key))


def secret_token(changes: Mapping[str, Any] | None = None, headers: Mapping[str, Any] | None = None) -> str:
    """A token as a front end signs it with the shared secret: no issuer, no audience, unless the changes say so."""
    return sign("HS256", SECRET.encode(), claims({"iss": None, "aud": None, **(changes or {})}), headers)


def encode(text: str | bytes) -> str:
    raw = text.encode() if isinstance(text, str) else text
    return jwt.utils.base64url_encode(raw).decode()


@dataclass
class Clock:
    """A clock that only advances when a test advances it."""

    at: float = NOW

    def __call__(self) -> float:
        return self.at

    def pass_by(self, seconds: float) -> None:
        self.at += seconds


def response(body: str | bytes, *, status: int = 200, headers: Mapping[str, str] | None = None) -> httpx2.Response:
    """Return a streamed response, as from a network."""

    async def stream() -> AsyncIterator[bytes]:
        yield body.encode() if isinstance(body, str) else body

    return httpx2.Response(status, headers=headers, content=stream())


@dataclass
class Issuer:
    """The issuer: publishes keys, counts requests, and fails on demand."""

    keys: list[Any] = field(default_factory=list)
    response: Callable[[], httpx2.Response] | None = None
    hold: Callable[[], Any] | None = None
    requests: list[httpx2.Request] = field(default_factory=list)

    async def respond(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        if self.hold is not None:
            await self.hold()
        if self.response is not None:
            return self.response()
        return response(json.dumps({"keys": self.keys}))

    @property
    def asked(self) -> int:
        return len(self.requests)

    def break_down(self) -> None:
        self.response = lambda: response("<h1>Internal Server Error</h1>", status=500)

    def recover(self) -> None:
        self.response = None


@dataclass
class Setup:
    """A verifier of published keys, with its clocks and the issuer that it asks."""

    issuer: Issuer
    verifier: JwtTokenVerifier
    now: Clock
    clock: Clock

    def pass_by(self, seconds: float) -> None:
        self.now.pass_by(seconds)
        self.clock.pass_by(seconds)


def set_up(*keys: Any, **config: Any) -> Setup:
    """Return a verifier for the default set-up of Better Auth; the arguments replace parts of its configuration."""
    issuer, now, clock = Issuer(list(keys)), Clock(), Clock(1000.0)
    defaults = {
        "jwks_url": f"{ORIGIN}/api/auth/jwks",
        "issuers": frozenset({ORIGIN}),
        "audiences": frozenset({ORIGIN}),
    }
    verifier = JwtTokenVerifier(
        JwtConfig(**{**defaults, **config}),
        now=now,
        clock=clock,
        transport=httpx2.MockTransport(issuer.respond),
    )
    return Setup(issuer, verifier, now, clock)


def secret_verifier(**config: Any) -> JwtTokenVerifier:
    """Return a verifier of only shared-secret tokens."""
    return JwtTokenVerifier(JwtConfig(**{"secret": SECRET, **config}), now=Clock())
