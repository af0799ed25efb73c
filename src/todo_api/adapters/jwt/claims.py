"""From a token's claims to the principal that they describe."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from todo_api.application.access import InvalidTokenError, PrematureTokenError, Principal

LEEWAY = 30.0
LONGEST_SUBJECT = 255

# The end of the year 9999 in seconds. A later date is one in milliseconds, which would make a token last for ever.
_LATEST_DATE = 253_402_300_799

# Claims that only an ID token has (OpenID Connect Core, sections 2 and 3.1.3.6): it tells a client who signed in and
# gives no access. An RFC 9068 access token may repeat them, and has a type to be told by.
_ID_TOKEN_CLAIMS = frozenset({"acr", "at_hash", "c_hash", "nonce"})


@dataclass(frozen=True, slots=True)
class ClaimRules:
    """What a token must say; see JwtConfig."""

    issuers: frozenset[str]
    audiences: frozenset[str]

    @classmethod
    def of(cls, issuers: Iterable[str], audiences: Iterable[str]) -> "ClaimRules":
        """Return the rules, made indifferent to trailing slashes."""
        return cls(frozenset(map(_bare, issuers)), frozenset(map(_bare, audiences)))

    def check(self, claims: Mapping[str, Any], *, required: bool) -> None:
        """Raise InvalidTokenError unless issuer and audience are acceptable (RFC 7519, sections 4.1.1 and 4.1.3).

        Without `required`, a token may leave them out, and is held to what it says.
        """
        if self.issuers and (required or "iss" in claims):
            _require(_matches([claims.get("iss")], self.issuers), "the token is of another issuer")
        if self.audiences and (required or "aud" in claims):
            audience = claims.get("aud")
            named = audience if isinstance(audience, list) else [audience]
            _require(_matches(named, self.audiences), "the token is for another audience")


def read_principal(claims: Mapping[str, Any], kind: str | None, now: float) -> Principal:
    """Return who the claims speak for; that they have ended is for the caller to judge.

    Args:
        claims: The payload.
        kind: The token's type.
        now: The time, in seconds since the epoch.

    Raises:
        PrematureTokenError: The token is not valid yet.
        InvalidTokenError: A claim is missing or malformed, or the token is meant for something else.
    """
    _refuse_other_purposes(claims, kind)
    _check_start(claims, now)
    return Principal(_subject(claims), _scopes(claims), _date(claims, "exp"))


def _bare(name: str) -> str:
    return name.rstrip("/")


def _require(condition: bool, message: str) -> None:  # noqa: FBT001 - reads like assert
    if not condition:
        raise InvalidTokenError(message)


def _matches(named: list[Any], accepted: frozenset[str]) -> bool:
    return all(isinstance(name, str) for name in named) and not accepted.isdisjoint(map(_bare, named))


def _refuse_other_purposes(claims: Mapping[str, Any], kind: str | None) -> None:
    # Better Auth's e-mail tokens need no rule: they have no subject.
    _require("cnf" not in claims, "the token is bound to a key, and cannot be used as a bearer token")  # RFC 9449, 7.2
    _require("events" not in claims, "the token reports events, and gives no access")  # RFC 8417: logout tokens
    _require(kind == "at+jwt" or _ID_TOKEN_CLAIMS.isdisjoint(claims), "the token is an ID token, and gives no access")
    _require(not _is_session_cache(claims), "the token is a session cookie, and gives no access")


def _is_session_cache(claims: Mapping[str, Any]) -> bool:
    # The shape of Better Auth's cookie cache. A payload that the front end defines may have a session or a user in it;
    # a number as the time of the update is the cache's own.
    cached = (claims.get("session"), claims.get("user"))
    return all(isinstance(part, dict) for part in cached) and isinstance(claims.get("updatedAt"), int | float)


def _check_start(claims: Mapping[str, Any], now: float) -> None:
    # RFC 7519, section 4.1.6, gives no reason to refuse a token for when it was issued, but only numbers are dates.
    if "iat" in claims:
        _date(claims, "iat")
    if "nbf" in claims and _date(claims, "nbf") > now + LEEWAY:
        raise PrematureTokenError("the token is not valid yet")


def _subject(claims: Mapping[str, Any]) -> str:
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 1 <= len(subject) <= LONGEST_SUBJECT:
        raise InvalidTokenError(f"the token's subject is no string of 1 to {LONGEST_SUBJECT} characters")
    # PostgreSQL stores neither NUL nor half of a surrogate pair.
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
    # RFC 7519, section 2: a NumericDate is a number of seconds, and may have a fraction. To Python, True is a number.
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _LATEST_DATE:
        raise InvalidTokenError(f"the token's {name} is missing or no time in seconds")
    return float(value)
