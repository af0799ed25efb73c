"""Responses while the database or the token keys are unavailable, and after unexpected errors."""

from typing import Any
from unittest.mock import create_autospec

import pytest
from httpx2 import ASGITransport, AsyncClient, Response
from tests.http.application import SECRET, make_app, make_token

from todo_api.adapters.memory.repository import InMemoryTaskRepository
from todo_api.application.access import VerifierUnavailableError
from todo_api.domain.errors import ContentionError, RepositoryUnavailableError
from todo_api.main import create_app
from todo_api.settings import Settings

ORIGIN = {"Origin": "http://localhost:3000"}
CALLS: list[tuple[str, str, dict[str, Any] | None]] = [
    ("GET", "/api/tasks", None),
    ("POST", "/api/tasks", {"title": "x"}),
    ("GET", "/api/tasks/019aa2f3-7c1e-7cc3-98c4-dc0c0c07398f", None),
    ("PATCH", "/api/tasks/019aa2f3-7c1e-7cc3-98c4-dc0c0c07398f", {}),
    ("DELETE", "/api/tasks/019aa2f3-7c1e-7cc3-98c4-dc0c0c07398f", None),
    ("GET", "/api/me", None),
    ("GET", "/api/me/export", None),
    ("DELETE", "/api/me", None),
]


def settings(**values: Any) -> Settings:
    return Settings(_env_file=None, BETTER_AUTH_SECRET=SECRET, DATABASE_URL="postgresql://127.0.0.1:1/x", **values)


async def ask(app: Any, method: str, path: str, body: dict[str, Any] | None = None, **headers: str) -> Response:
    headers = {"Authorization": f"Bearer {make_token('somebody')}", **ORIGIN, **headers}
    async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test") as client:
        return await client.request(method, path, json=body, headers=headers)


def assert_is_unavailable(response: Response, code: str) -> None:
    assert (response.status_code, response.json()["code"]) == (503, code)
    assert response.headers["content-type"] == "application/problem+json"
    assert int(response.headers["retry-after"]) >= 1
    assert response.headers["access-control-allow-origin"] == ORIGIN["Origin"]


@pytest.mark.parametrize(("method", "path", "body"), CALLS)
async def test_without_a_database_every_call_returns_503(method: str, path: str, body: dict[str, Any] | None) -> None:
    app = create_app(settings())
    assert_is_unavailable(await ask(app, method, path, body), "database-unavailable")


async def test_without_a_database_the_service_is_alive_and_not_ready() -> None:
    app = create_app(settings())
    assert (await ask(app, "GET", "/health/live")).json() == {"status": "ok"}
    assert (await ask(app, "GET", "/health")).status_code == 200
    assert_is_unavailable(await ask(app, "GET", "/health/ready"), "database-unavailable")


@pytest.mark.parametrize(
    ("error", "code"), [(RepositoryUnavailableError, "database-unavailable"), (ContentionError, "contention")]
)
async def test_temporary_errors_may_be_retried(error: type[Exception], code: str) -> None:
    repository = create_autospec(InMemoryTaskRepository, instance=True)
    repository.add.side_effect = error("not now")
    assert_is_unavailable(await ask(make_app(repository), "POST", "/api/tasks", {"title": "x"}), code)


async def test_without_token_keys_requests_get_503() -> None:
    app = make_app(InMemoryTaskRepository())
    app.state.verifier = create_autospec(app.state.verifier, instance=True)
    app.state.verifier.verify.side_effect = VerifierUnavailableError("not now")
    assert_is_unavailable(await ask(app, "GET", "/api/tasks"), "verifier-unavailable")


async def test_an_unexpected_error_reveals_nothing(caplog: pytest.LogCaptureFixture) -> None:
    repository = create_autospec(InMemoryTaskRepository, instance=True)
    repository.add.side_effect = KeyError("a secret")
    response = await ask(make_app(repository), "POST", "/api/tasks", {"title": "x"})
    assert (response.status_code, response.json()["code"]) == (500, "internal-error")
    assert "secret" not in response.text
    assert response.headers["access-control-allow-origin"] == ORIGIN["Origin"]
    assert "POST /api/tasks failed" in caplog.text


async def test_settings_reach_the_application() -> None:
    app = create_app(settings(CORS_ORIGINS="https://a.example/ , https://b.example", MAX_BODY_BYTES=20))
    response = await ask(app, "POST", "/api/tasks", {"title": "x" * 20}, Origin="https://a.example")
    assert response.status_code == 413
    assert response.headers["access-control-allow-origin"] == "https://a.example"
    assert "access-control-allow-origin" not in (await ask(app, "GET", "/health")).headers


async def test_a_refused_preflight_is_a_problem_too() -> None:
    headers = {"Origin": "http://evil.example", "Access-Control-Request-Method": "GET"}
    response = await ask(make_app(InMemoryTaskRepository()), "OPTIONS", "/api/tasks", None, **headers)
    assert (response.status_code, response.json()["code"]) == (400, "preflight-refused")
    assert "access-control-allow-origin" not in response.headers
