"""The clock of the tokens' issuer is ahead of the service's, or behind it."""

import asyncio
import time
from typing import Any

import httpx2
import jwt
import pytest
from tests.e2e.programs import SECRET
from tests.faults.conftest import Figures, Serve
from tests.faults.postgres import Server
from tests.faults.programs import Service

pytestmark = pytest.mark.faults

LIFETIME = 900
LEEWAY = 30  # as docs/authentication.md says
MARGIN = 8  # seconds that a busy machine may take between signing a token and its verification

GOOD, EXPIRED, PREMATURE = (200, None), (401, "expired-token"), (401, "premature-token")


async def answer_to(client: httpx2.AsyncClient, claims: dict[str, Any]) -> tuple[int, str | None]:
    token = jwt.encode({"sub": "skewed", **claims}, SECRET, algorithm="HS256")
    response = await client.get("/api/tasks", headers={"Authorization": f"Bearer {token}"})
    return response.status_code, None if response.is_success else response.json()["code"]


async def seconds_until(client: httpx2.AsyncClient, claims: dict[str, Any], expected: tuple[int, str | None]) -> float:
    """Return the seconds until the same token gets another response."""
    begun = time.time()
    async with asyncio.timeout(2 * LEEWAY):
        while await answer_to(client, claims) != expected:  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.05)
    return time.time() - begun


# How far the other clock is ahead, and the responses to a token with nbf and to one without, as Better Auth's are.
SKEWS = [
    (-LIFETIME - LEEWAY - 1, EXPIRED, EXPIRED),
    (-LIFETIME - LEEWAY + MARGIN, GOOD, GOOD),
    (-LIFETIME + MARGIN, GOOD, GOOD),
    (-LEEWAY - MARGIN, GOOD, GOOD),
    (0, GOOD, GOOD),
    (LEEWAY - 1, GOOD, GOOD),
    (LEEWAY + MARGIN, PREMATURE, GOOD),
    (86_400, PREMATURE, GOOD),
]


async def test_a_wrong_clock_is_tolerated_and_then_reported(service: Service, figures: Figures) -> None:
    responses = []
    async with httpx2.AsyncClient(base_url=service.url, timeout=30) as client:
        for skew, *_ in SKEWS:
            there = int(time.time()) + skew
            claims = {"iat": there, "exp": there + LIFETIME}
            both = await answer_to(client, claims | {"nbf": there}), await answer_to(client, claims)
            responses.append((skew, *both))
    figures(
        ", ".join(f"{skew:+} s: {first[1] or first[0]} / {second[1] or second[0]}" for skew, first, second in responses)
    )
    assert responses == SKEWS


async def test_the_leeway_is_as_long_as_documented(service: Service, figures: Figures) -> None:
    async with httpx2.AsyncClient(base_url=service.url, timeout=30) as client:
        now = time.time()
        just_past = {"exp": now - LEEWAY + 3}
        too_early = {"exp": now + LIFETIME, "nbf": now + LEEWAY + 3}
        assert await answer_to(client, just_past) == GOOD  # the token is cached now
        assert await answer_to(client, too_early) == PREMATURE
        good_for, early_for = await asyncio.gather(
            seconds_until(client, just_past, EXPIRED), seconds_until(client, too_early, GOOD)
        )
    figures(
        f"a token was good until {good_for + LEEWAY - 3:.1f} s after its exp, "
        f"and from {LEEWAY + 3 - early_for:.1f} s before its nbf on; beyond that: 401 {EXPIRED[1]}, 401 {PREMATURE[1]}"
    )
    assert 2 < good_for < 3 + MARGIN
    assert 2 < early_for < 3 + MARGIN


@pytest.fixture
def service(server: Server, serve: Serve) -> Service:
    return serve(server.url, RATE_LIMIT_FAILED="off")
