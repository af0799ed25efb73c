"""Taking a token apart, before anything in it may be believed."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from jwt import PyJWS, PyJWTError

from todo_api.application.access import InvalidTokenError

LONGEST_TOKEN = 8192

# RFC 7515, section 7.1: three base64url parts without padding. An empty signature is RFC 7518's "none" (section 3.6).
_COMPACT_FORM = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")

# RFC 8725, section 3.11: the type keeps kinds of tokens apart that one key signs. Better Auth's JWT plugin writes none,
# its OAuth provider at+jwt (RFC 9068); its session cookie cache and its logout tokens have types of their own.
_ACCESS_TOKEN_TYPES = frozenset({None, "jwt", "at+jwt"})

_JWS = PyJWS(algorithms=[])


@dataclass(frozen=True, slots=True)
class UnverifiedToken:
    """What a token says of itself.

    Attributes:
        text: The token.
        algorithm: The header's `alg`: a claim to be held against a key, never a choice (RFC 8725, section 3.1).
        key_id: The header's `kid`, if any.
        type: The header's `typ` in lower case and without `application/` (RFC 7515, section 4.1.9), if any.
        claims: The payload.
    """

    text: str
    algorithm: str
    key_id: str | None
    type: str | None
    claims: Mapping[str, Any]


def take_apart(token: str) -> UnverifiedToken:
    """Return what the token says of itself, or raise InvalidTokenError if it is no access token in form.

    The headers `jku`, `jwk`, `x5u` and `x5c` are not looked at: no token brings its own key (RFC 8725, section 3.10).
    """
    if len(token) > LONGEST_TOKEN:
        raise InvalidTokenError(f"the token is longer than {LONGEST_TOKEN} characters")
    if not _COMPACT_FORM.fullmatch(token):
        raise InvalidTokenError("the token is no signed JWT")
    header, payload = _decode(token)
    _refuse_extensions(header)
    algorithm = header.get("alg")
    if not isinstance(algorithm, str):
        raise InvalidTokenError("the token names no algorithm")
    return UnverifiedToken(token, algorithm, header.get("kid"), _type(header), _claims(payload))


def _decode(token: str) -> tuple[Mapping[str, Any], bytes]:
    try:
        parts = _JWS.decode_complete(token, options={"verify_signature": False, "enforce_minimum_key_length": True})
    except PyJWTError as error:
        raise InvalidTokenError("the token is no signed JWT") from error
    return parts["header"], parts["payload"]


def _refuse_extensions(header: Mapping[str, Any]) -> None:
    # RFC 7515, section 4.1.11: what is critical and not understood makes a token invalid. The one extension that PyJWT
    # understands, and so lets pass, is "b64"; a JWT's payload is always encoded (RFC 7797, section 7).
    if "b64" in header:
        raise InvalidTokenError("the token asks for extensions that are not supported")


def _type(header: Mapping[str, Any]) -> str | None:
    kind = header.get("typ")
    if isinstance(kind, str):
        kind = kind.lower().removeprefix("application/")
    if not (kind is None or isinstance(kind, str)) or kind not in _ACCESS_TOKEN_TYPES:
        raise InvalidTokenError("the token is not of a type that gives access")
    return kind


def _claims(payload: bytes) -> Mapping[str, Any]:
    try:
        claims = json.loads(payload.decode(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidTokenError("the token's payload is no JSON") from error
    if not isinstance(claims, dict):
        raise InvalidTokenError("the token's payload is no JSON object")
    return claims


def _refuse_constant(name: str) -> NoReturn:
    # RFC 8259, section 6, has no NaN and no Infinity; Python's parser takes them.
    raise ValueError(f"{name} is no JSON")
