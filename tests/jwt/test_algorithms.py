"""Which key may verify which token."""

import hmac
import json
from itertools import permutations
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt import PyJWK
from tests.jwt.signing import (
    ORIGIN,
    SECRET,
    Signer,
    claims,
    encode,
    private_key,
    raw_signature,
    secret_token,
    secret_verifier,
    set_up,
    sign,
)

from todo_api.adapters.jwt import JwtConfig, JwtTokenVerifier
from todo_api.application.access import InvalidTokenError, VerifierUnavailableError

ALGORITHMS = ["EdDSA", "ES256", "ES512", "RS256", "PS256"]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("changes", [{}, {"alg": None}, {"alg": None, "use": "sig"}, {"key_ops": ["verify"]}], ids=str)
async def test_each_algorithm_works_with_its_kind_of_key(algorithm: str, changes: dict[str, Any]) -> None:
    signer = Signer(algorithm)
    setup = set_up(signer.jwk(**changes))
    principal = await setup.verifier.verify(signer.token())
    assert (principal.user_id, principal.scopes, principal.expires_at) == ("user-1", None, claims()["exp"])


@pytest.mark.parametrize("algorithm", ["RS256", "PS256"])
@pytest.mark.parametrize("curve", ["Ed25519", "P-256", "", 7])
async def test_the_curve_of_an_rsa_key_is_ignored(algorithm: str, curve: object) -> None:
    signer = Signer(algorithm)
    await set_up(signer.jwk(crv=curve)).verifier.verify(signer.token())


@pytest.mark.parametrize(("named", "used"), [("RS256", "PS256"), ("PS256", "RS256")])
async def test_an_rsa_key_with_an_algorithm_is_used_with_no_other(named: str, used: str) -> None:
    setup = set_up(Signer(named).jwk())
    await setup.verifier.verify(Signer(named).token())
    with pytest.raises(InvalidTokenError):
        await setup.verifier.verify(Signer(used).token())


@pytest.mark.parametrize(
    ("algorithm", "curve_or_size"),
    [("Ed448", "EdDSA"), ("ES384", "ES384"), ("ES256K", "ES256K"), ("RS1024", "RS256"), ("RS384", "RS384")],
)
@pytest.mark.parametrize("with_algorithm", [True, False])
async def test_other_algorithms_curves_and_sizes_are_refused(
    algorithm: str, curve_or_size: str, *, with_algorithm: bool
) -> None:
    signer = Signer(algorithm)
    jwk = signer.jwk(**({} if with_algorithm else {"alg": None}))
    token = sign(curve_or_size, signer.private, claims(), {"kid": "key-1"})
    with pytest.raises(InvalidTokenError):
        await set_up(jwk).verifier.verify(token)


@pytest.mark.parametrize(("algorithm", "other"), [*permutations(ALGORITHMS, 2)])
async def test_the_header_alone_never_chooses_the_algorithm(algorithm: str, other: str) -> None:
    signer = Signer(algorithm)
    setup = set_up(signer.jwk())
    forged = sign(other, Signer(other).private, claims(), {"kid": "key-1"})
    renamed = relabelled(signer, other)
    for token in (forged, renamed):
        with pytest.raises(InvalidTokenError):
            await setup.verifier.verify(token)


def relabelled(signer: Signer, algorithm: str) -> str:
    signing_input = f"{encode(json.dumps({'alg': algorithm, 'kid': 'key-1'}))}.{encode(json.dumps(claims()))}"
    return f"{signing_input}.{encode(raw_signature(signer.algorithm, signer.private, signing_input))}"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_a_public_key_never_serves_as_a_shared_secret(algorithm: str) -> None:
    signer = Signer(algorithm)
    public = PyJWK(signer.jwk()).key
    spellings = [
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        json.dumps(signer.jwk()).encode(),
    ]
    for both in (set_up(signer.jwk()), set_up(signer.jwk(), secret=SECRET)):
        for spelling in spellings:
            header = encode(json.dumps({"alg": "HS256", "kid": "key-1"}))
            signing_input = f"{header}.{encode(json.dumps(claims()))}"
            signature = hmac.digest(spelling, signing_input.encode(), "sha256")
            with pytest.raises(InvalidTokenError):
                await both.verifier.verify(f"{signing_input}.{encode(signature)}")


async def test_a_shared_secret_verifies_hs256_and_nothing_else() -> None:
    verifier = secret_verifier()
    assert (await verifier.verify(secret_token())).user_id == "user-1"
    for algorithm in ("HS384", "HS512"):
        with pytest.raises(InvalidTokenError):
            await verifier.verify(sign(algorithm, SECRET.encode(), claims()))
    with pytest.raises(InvalidTokenError):
        await verifier.verify(sign("HS256", b"another secret of more than 32 characters", claims()))


async def test_both_set_ups_work_together() -> None:
    signer = Signer("EdDSA")
    setup = set_up(signer.jwk(), secret=SECRET)
    await setup.verifier.verify(signer.token())
    await setup.verifier.verify(secret_token())
    await setup.verifier.verify(secret_token({"iss": ORIGIN, "aud": ORIGIN}))


async def test_tokens_of_the_other_set_up_are_refused_without_a_fetch() -> None:
    setup = set_up(Signer("EdDSA").jwk())
    setup.issuer.break_down()
    with pytest.raises(InvalidTokenError):
        await setup.verifier.verify(secret_token({"iss": ORIGIN, "aud": ORIGIN}))
    assert setup.issuer.asked == 0
    with pytest.raises(InvalidTokenError):
        await secret_verifier().verify(Signer("EdDSA").token())


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", "", "HS384", "RS512", None, 7, ["EdDSA"], {}])
async def test_other_algorithms_are_refused_without_a_fetch(algorithm: object) -> None:
    setup = set_up(secret=SECRET)
    setup.issuer.break_down()
    token = sign("HS256", SECRET.encode(), claims(), {"alg": algorithm})
    with pytest.raises(InvalidTokenError):
        await setup.verifier.verify(token)
    with pytest.raises(InvalidTokenError):
        await setup.verifier.verify(token.rpartition(".")[0] + ".")
    assert setup.issuer.asked == 0


async def test_a_key_in_the_token_is_ignored() -> None:
    mine, theirs = Signer("EdDSA"), Signer("EdDSA", "key-1", number=1)
    setup = set_up(mine.jwk())
    headers = {"jwk": theirs.jwk(), "jku": "http://evil.example/jwks", "x5u": "http://evil.example/x", "x5c": ["AAAA"]}
    with pytest.raises(InvalidTokenError):
        await setup.verifier.verify(theirs.token(headers=headers))
    assert {str(request.url) for request in setup.issuer.requests} == {f"{ORIGIN}/api/auth/jwks"}
    await setup.verifier.verify(mine.token(headers=headers))


async def test_a_changed_signature_or_payload_is_refused() -> None:
    signer = Signer("ES256")
    setup = set_up(signer.jwk())
    header, payload, signature = signer.token().split(".")
    other = encode(json.dumps(claims({"sub": "user-2"})))
    for token in (
        f"{header}.{other}.{signature}",
        f"{header}.{payload}.{signature[:-4]}AAAA",
        f"{header}.{payload}.AA",
    ):
        with pytest.raises(InvalidTokenError):
            await setup.verifier.verify(token)


def test_a_public_key_is_refused_as_the_secret() -> None:
    pem = private_key("RS256").public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    with pytest.raises(ValueError, match="form of a key"):
        JwtTokenVerifier(JwtConfig(secret=pem))


@pytest.mark.parametrize("config", [{}, {"secret": "x" * 31}])
def test_an_unsafe_configuration_is_refused(config: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="secret"):
        JwtConfig(**config)  # type: ignore[arg-type]


def test_the_secret_is_not_shown() -> None:
    assert SECRET not in repr(JwtConfig(secret=SECRET))


async def test_tokens_are_not_invalid_while_the_keys_are_unavailable() -> None:
    setup = set_up()
    setup.issuer.break_down()
    with pytest.raises(VerifierUnavailableError):
        await setup.verifier.verify(Signer("EdDSA").token())
