"""The claims that PyJWT does not check, and the principal that they describe."""

from collections.abc import Mapping
from typing import Any

from todo_api.application.access import InvalidTokenError, PrematureTokenError, Principal

LEEWAY = 30.0  # seconds
MAX_SUBJECT_LENGTH = 255

# The end of the year 9999 in seconds. A later date is in milliseconds, and the token would never expire.
_MAX_DATE = 253_402_300_799

# Claims of ID tokens (OpenID Connect Core, sections 2 and 3.1.3.6), which describe a sign-in to a client and give
# no access. RFC 9068 access tokens may repeat them, and are recognized by their type.
_ID_TOKEN_CLAIMS = frozenset({"acr", "at_hash", "c_hash", "nonce"})


def read_principal(claims: Mapping[str, Any], kind: str | None, now: float) -> Principal:
    """Return the principal of a token. Expiry is not checked.

    Args:
        claims: The payload.
        kind: The token's type.
        now: Seconds since 1970.

    Raises:
        PrematureTokenError: The token is not valid yet.
        InvalidTokenError: A claim is missing or malformed, or the token has another purpose.
    """
    _refuse_other_purposes(claims, kind)
    # PyJWT accepts "1800000900", true and milliseconds as dates, drops fractions, and refuses an `iat` in the future,
    # for which RFC 7519, section 4.1.6, gives no reason.
    if "iat" in claims:
        _date(claims, "iat")
    if "nbf" in claims and _date(claims, "nbf") > now + LEEWAY:
        raise PrematureTokenError("the token is not valid yet")
    return Principal(_subject(claims), _scopes(claims), _date(claims, "exp"))


def _require(condition: bool, message: str) -> None:  # noqa: FBT001 - reads like assert
    if not condition:
        raise InvalidTokenError(message)


def _refuse_other_purposes(claims: Mapping[str, Any], kind: str | None) -> None:
    # Better Auth's e-mail tokens need no rule: they have no subject.
    _require("cnf" not in claims, "the token is bound to a key, and is not a bearer token")  # RFC 9449, 7.2
    _require("events" not in claims, "the token reports events, and gives no access")  # RFC 8417: logout tokens
    _require(kind == "at+jwt" or _ID_TOKEN_CLAIMS.isdisjoint(claims), "the token is an ID token, and gives no access")
    _require(not _is_session_cache(claims), "the token is a session cookie, and gives no access")


def _is_session_cache(claims: Mapping[str, Any]) -> bool:
    # The shape of Better Auth's cookie cache. The front end may define a payload with a session or a user in it; only
    # the cache has a number as the time of its update.
    cached = (claims.get("session"), claims.get("user"))
    return all(isinstance(part, dict) for part in cached) and isinstance(claims.get("updatedAt"), int | float)


def _subject(claims: Mapping[str, Any]) -> str:
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 1 <= len(subject) <= MAX_SUBJECT_LENGTH:
        raise InvalidTokenError(f"the token's subject is not a string of 1 to {MAX_SUBJECT_LENGTH} characters")
    # PostgreSQL stores neither NUL nor lone surrogates.
    _require("\0" not in subject and not any("\ud800" <= char <= "\udfff" for char in subject), "malformed subject")
    return subject


def _scopes(claims: Mapping[str, Any]) -> frozenset[str] | None:
    if "scope" not in claims:
        return None
    scope = claims["scope"]
    named = scope.split(" ") if isinstance(scope, str) else scope  # RFC 8693, section 4.2
    if not isinstance(named, list) or not all(isinstance(name, str) for name in named):
        raise InvalidTokenError("the token's scope is neither a string nor a list of strings")
    return frozenset(filter(None, named))


def _date(claims: Mapping[str, Any], name: str) -> float:
    # RFC 7519, section 2: a NumericDate is a number of seconds, and may have a fraction. In Python, True is a number.
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _MAX_DATE:
        raise InvalidTokenError(f"the token's {name} is missing or not a time in seconds")
    return float(value)
