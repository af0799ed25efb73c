"""Better Auth's other tokens, as its sources make them, and other texts that only look like tokens."""

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.jwt.signing import (
    NOW,
    ORIGIN,
    SECRET,
    Signer,
    claims,
    encode,
    secret_token,
    secret_verifier,
    set_up,
    sign,
)

from todo_api.application.access import AuthenticationError, InvalidTokenError, Principal, VerifierUnavailableError

SIGNER = Signer("EdDSA")
SPAN = {"iat": int(NOW), "exp": int(NOW) + 3600}
SESSION = {"id": "session-1", "userId": "user-1", "token": "opaque", "expiresAt": "2027-02-01T00:00:00.000Z"}
USER = {"id": "user-1", "email": "ada@example.com", "emailVerified": True, "name": "Ada"}
CACHE = {"session": SESSION, "user": USER, "updatedAt": int(NOW * 1000), "version": "1"}


@pytest.mark.parametrize(
    "payload",
    [
        {"email": "ada@example.com"},
        {"email": "ada@example.com", "updateTo": "eve@example.com"},
        {"email": "ada@example.com", "updateTo": "e@example.com", "requestType": "change-email-confirmation"},
        {"email": "ada@example.com", "updateTo": "e@example.com", "requestType": "change-email-verification"},
        CACHE,
        {**CACHE, "sub": "user-1"},
    ],
    ids="-".join,
)
async def test_other_tokens_of_better_auths_secret_are_refused(payload: dict[str, Any]) -> None:
    with pytest.raises(InvalidTokenError):
        await secret_verifier().verify(sign("HS256", SECRET.encode(), {**payload, **SPAN}))


@pytest.mark.parametrize("everywhere", [False, True], ids=["default", "no audience configured"])
@pytest.mark.parametrize(
    ("headers", "payload"),
    [
        (
            {"typ": "better-auth.session-cache+jwt"},
            {**CACHE, "sid": "opaque", "sub": "user-1", "aud": "better-auth:session-cache"},
        ),
        ({}, {**CACHE, "sid": "opaque", "sub": "user-1"}),
        ({}, {"sub": "user-1", "aud": "client", "acr": "urn:mace:incommon:iap:bronze", "auth_time": int(NOW)}),
        ({}, {"sub": "user-1", "aud": "client", "at_hash": "AAAA"}),
        ({}, {"sub": "user-1", "aud": "client", "nonce": "n"}),
        ({"typ": "logout+jwt"}, {"sub": "user-1", "sid": "session-1", "jti": "1"}),
        ({}, {"sub": "user-1", "events": {"http://schemas.openid.net/event/backchannel-logout": {}}}),
        ({"typ": "at+jwt"}, {"sub": "user-1", "scope": "tasks:read", "cnf": {"jkt": "AAAA"}}),
    ],
    ids=["cookie cache", "its shape", "ID token", "at_hash", "nonce", "logout token", "its shape", "bound to a key"],
)
async def test_other_tokens_of_better_auths_keys_are_refused(
    headers: dict[str, str], payload: dict[str, Any], *, everywhere: bool
) -> None:
    config: dict[str, Any] = {"issuers": frozenset(), "audiences": frozenset()} if everywhere else {}
    token = sign(
        "EdDSA", SIGNER.private, {"iss": ORIGIN, "aud": ORIGIN, **payload, **SPAN}, {"kid": "key-1", **headers}
    )
    with pytest.raises(InvalidTokenError):
        await set_up(SIGNER.jwk(), **config).verifier.verify(token)


@pytest.mark.parametrize("kind", [None, "JWT", "jwt", "application/jwt", "at+jwt", "AT+JWT", "application/at+jwt"])
async def test_types_of_access_tokens_are_accepted(kind: str | None) -> None:
    await secret_verifier().verify(secret_token(headers={"typ": kind}))


@pytest.mark.parametrize(
    "kind",
    [
        "",
        "better-auth.session-cache+jwt",
        "logout+jwt",
        "id+jwt",
        "dpop+jwt",
        "secevent+jwt",
        "JOSE",
        "x",
        7,
        True,
        ["jwt"],
        {},
    ],
)
async def test_other_types_are_refused(kind: object) -> None:
    with pytest.raises(InvalidTokenError):
        await secret_verifier().verify(secret_token(headers={"typ": kind}))


async def test_an_oauth_access_token_may_repeat_claims_of_an_id_token() -> None:
    token = SIGNER.token({"acr": "0", "nonce": "n", "scope": "tasks:read"}, {"typ": "at+jwt"})
    assert (await set_up(SIGNER.jwk()).verifier.verify(token)).scopes == frozenset({"tasks:read"})


async def test_a_custom_payload_may_contain_the_session() -> None:
    await secret_verifier().verify(secret_token({"session": SESSION, "user": USER}))


@pytest.mark.parametrize(
    "extension", [{"crit": ["exp"]}, {"crit": ["b64"], "b64": True}, {"crit": []}, {"b64": False}, {"b64": True}]
)
async def test_extensions_are_refused(extension: dict[str, Any]) -> None:
    with pytest.raises(InvalidTokenError):
        await secret_verifier().verify(secret_token(headers=extension))


JWE = ".".join([encode('{"alg":"dir","enc":"A256CBC-HS512","kid":"AAAA"}'), "", "AAAA", "AAAA", "AAAA"])
GOOD = secret_token()
HEADER, PAYLOAD, SIGNATURE = GOOD.split(".")


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "...",
        "x",
        "Bearer " + GOOD,
        "XyZ0123456789abcdefghijklmnopqrs",
        "XyZ0123456789abcdefghijklmnopqrs.c2lnbmF0dXJlLW9mLXRoZS1jb29raWU%3D",
        JWE,
        f"{HEADER}.{PAYLOAD}",
        f"{HEADER}.{PAYLOAD}.",
        f"{HEADER}..{SIGNATURE}",
        f"{GOOD}.",
        f"{GOOD}=",
        f" {GOOD}",
        f"{GOOD}\n",
        f"{GOOD}\0",
        f"{HEADER}.{PAYLOAD}.é",
        f"{HEADER}.{PAYLOAD}.\ud800",
        f"{HEADER}.{PAYLOAD}.{SIGNATURE}A",
        f"{encode('[]')}.{PAYLOAD}.{SIGNATURE}",
        f"{encode('[' * 3000)}.{PAYLOAD}.{SIGNATURE}",
        f"{encode(chr(0xFF).encode('latin-1'))}.{PAYLOAD}.{SIGNATURE}",
    ],
)
async def test_malformed_tokens_are_invalid(text: str) -> None:
    with pytest.raises(InvalidTokenError):
        await secret_verifier().verify(text)


NAN = '{"sub":"user-1","exp":1800000900,"x":NaN}'


@pytest.mark.parametrize("payload", ["", "[]", "7", "null", '"sub"', "{", "[" * 3000, b"\xff", NAN])
async def test_a_signed_malformed_payload_is_invalid(payload: str | bytes) -> None:
    with pytest.raises(InvalidTokenError):
        await secret_verifier().verify(sign("HS256", SECRET.encode(), payload))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
async def test_a_payload_is_utf_8(encoding: str) -> None:
    with pytest.raises(InvalidTokenError):
        await secret_verifier().verify(sign("HS256", SECRET.encode(), json.dumps(claims()).encode(encoding)))


async def test_a_token_has_at_most_8192_characters() -> None:
    tokens = {len(token): token for token in (secret_token({"x": "x" * size}) for size in range(5700, 5900))}
    await secret_verifier().verify(tokens[max(size for size in tokens if size <= 8192)])
    with pytest.raises(InvalidTokenError, match="longer"):
        await secret_verifier().verify(tokens[min(size for size in tokens if size > 8192)])


@pytest.mark.parametrize("key_id", [7, True, ["key-1"], {}])
async def test_a_key_id_is_a_string(key_id: object) -> None:
    with pytest.raises(InvalidTokenError):
        await set_up(SIGNER.jwk()).verifier.verify(SIGNER.token(headers={"kid": key_id}))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
CLAIMS = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("iat", "nbf", "scope", "session", "user", "updatedAt", "cnf", "events", "nonce"), JSON),
        "sub": st.text() | st.text(min_size=250, max_size=260) | JSON,
        "exp": st.just(NOW + 900) | JSON,
        "iss": st.just(ORIGIN) | JSON,
        "aud": st.just(ORIGIN) | JSON,
    },
)
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "alg": st.sampled_from(["EdDSA", "HS256", "none", "RS256"]) | JSON,
        "kid": st.just("key-1") | JSON,
        **dict.fromkeys(("typ", "crit", "b64", "jwk", "x5c", "zip"), JSON),
    },
)


async def only_the_ports_errors(token: str) -> None:
    setup = set_up(SIGNER.jwk(), Signer("ES256", "key-1").jwk(), secret=SECRET)
    try:
        principal = await setup.verifier.verify(token)
    except (AuthenticationError, VerifierUnavailableError):
        return
    assert isinstance(principal, Principal)
    assert 1 <= len(principal.user_id.encode()) <= 1020
    assert "\0" not in principal.user_id


@settings(deadline=None, max_examples=150)
@given(payload=CLAIMS, headers=HEADERS, by_secret=st.booleans())
async def test_no_signed_token_causes_any_other_error(
    payload: dict[str, Any], headers: dict[str, Any], *, by_secret: bool
) -> None:
    algorithm, key = ("HS256", SECRET.encode()) if by_secret else ("EdDSA", SIGNER.private)
    await only_the_ports_errors(sign(algorithm, key, payload, {"kid": "key-1", **headers}))


@settings(deadline=None, max_examples=150)
@given(st.text() | st.text(alphabet="AQ._-=") | st.lists(st.binary().map(encode), max_size=4).map(".".join))
@example(f"{encode(json.dumps({'alg': 'ES256', 'kid': 'key-1'}))}.{PAYLOAD}.AAAA")
async def test_no_text_causes_any_other_error(text: str) -> None:
    await only_the_ports_errors(text)


@settings(deadline=None, max_examples=100)
@given(JSON, st.sampled_from(["EdDSA", "ES256", "ES512", "RS256", "PS256"]), st.binary(max_size=600))
async def test_no_signature_causes_any_other_error(payload: object, algorithm: str, signature: bytes) -> None:
    header = encode(json.dumps({"alg": algorithm, "kid": "key-1"}))
    body = encode(json.dumps(payload if isinstance(payload, dict) else claims()))
    setup = set_up(*[Signer(name).jwk() for name in ("EdDSA", "ES256", "ES512", "RS256", "PS256")])
    with pytest.raises(AuthenticationError):
        await setup.verifier.verify(f"{header}.{body}.{encode(signature)}")
