"""The verifier: for any input, it returns the caller or raises an error of its port, and accepts no forgery."""

import hmac
import json
from itertools import permutations

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.fuzz.strategies import any_text, deep, fuzzed, literals, mutated, objects
from tests.jwt.signing import NOW, ORIGIN, SECRET, Setup, Signer, claims, encode, private_key, raw_signature, set_up

from todo_api.application.access import AuthenticationError, InvalidTokenError, Principal

PUBLISHED = [Signer(name, key_id=name) for name in ("EdDSA", "ES256", "ES512", "RS256", "PS256")]
ALGORITHMS = ["HS256", *(signer.algorithm for signer in PUBLISHED)]
ALL_ALGORITHMS = [*ALGORITHMS, "none", "None", "HS384", "HS512", "RS384", "ES384", "ES256K", "A128KW", "dir", ""]
HEADER = {"alg": "HS256", "typ": "JWT", "kid": "EdDSA"}
PAYLOAD = claims()


def setup() -> Setup:
    return set_up(*(signer.jwk() for signer in PUBLISHED), secret=SECRET)


def signed(algorithm: str, header: bytes, payload: bytes) -> str:
    """Return a token with any content, signed with the key of the algorithm."""
    key = SECRET.encode() if algorithm == "HS256" else private_key(algorithm)
    text = f"{encode(header)}.{encode(payload)}"
    return f"{text}.{encode(raw_signature(algorithm, key, text))}"


def good(algorithm: str, user: str = "user-1") -> str:
    header = {"alg": algorithm, "typ": "JWT", "kid": None if algorithm == "HS256" else algorithm}
    payload = _json({**PAYLOAD, "sub": user})
    return signed(algorithm, _json({name: value for name, value in header.items() if value}), payload)


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


async def refused(token: str) -> None:
    with pytest.raises(AuthenticationError):
        await setup().verifier.verify(token)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_the_tokens_of_these_tests_are_valid(algorithm: str) -> None:
    assert (await setup().verifier.verify(good(algorithm))).user_id == "user-1"


@given(text=any_text | st.text("AQgw-_=.") | st.lists(st.binary().map(encode), max_size=5).map(".".join))
@fuzzed
async def test_random_text_is_not_a_token(text: str) -> None:
    await refused(text)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@given(data=st.data())
@fuzzed
async def test_damaged_tokens_are_refused(algorithm: str, data: st.DataObject) -> None:
    token = good(algorithm)
    await refused(data.draw(mutated(token.encode())).decode("latin-1"))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("part", [0, 1, 2])
@given(data=st.data())
@fuzzed
async def test_changed_parts_are_refused(algorithm: str, part: int, data: st.DataObject) -> None:
    parts = good(algorithm).split(".")
    parts[part] = encode(data.draw(mutated(jwt.utils.base64url_decode(parts[part]))))
    await refused(".".join(parts))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_other_base64_spellings_are_refused(algorithm: str) -> None:
    """Base64 has several spellings for the same bytes if the last character encodes less than six bits."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    token = good(algorithm)
    parts = token.split(".")
    for part in range(3):
        for last in alphabet:
            spelt = [*parts[:part], parts[part][:-1] + last, *parts[part + 1 :]]
            if spelt != parts:
                await refused(".".join(spelt))


@given(parts=st.tuples(*[st.tuples(st.sampled_from(ALGORITHMS), st.integers(0, 2))] * 3))
@fuzzed
async def test_combined_parts_of_tokens_are_refused(parts: tuple[tuple[str, int], ...]) -> None:
    assume(len({algorithm for algorithm, _ in parts}) > 1 or [place for _, place in parts] != [0, 1, 2])
    # Each token has its own user: with one payload for all, a header and its signature would fit any of them.
    await refused(".".join(good(algorithm, f"user-{algorithm}").split(".")[place] for algorithm, place in parts))


@pytest.mark.parametrize(("algorithm", "other"), [*permutations(ALGORITHMS, 2)])
@pytest.mark.parametrize("place", [0, 1, 2])
async def test_a_part_of_another_token_is_refused(algorithm: str, other: str, place: int) -> None:
    parts, others = (good(name, f"user-{name}").split(".") for name in (algorithm, other))
    parts[place] = others[place]
    await refused(".".join(parts))


@given(
    made=st.sampled_from(ALGORITHMS), said=st.sampled_from(ALL_ALGORITHMS), key_id=st.sampled_from([None, *ALGORITHMS])
)
@fuzzed
async def test_a_signature_of_another_algorithm_is_refused(made: str, said: str, key_id: str | None) -> None:
    assume(said != made)
    header = {"alg": said, "typ": "JWT"} | ({"kid": key_id} if key_id else {})
    await refused(signed(made, _json(header), _json(PAYLOAD)))


@given(signer=st.sampled_from(PUBLISHED), form=st.sampled_from(["pem", "der", "jwk", "n"]))
@fuzzed
async def test_a_published_key_is_not_a_secret(signer: Signer, form: str) -> None:
    """The classic confusion: an HS256 signature with the text of a public key."""
    jwk, public = signer.jwk(), signer.private.public_key()
    texts: dict[str, bytes] = {
        "pem": public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "der": public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "jwk": _json(jwk),
        "n": str(jwk.get("n") or jwk["x"]).encode(),
    }
    text = f"{encode(_json({'alg': 'HS256', 'kid': signer.key_id}))}.{encode(_json(PAYLOAD))}"
    await refused(f"{text}.{encode(hmac.digest(texts[form], text.encode(), 'sha256'))}")


odd = objects(PAYLOAD) | mutated(_json(PAYLOAD)) | literals.map(str.encode) | deep | st.binary(max_size=100)


@given(algorithm=st.sampled_from(ALGORITHMS), payload=odd)
@fuzzed
async def test_signed_payloads_give_a_user_or_an_error(algorithm: str, payload: bytes) -> None:
    header = {"alg": algorithm} | ({} if algorithm == "HS256" else {"kid": algorithm})
    await only_users(signed(algorithm, _json(header), payload))


@given(algorithm=st.sampled_from(ALGORITHMS), data=st.data())
@fuzzed
async def test_signed_headers_give_a_user_or_an_error(algorithm: str, data: st.DataObject) -> None:
    header = {**HEADER, "alg": algorithm, "kid": algorithm, "crit": ["exp"], "jwk": PUBLISHED[0].jwk(), "jku": ORIGIN}
    odd_header = objects(header) | mutated(_json(header)) | literals.map(str.encode) | deep
    await only_users(signed(algorithm, data.draw(odd_header), _json(PAYLOAD)))


async def only_users(token: str) -> None:
    try:
        principal = await setup().verifier.verify(token)
    except AuthenticationError:
        return
    assert isinstance(principal, Principal)
    assert 1 <= len(principal.user_id) <= 255
    principal.user_id.encode()  # which lone surrogates cannot
    assert "\0" not in principal.user_id
    assert NOW - 30 < principal.expires_at < 10**12


@pytest.mark.parametrize("depth", [900, 1000, 1100, 5000])
@pytest.mark.parametrize("opening", ["[", '{"a":'])
async def test_deeply_nested_json_is_invalid(depth: int, opening: str) -> None:
    for header, payload in ((opening * depth, PAYLOAD), (HEADER, opening * depth)):
        texts = [part.encode() if isinstance(part, str) else _json(part) for part in (header, payload)]
        with pytest.raises(InvalidTokenError):
            await setup().verifier.verify(signed("HS256", *texts))
