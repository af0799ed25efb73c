"""Authentication, scopes and CORS."""

import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from httpx2 import ASGITransport, AsyncClient, Response
from tests.http.application import make_app

from todo_api.adapters.http.app import HttpConfig
from todo_api.adapters.memory.repository import InMemoryTaskRepository

CALLS = [
    ("GET", "/api/tasks"),
    ("POST", "/api/tasks"),
    ("GET", "/api/tasks/019aa2f3-7c1e-7cc3-98c4-dc0c0c07398f"),
    ("PUT", "/api/tasks/019aa2f3-7c1e-7cc3-98c4-dc0c0c07398f"),
    ("PATCH", "/api/tasks/019aa2f3-7c1e-7cc3-98c4-dc0c0c07398f"),
    ("PATCH", "/api/tasks/019aa2f3-7c1e-7cc3-98c4-dc0c0c07398f/complete"),
    ("DELETE", "/api/tasks/019aa2f3-7c1e-7cc3-98c4-dc0c0c07398f"),
]
every_call = pytest.mark.parametrize(("method", "path"), CALLS)
STRANGER = jwt.encode({"sub": "x", "exp": time.time() + 999}, "another secret that is long enough", algorithm="HS256")


@every_call
@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic dTpw", "Token x", "bearer"])
async def test_every_call_needs_a_token(
    as_user: Callable[..., AsyncClient], method: str, path: str, header: str | None
) -> None:
    headers = {} if header is None else {"Authorization": header}
    response = await as_user(None).request(method, path, headers=headers, content=b"not json")
    assert (response.status_code, response.json()["code"]) == (401, "missing-token")
    assert response.headers["www-authenticate"] == "Bearer"


@every_call
@pytest.mark.parametrize("token", ["x", "a.b.c", STRANGER, "\u00e9", "x" * 20_000])
async def test_every_call_needs_a_good_token(
    as_user: Callable[..., AsyncClient], method: str, path: str, token: str
) -> None:
    response = await as_user(None).request(method, path, headers={b"Authorization": f"Bearer {token}".encode()})
    assert (response.status_code, response.json()["code"]) == (401, "invalid-token")
    assert response.headers["www-authenticate"].startswith('Bearer error="invalid_token"')
    assert token not in response.text or token == "x"


@every_call
async def test_every_call_needs_a_token_that_has_not_expired(
    as_user: Callable[..., AsyncClient], user_id: str, method: str, path: str
) -> None:
    response = await as_user(user_id, exp=int(time.time()) - 60).request(method, path)
    assert (response.status_code, response.json()["code"]) == (401, "expired-token")
    assert response.headers["www-authenticate"].startswith('Bearer error="invalid_token"')


@every_call
async def test_every_call_needs_a_token_that_is_valid_already(
    as_user: Callable[..., AsyncClient], user_id: str, method: str, path: str
) -> None:
    response = await as_user(user_id, nbf=int(time.time()) + 60).request(method, path)
    assert (response.status_code, response.json()["code"]) == (401, "premature-token")
    assert response.headers["www-authenticate"].startswith('Bearer error="invalid_token"')


async def test_the_scheme_is_written_in_any_case(client: AsyncClient) -> None:
    header = client.headers["authorization"].replace("Bearer ", "bEARER   ")
    assert (await client.get("/api/tasks", headers={"Authorization": header})).status_code == 200


@every_call
@pytest.mark.parametrize(
    "scope", ["", "tasks:other", "tasks:read", "tasks:write", "tasks:read tasks:write", ["tasks:read"]]
)
async def test_a_token_with_scopes_is_limited_to_them(
    as_user: Callable[..., AsyncClient], user_id: str, method: str, path: str, scope: Any
) -> None:
    response = await as_user(user_id, scope=scope).request(method, path)
    needed = "tasks:read" if method == "GET" else "tasks:write"
    if needed in scope:
        assert response.status_code in {200, 400, 404}
    else:
        assert (response.status_code, response.json()["code"]) == (403, "insufficient-scope")
        assert response.headers["www-authenticate"] == f'Bearer error="insufficient_scope", scope="{needed}"'


async def test_tasks_of_other_users_look_missing(
    as_user: Callable[..., AsyncClient],
    new_user_id: Callable[[], str],
    task: dict[str, Any],
    path: str,
    client: AsyncClient,
) -> None:
    other = as_user(new_user_id())
    never = "/api/tasks/019aa2f3-7c1e-7cc3-98c4-dc0c0c07398f"
    for method, body in [("GET", None), ("PUT", {"title": "x"}), ("PATCH", {}), ("DELETE", None)]:
        theirs, none = [await other.request(method, address, json=body) for address in (path, never)]
        assert theirs.status_code == 404
        assert (theirs.content, theirs.headers) == (none.content, none.headers)
    assert (await other.patch(f"{path}/complete")).status_code == 404
    assert (await other.get("/api/tasks")).json() == []
    assert (await client.get(path)).json() == task


@pytest.mark.parametrize("sub", ["a/b?c#d", "' OR 1=1 --", "ü🙂", " ", "x" * 255, "\U0010ffff" * 255])
async def test_a_user_id_is_any_text(as_user: Callable[..., AsyncClient], sub: str) -> None:
    client = as_user(sub)
    task = (await client.post("/api/tasks", json={"title": "x"})).json()
    assert task["user_id"] == sub
    assert (await client.delete(f"/api/tasks/{task['id']}")).status_code == 204


async def test_browsers_keep_responses_of_different_users_apart(client: AsyncClient, path: str) -> None:
    for response in (await client.get(path), await client.get("/api/tasks"), await client.get("/api/tasks/changes")):
        assert {"Authorization", "Origin"} <= {name.strip() for name in response.headers["vary"].split(",")}


ORIGIN = {"Origin": "http://localhost:3000"}


async def test_the_front_end_may_call_and_read_the_headers(client: AsyncClient) -> None:
    for response in (
        await client.get("/api/tasks", headers=ORIGIN),
        await client.get("/api/tasks?limit=0", headers=ORIGIN),
        await client.get("/api/tasks", headers=ORIGIN | {"Authorization": ""}),
        await client.get("/nowhere", headers=ORIGIN),
        await client.put("/api/tasks", headers=ORIGIN),
    ):
        assert response.headers["access-control-allow-origin"] == "http://localhost:3000"
        exposed = {name.strip() for name in response.headers["access-control-expose-headers"].split(",")}
        assert {"Content-Disposition", "ETag", "Idempotent-Replayed", "Link", "Location", "Retry-After"} <= exposed


async def test_other_origins_are_refused(client: AsyncClient) -> None:
    response = await client.get("/api/tasks", headers={"Origin": "http://evil.example"})
    assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
async def test_preflight_allows_the_methods_and_headers(as_user: Callable[..., AsyncClient], method: str) -> None:
    names = "authorization,content-type,idempotency-key,if-match,if-none-match,last-event-id"
    headers = ORIGIN | {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": names}
    response = await as_user(None).options("/api/tasks", headers=headers)
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == "http://localhost:3000"
    assert method in response.headers["access-control-allow-methods"]


async def preflight(names: str, config: HttpConfig) -> Response:
    app = make_app(InMemoryTaskRepository(), config=config)
    headers = ORIGIN | {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": names}
    async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test") as client:
        return await client.options("/api/tasks", headers=headers)


async def test_browsers_may_send_what_telemetry_adds() -> None:
    response = await preflight("authorization,baggage,sentry-trace,traceparent,tracestate", HttpConfig())
    assert response.status_code == 200


async def test_a_page_of_a_public_site_may_call_a_service_in_a_private_network(client: AsyncClient) -> None:
    headers = ORIGIN | {"Access-Control-Request-Method": "GET", "Access-Control-Request-Private-Network": "true"}
    response = await client.options("/api/tasks", headers=headers)
    assert (response.status_code, response.headers["access-control-allow-private-network"]) == (200, "true")


async def test_other_headers_are_allowed_by_configuration_only() -> None:
    refused = await preflight("authorization,x-tenant", HttpConfig())
    assert (refused.status_code, refused.json()["code"]) == (400, "preflight-refused")
    assert "CORS_HEADERS" in refused.json()["detail"]
    allowed = await preflight("authorization,x-tenant", HttpConfig(cors_headers=("X-Tenant",)))
    assert allowed.status_code == 200
