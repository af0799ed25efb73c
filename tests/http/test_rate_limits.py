from collections.abc import Callable

import pytest
from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient
from tests.http.application import make_app, make_token

from todo_api.adapters.http.app import HttpConfig
from todo_api.adapters.limits import FixedWindowLimiter
from todo_api.adapters.memory.repository import InMemoryTaskRepository
from todo_api.application.rates import RateLimits


@pytest.fixture
def app() -> FastAPI:
    limits = RateLimits(users=FixedWindowLimiter("3/hour", "user"), addresses=FixedWindowLimiter("2/hour", "address"))
    return make_app(InMemoryTaskRepository(), config=HttpConfig(rate_limits=limits))


@pytest.fixture
def calling(app: FastAPI) -> Callable[..., AsyncClient]:
    def make(user_id: str | None = None, address: str = "10.0.0.1", **claims: object) -> AsyncClient:
        token = "wrong" if user_id is None else make_token(user_id, **claims)
        transport = ASGITransport(app=app, client=(address, 1))
        return AsyncClient(transport=transport, base_url="http://test", headers={"Authorization": f"Bearer {token}"})

    return make


async def test_responses_have_the_remaining_requests(calling: Callable[..., AsyncClient]) -> None:
    async with calling("alice") as client:
        responses = [
            await client.get("/api/tasks"),
            await client.post("/api/tasks", json={"title": ""}),
            await client.get("/api/tasks/none"),
            await client.get("/api/tasks"),
        ]
    assert [response.status_code for response in responses] == [200, 400, 404, 429]
    assert {response.headers["RateLimit-Policy"] for response in responses} == {'"default";q=3;w=3600'}
    left = [response.headers["RateLimit"].removesuffix("3600").removesuffix("3599") for response in responses]
    assert left == ['"default";r=2;t=', '"default";r=1;t=', '"default";r=0;t=', '"default";r=0;t=']
    refused = responses[-1]
    assert refused.json()["code"] == "too-many-requests"
    assert 3590 < int(refused.headers["Retry-After"]) <= 3600


async def test_another_user_from_the_same_address_is_not_limited(calling: Callable[..., AsyncClient]) -> None:
    async with calling("alice") as alice, calling("bob") as bob:
        assert [(await alice.get("/api/tasks")).status_code for _ in range(4)] == [200, 200, 200, 429]
        assert (await bob.get("/api/tasks")).status_code == 200


async def test_failed_sign_ins_are_limited_by_address(calling: Callable[..., AsyncClient]) -> None:
    async with calling() as stranger, calling("alice") as neighbour, calling("bob", "10.0.0.2") as elsewhere:
        assert [(await stranger.get("/api/tasks")).status_code for _ in range(4)] == [401, 401, 429, 429]
        assert (await neighbour.get("/api/tasks")).status_code == 429  # tokens are no longer checked
        assert (await elsewhere.get("/api/tasks")).status_code == 200
        assert (await stranger.get("/health")).status_code == 200


async def test_ipv6_addresses_of_one_subscriber_are_counted_together(calling: Callable[..., AsyncClient]) -> None:
    statuses = []
    for address in ("2001:db8:1:2::1", "2001:db8:1:2::2", "2001:db8:1:2:ffff::", "2001:db8:1:3::1", "10.0.0.1:80"):
        async with calling(address=address) as stranger:
            statuses.append((await stranger.get("/api/tasks")).status_code)
    assert statuses == [401, 401, 429, 401, 401]


async def test_ipv4_clients_of_an_ipv6_socket_are_counted_apart(calling: Callable[..., AsyncClient]) -> None:
    statuses = []
    for address in ("::ffff:10.0.0.1", "::ffff:10.0.0.1", "::ffff:10.0.0.1", "::ffff:10.0.0.2", "10.0.0.1"):
        async with calling(address=address) as stranger:
            statuses.append((await stranger.get("/api/tasks")).status_code)
    assert statuses == [401, 401, 429, 401, 429]


async def test_good_tokens_do_not_count_as_failed(calling: Callable[..., AsyncClient]) -> None:
    async with calling("alice") as alice, calling("bob", scope="tasks:read") as bob:
        for _ in range(3):
            assert (await alice.get("/api/tasks")).status_code == 200
            assert (await bob.post("/api/tasks", json={"title": "a"})).status_code == 403


async def test_without_limits_there_are_no_headers() -> None:
    app = make_app(InMemoryTaskRepository())
    headers = {"Authorization": f"Bearer {make_token('alice')}"}
    async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test", headers=headers) as client:
        assert "RateLimit" not in (await client.get("/api/tasks")).headers
