"""The API without a network, over each of the repositories; the tokens are real ones."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient
from tests.http.application import make_app, make_token
from tests.storages import Storage, in_memory, in_postgres

from todo_api.domain.ports import TaskRepository


@pytest.fixture(params=["memory", "postgres"])
def storage(request: pytest.FixtureRequest) -> Storage:
    return in_memory() if request.param == "memory" else in_postgres(request.getfixturevalue("engine"))


@pytest.fixture
def repository(storage: Storage) -> TaskRepository:
    return storage.tasks


@pytest.fixture
def app(storage: Storage) -> FastAPI:
    return make_app(storage.tasks, accounts=storage.accounts)


@pytest.fixture
async def as_user(app: FastAPI) -> AsyncIterator[Callable[..., AsyncClient]]:
    """Make a client that calls as this user; further arguments are claims of its token."""
    async with AsyncExitStack() as stack:

        def client(user_id: str | None, **claims: Any) -> AsyncClient:
            headers = {"X-Request-ID": "test"}  # of its own, each answer would differ from all others
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
