"""The API without a network, with each repository and real tokens."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient
from tests.http.application import make_app, make_token
from tests.storages import Storage, storage_of

from todo_api.adapters.http.app import HttpConfig
from todo_api.domain.ports import TaskRepository


@pytest.fixture(params=["memory", "memory-without-hot-path", "postgres"])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def storage(request: pytest.FixtureRequest, backend: str) -> Storage:
    return storage_of(request, postgres=backend == "postgres")


@pytest.fixture
def repository(storage: Storage) -> TaskRepository:
    return storage.tasks


@pytest.fixture
def app(storage: Storage, backend: str) -> FastAPI:
    config = HttpConfig(hot_path=backend != "memory-without-hot-path")
    return make_app(storage.tasks, accounts=storage.accounts, lists=storage.lists, config=config)


@pytest.fixture
async def as_user(app: FastAPI) -> AsyncIterator[Callable[..., AsyncClient]]:
    """Return a function that makes a client for a user; further arguments are claims of the token."""
    async with AsyncExitStack() as stack:

        def client(user_id: str | None, **claims: Any) -> AsyncClient:
            headers = {"X-Request-ID": "test"}  # of its own, each response would differ from all others
            if user_id is not None:
                headers["Authorization"] = f"Bearer {make_token(user_id, **claims)}"
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
