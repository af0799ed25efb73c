"""The cache of verified tokens."""

import time

import pytest
from tests.jwt.signing import NOW, SECRET, Clock, secret_token

from todo_api.adapters.jwt import JwtConfig, JwtTokenVerifier
from todo_api.adapters.jwt.cache import MAX_TOKEN_LENGTH, TokenCache
from todo_api.adapters.jwt.keys import secret_key
from todo_api.application.access import Principal

KEY = secret_key(SECRET)
ADA = Principal("ada", None, NOW)


def test_the_oldest_token_is_dropped_first() -> None:
    cache = TokenCache(max_tokens=3)
    for token in "abcd":
        cache.add(token, ADA, KEY)
    assert [cache.get(token, NOW) for token in "abcd"] == [None, ADA, ADA, ADA]
    cache.add("d", ADA, KEY)
    assert cache.get("b", NOW) == ADA


def test_an_expired_token_is_dropped() -> None:
    cache = TokenCache()
    cache.add("a", ADA, KEY)
    assert [cache.get("a", NOW + seconds) for seconds in (29.9, 30, 0)] == [ADA, None, None]


def test_very_long_tokens_are_not_cached() -> None:
    cache = TokenCache()
    fits, too_long = "x" * MAX_TOKEN_LENGTH, "x" * (MAX_TOKEN_LENGTH + 1)
    cache.add(fits, ADA, KEY)
    cache.add(too_long, ADA, KEY)
    assert [cache.get(fits, NOW), cache.get(too_long, NOW)] == [ADA, None]


async def test_a_cached_token_is_verified_without_waiting() -> None:
    verifier = JwtTokenVerifier(JwtConfig(secret=SECRET), now=Clock())
    token = secret_token()
    await verifier.verify(token)
    verification = verifier.verify(token)
    with pytest.raises(StopIteration) as answered:
        verification.send(None)
    assert answered.value.value.user_id == "user-1"


async def test_a_cached_token_costs_a_small_part_of_a_verification() -> None:
    verifier = JwtTokenVerifier(JwtConfig(secret=SECRET), now=Clock())

    async def fastest(tokens: list[str]) -> float:
        spans = []
        for token in tokens:
            began = time.perf_counter()
            await verifier.verify(token)
            spans.append(time.perf_counter() - began)
        return min(spans)

    tokens = [secret_token({"sub": f"user-{number}"}) for number in range(50)]
    first = await fastest(tokens)
    assert await fastest(tokens) < first / 5
