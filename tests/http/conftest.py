"""The API without a network, over each of the repositories; the tokens are real ones."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient
from uuid_utils.compat import uuid7

import jwt
from todo_api.adapters.http.app import HttpConfig, create_http_app
from todo_api.adapters.jwt import JwtConfig, JwtTokenVerifier
from todo_api.adapters.memory.repository import InMemoryTaskRepository
from todo_api.application.tasks import TaskService
from todo_api.domain.ports import TaskRepository

SECRET = "a secret of the tests, which nobody else knows"


def make_app(repository: TaskRepository) -> FastAPI:
    tasks = TaskService(repository, clock=lambda: datetime.now(UTC), new_id=uuid7)
    return create_http_app(tasks, repository, JwtTokenVerifier(JwtConfig(secret=SECRET)), HttpConfig())


def make_token(user_id: str, **claims: Any) -> str:
    return jwt.encode({"sub": user_id, "exp": int(time.time()) + 3600, **claims}, SECRET, algorithm="HS256")


@pytest.fixture(params=["memory", "postgres"])
def repository(request: pytest.FixtureRequest) -> TaskRepository:
    if request.param == "memory":
        return InMemoryTaskRepository()
    repository: TaskRepository = request.getfixturevalue("postgres_repository")
    return repository


@pytest.fixture
def app(repository: TaskRepository) -> FastAPI:
    return make_app(repository)


@pytest.fixture
async def as_user(app: FastAPI) -> AsyncIterator[Callable[..., AsyncClient]]:
    """Make a client that calls as this user; further arguments are claims of its token."""
    async with AsyncExitStack() as stack:

        def client(user_id: str | None, **claims: Any) -> AsyncClient:
            headers = {} if user_id is None else {"Authorization": f"Bearer {make_token(user_id, **claims)}"}
            made = AsyncClient(transport=ASGITransport(app=app), base_url="http://test", headers=headers)
            stack.push_async_callback(made.aclose)
            return made

        yield client


@pytest.fixture
def client(as_user: Callable[..., AsyncClient], user_id: str) -> AsyncClient:
    return as_user(user_id)


@pytest.fixture
async def task(client: AsyncClient) -> dict[str, Any]:
    """A task of the client's user."""
    values = {"title": "Buy milk", "description": "Two litres", "due_date": "2026-12-31T17:00:00Z"}
    document: dict[str, Any] = (await client.post("/api/tasks", json=values)).json()
    return document


@pytest.fixture
def path(task: dict[str, Any]) -> str:
    return f"/api/tasks/{task['id']}"
