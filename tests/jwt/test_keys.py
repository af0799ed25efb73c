"""Which published keys are used."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jwt.algorithms import get_default_algorithms
from tests.jwt.signing import SECRET, Signer, claims, private_key, set_up, sign

from todo_api.adapters.jwt.keys import UnusableKeyError, read_key, read_key_set, secret_key
from todo_api.application.access import InvalidTokenError

GOOD = Signer("ES256", "good")


def private_jwk(algorithm: str) -> dict[str, Any]:
    jwk = get_default_algorithms()[algorithm].to_jwk(private_key(algorithm), as_dict=True)
    return {name: value for name, value in jwk.items() if name != "key_ops"} | {"kid": "bad", "alg": algorithm}


MALFORMED: list[Any] = [
    None,
    7,
    "key",
    [],
    {},
    {"kid": "bad"},
    {"kty": "EC"},
    {"kty": ["EC"], "crv": "P-256"},
    {"kty": "EC", "crv": ["P-256"]},
    {"kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA"},
    {"kty": "OKP", "crv": "Ed25519"},
    {"kty": "OKP", "crv": "Ed25519", "x": "AAAA"},
    {"kty": "OKP", "crv": "Ed25519", "x": 7},
    {"kty": "OKP", "crv": "X25519", "x": "A" * 43},
    {"kty": "OKP", "x": "A" * 43},
    {"kty": "RSA"},
    {"kty": "RSA", "n": "AAAA", "e": "AQAB"},
    {"kty": "RSA", "n": "!", "e": "AQAB"},
    {"kty": "RSA", "n": None, "e": None},
    {"kty": "AKP", "alg": "ML-DSA-44"},
    Signer("RS256", "bad").jwk(e="AQ"),
    Signer("RS256", "bad").jwk(n="_" * 11000),
    Signer("RS1024", "bad").jwk(),
    Signer("ES256").jwk(kid=7),
    Signer("ES256", "bad").jwk(crv="P-521"),
    Signer("ES256", "bad").jwk(y=Signer("ES256", number=1).jwk()["y"]),
]


@pytest.mark.parametrize("bad", MALFORMED)
async def test_malformed_keys_are_skipped(bad: object) -> None:
    with pytest.raises(UnusableKeyError):
        read_key(bad)
    for keys in ((bad, GOOD.jwk()), (GOOD.jwk(), bad)):
        await set_up(*keys).verifier.verify(GOOD.token())


@pytest.mark.parametrize(
    "changes",
    [
        {"use": "enc"},
        {"use": 7},
        {"use": ["sig"]},
        {"key_ops": ["sign"]},
        {"key_ops": "verify"},
        {"kid": 7},
        {"alg": "EdDSA"},
        {"alg": "HS256"},
        {"alg": "none"},
        {"alg": ["ES256"]},
        {"alg": ""},
        {"d": "AAAA"},
        {"k": "AAAA"},
    ],
    ids=str,
)
async def test_keys_with_another_purpose_are_skipped(changes: dict[str, Any]) -> None:
    setup = set_up(GOOD.jwk(**changes))
    with pytest.raises(InvalidTokenError):
        await setup.verifier.verify(GOOD.token())


@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256", "RS256"])
async def test_a_private_key_that_is_published_is_refused(algorithm: str) -> None:
    with pytest.raises(UnusableKeyError, match="no public key"):
        read_key(private_jwk(algorithm))


async def test_a_shared_secret_that_is_published_is_refused() -> None:
    jwk = {"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA", "kid": "key-1", "alg": "HS256"}
    token = sign("HS256", b"secret-secret-secret-secret-secret", claims(), {"kid": "key-1"})
    for setup in (set_up(jwk), set_up(jwk, secret=SECRET), set_up({**jwk, "alg": "EdDSA"})):
        with pytest.raises(InvalidTokenError):
            await setup.verifier.verify(token)


async def test_a_token_without_kid_is_tried_with_each_key_of_its_kind() -> None:
    signers = [Signer("ES256", f"key-{number}", number) for number in range(3)]
    setup = set_up(Signer("EdDSA").jwk(), *[signer.jwk() for signer in signers])
    for signer in signers:
        await setup.verifier.verify(signer.token(headers={"kid": None}))
    with pytest.raises(InvalidTokenError):
        await setup.verifier.verify(Signer("ES256", number=3).token(headers={"kid": None}))


async def test_keys_without_kid_verify_any_token_of_their_kind() -> None:
    setup = set_up(Signer("EdDSA").jwk(kid=None), GOOD.jwk(kid=None))
    await setup.verifier.verify(Signer("EdDSA", "any").token())
    await setup.verifier.verify(GOOD.token(headers={"kid": None}))


async def test_several_keys_may_have_the_same_kid() -> None:
    first, second = Signer("ES256", "same", 0), Signer("ES256", "same", 1)
    other = Signer("RS256", "same")
    setup = set_up(first.jwk(), other.jwk(), second.jwk())
    for signer in (first, second, other):
        await setup.verifier.verify(signer.token())


async def test_a_kid_selects_its_key_alone() -> None:
    setup = set_up(Signer("ES256", "a", 0).jwk(), Signer("ES256", "b", 1).jwk())
    with pytest.raises(InvalidTokenError):
        await setup.verifier.verify(Signer("ES256", "a", 1).token())


async def test_one_token_costs_at_most_8_signatures() -> None:
    others = [Signer("ES256", f"key-{number}", number).jwk() for number in range(8)]
    late = Signer("ES256", "late", 8)
    with pytest.raises(InvalidTokenError):
        await set_up(*others, late.jwk()).verifier.verify(late.token(headers={"kid": None}))
    await set_up(*others, late.jwk()).verifier.verify(late.token())
    other_kind = [Signer("EdDSA", f"key-{number}", number).jwk() for number in range(8)]
    await set_up(*other_kind, late.jwk()).verifier.verify(late.token(headers={"kid": None}))


def test_a_key_set_has_at_most_64_keys() -> None:
    assert len(read_key_set({"keys": [GOOD.jwk()] * 65})) == 64


def test_the_secret_is_not_shown() -> None:
    assert SECRET not in repr(secret_key(SECRET))


@pytest.mark.parametrize("document", [None, [], {}, "keys", {"keys": None}, {"keys": {}}, {"keys": "x"}, [GOOD.jwk()]])
def test_other_documents_are_not_key_sets(document: object) -> None:
    with pytest.raises(ValueError, match="no JWK set"):
        read_key_set(document)


VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=60) | st.lists(st.text(), max_size=2)
MEMBERS = st.dictionaries(st.sampled_from(["kty", "crv", "x", "y", "n", "e", "alg", "use", "kid", "key_ops"]), VALUES)
REAL = st.sampled_from([Signer(name).jwk() for name in ("EdDSA", "ES256", "ES512", "RS256", "PS256")])


@settings(deadline=None, max_examples=300)
@given(REAL, MEMBERS)
def test_no_key_causes_any_other_error(real: dict[str, Any], members: dict[str, Any]) -> None:
    try:
        key = read_key({**real, **members})
    except UnusableKeyError:
        return
    assert key.algorithms
