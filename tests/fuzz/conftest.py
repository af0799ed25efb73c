"""The application with each repository, shared by all examples of a test."""

from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient
from tests.conftest import new_user_id
from tests.fuzz.calls import Caller, caller_of
from tests.http.application import make_app
from tests.storages import in_memory, in_postgres

from todo_api.adapters.http.app import HttpConfig
from todo_api.adapters.memory.change_feed import InMemoryChangeFeed


@pytest.fixture(scope="module", params=["memory", "postgres"])
def app(request: pytest.FixtureRequest) -> FastAPI:
    storage = in_memory() if request.param == "memory" else in_postgres(request.getfixturevalue("engine"))
    feed = InMemoryChangeFeed()
    feed.close()  # so that event streams end after their first page
    config = HttpConfig(trusted_proxies=("*",), hot_path=request.param == "postgres")  # one of the two without it
    return make_app(storage.tasks, config=config, feed=feed, accounts=storage.accounts)


@pytest.fixture(scope="module")
async def caller(app: FastAPI) -> AsyncIterator[Caller]:
    async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test") as client:
        yield await caller_of(client, new_user_id())


@pytest.fixture(scope="module")
async def stranger(app: FastAPI) -> AsyncIterator[Caller]:
    async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test") as client:
        yield await caller_of(client, new_user_id())
