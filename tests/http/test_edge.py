"""Headers of all responses, proxies, and the access log."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from httpx2 import ASGITransport, AsyncClient, Response
from structlog.testing import capture_logs
from tests.http.application import make_app, make_token

from todo_api.adapters.http.app import HttpConfig
from todo_api.adapters.memory.repository import InMemoryTaskRepository

PROXY = "10.1.2.3"


@asynccontextmanager
async def calling(config: HttpConfig, address: str = "127.0.0.1", user_id: str = "u") -> AsyncIterator[AsyncClient]:
    app = make_app(InMemoryTaskRepository(), config=config)
    headers = {"Authorization": f"Bearer {make_token(user_id)}"}
    transport = ASGITransport(app=app, client=(address, 1))
    async with AsyncClient(transport=transport, base_url="http://test", headers=headers) as client:
        yield client


async def every_kind_of_response(client: AsyncClient) -> list[Response]:
    return [
        await client.get("/api/tasks"),
        await client.get("/api/tasks", headers={"Authorization": ""}),
        await client.get("/nowhere"),
        await client.post("/api/tasks", content="{"),
        await client.request("TRACE", "/api/tasks"),
        await client.options("/api/tasks", headers={"Origin": "http://x", "Access-Control-Request-Method": "GET"}),
        await client.get("/health"),
        await client.get("/docs"),
    ]


async def test_every_response_has_a_request_id_and_security_headers() -> None:
    async with calling(HttpConfig()) as client:
        responses = await every_kind_of_response(client)
    assert [response.status_code for response in responses] == [200, 401, 404, 415, 405, 400, 200, 200]
    for response in responses:
        assert re.fullmatch("[0-9a-f]{32}", response.headers["X-Request-ID"])
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["X-Frame-Options"] == "DENY"
        assert "Strict-Transport-Security" not in response.headers
        if response.status_code >= 400:
            assert response.json()["request_id"] == response.headers["X-Request-ID"]
    assert len({response.headers["X-Request-ID"] for response in responses}) == len(responses)
    assert responses[0].headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert responses[-1].headers.get_list("Content-Security-Policy") != []


@pytest.mark.parametrize("name", ["a", "req_01-J.Z", "1/2+3=4@5:6", "x" * 128])
async def test_a_client_may_send_a_request_id(name: str) -> None:
    async with calling(HttpConfig()) as client:
        assert (await client.get("/nowhere", headers={"X-Request-ID": name})).headers["X-Request-ID"] == name


@pytest.mark.parametrize("name", ["", "x" * 129, "a b", 'a"b', "a\tb", "é", "<script>"])
async def test_an_unsafe_request_id_is_replaced(name: str) -> None:
    async with calling(HttpConfig()) as client:
        response = await client.get("/nowhere", headers=[(b"X-Request-ID", name.encode())])
    assert re.fullmatch("[0-9a-f]{32}", response.headers["X-Request-ID"])


FORWARDED = {"X-Forwarded-Host": "app.example.com, in", "X-Forwarded-Proto": "https,http", "X-Forwarded-For": "1.2.3.4"}


@pytest.mark.parametrize("address", [PROXY, f"::ffff:{PROXY}"])  # the latter where IPv6 sockets take IPv4 too
@pytest.mark.parametrize(
    ("trusted", "believed"),
    [((), False), (("10.1.2.4",), False), ((PROXY,), True), (("10.0.0.0/8",), True), (("*",), True)],
)
async def test_headers_of_untrusted_proxies_are_ignored(trusted: tuple[str, ...], believed: bool, address: str) -> None:  # noqa: FBT001
    async with calling(HttpConfig(trusted_proxies=trusted), address=address) as client:
        await client.post("/api/tasks", json={"title": "a"})
        await client.post("/api/tasks", json={"title": "b"})
        response = await client.get("/api/tasks", params={"limit": 1}, headers=FORWARDED)
    base = "https://app.example.com" if believed else "http://test"
    assert response.links["next"]["url"].startswith(f"{base}/api/tasks?")
    assert ("Strict-Transport-Security" in response.headers) == believed


async def test_the_documentation_can_be_switched_off() -> None:
    async with calling(HttpConfig(documentation=False)) as client:
        for path in ("/docs", "/redoc", "/openapi.json"):
            assert (await client.get(path)).status_code == 404


async def test_the_access_log_has_no_content() -> None:
    secret = "my secret plan"
    with capture_logs() as lines:
        async with calling(HttpConfig(access_log=True), user_id="alice") as client:
            created = await client.post("/api/tasks", json={"title": secret})
            await client.get(f"/api/tasks/{created.json()['id']}", params={"search": secret})
            await client.get(f"/{secret}", headers={"Authorization": ""})
    seen: list[dict[str, Any]] = [{name: line.get(name) for name in ("method", "route", "status")} for line in lines]
    assert seen == [
        {"method": "POST", "route": "/api/tasks", "status": 201},
        {"method": "GET", "route": "/api/tasks/{task_id}", "status": 400},
        {"method": "GET", "route": None, "status": 404},
    ]
    assert lines[0]["user"] == lines[1]["user"] != "alice"
    assert "user" not in lines[2]
    assert all(line["duration_ms"] > 0 for line in lines)
    for private in (secret, "alice", created.json()["id"], client.headers["Authorization"].split()[1]):
        assert private not in str(lines)
