"""Read a token before its signature is verified, to find the key that verifies it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from jwt import PyJWS, PyJWTError

from todo_api.application.access import InvalidTokenError

MAX_TOKEN_LENGTH = 8192

# RFC 7515, section 7.1: three base64url parts. PyJWT also accepts padding, and an empty signature ("none" of RFC 7518).
_COMPACT_FORM = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")

# RFC 8725, section 3.11: one key may sign tokens of several types. Better Auth's JWT plugin sets none and its OAuth
# provider at+jwt (RFC 9068); its session cookie cache and its logout tokens have types of their own.
_ACCESS_TOKEN_TYPES = (None, "jwt", "at+jwt")

_JWS = PyJWS(algorithms=[])


@dataclass(frozen=True, slots=True)
class UnverifiedToken:
    """The unverified content of a token.

    Attributes:
        text: The token.
        algorithm: The header's `alg`, which is compared with a key and never chooses one (RFC 8725, section 3.1).
        key_id: The header's `kid`, if any.
        type: The header's `typ` in lower case and without `application/` (RFC 7515, section 4.1.9), if any.
        claims: The payload.
    """

    text: str
    algorithm: str
    key_id: str | None
    type: str | None
    claims: Mapping[str, Any]


def read_unverified(token: str) -> UnverifiedToken:
    """Read the header and the payload.

    The headers `jku`, `jwk`, `x5u` and `x5c` are ignored: a token must not supply its key (RFC 8725, section 3.10).

    Raises:
        InvalidTokenError: The text is not the compact form of an access token.
    """
    if len(token) > MAX_TOKEN_LENGTH:
        raise InvalidTokenError(f"the token is longer than {MAX_TOKEN_LENGTH} characters")
    if not _COMPACT_FORM.fullmatch(token):
        raise InvalidTokenError("the token is not a signed JWT")
    try:
        parts = _JWS.decode_complete(token, options={"verify_signature": False})
    except PyJWTError as error:
        raise InvalidTokenError("the token is not a signed JWT") from error
    header = parts["header"]
    # RFC 7515, section 4.1.11, and RFC 7797, section 7: PyJWT refuses all extensions but this one, which no JWT has.
    if "b64" in header:
        raise InvalidTokenError("the token uses an extension that is not supported")
    if not isinstance(header.get("alg"), str):
        raise InvalidTokenError("the token names no algorithm")
    return UnverifiedToken(token, header["alg"], header.get("kid"), _type(header), _claims(parts["payload"]))


def _type(header: Mapping[str, Any]) -> str | None:
    kind = header.get("typ")
    if isinstance(kind, str):
        kind = kind.lower().removeprefix("application/")
    if kind not in _ACCESS_TOKEN_TYPES:
        raise InvalidTokenError("the token is not an access token")
    return kind


def _claims(payload: bytes) -> Mapping[str, Any]:
    # PyJWT also accepts UTF-16, UTF-32, NaN and Infinity, which are not JSON (RFC 8259, sections 6 and 8.1).
    try:
        claims = json.loads(payload.decode(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidTokenError("the token's payload is not JSON") from error
    if not isinstance(claims, dict):
        raise InvalidTokenError("the token's payload is not a JSON object")
    return claims


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
