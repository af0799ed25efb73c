"""The application for the tests, and valid tokens."""

import time
from datetime import UTC, datetime
from typing import Any

import jwt
from fastapi import FastAPI
from uuid_utils.compat import uuid7

from todo_api.adapters.http.app import HttpConfig, create_http_app
from todo_api.adapters.jwt import JwtConfig, JwtTokenVerifier
from todo_api.adapters.memory.accounts import InMemoryAccountRepository
from todo_api.adapters.memory.change_feed import InMemoryChangeFeed
from todo_api.adapters.memory.lists import InMemoryListRepository
from todo_api.adapters.memory.store import Store
from todo_api.application.change_feed import ChangeFeed
from todo_api.application.services import Limits, build_services
from todo_api.domain.ports import AccountRepository, ListRepository, TaskRepository

SECRET = "a secret of the tests, which nobody else knows"


def make_app(  # noqa: PLR0917 - the adapters
    repository: TaskRepository,
    limits: Limits | None = None,
    config: HttpConfig | None = None,
    feed: ChangeFeed | None = None,
    accounts: AccountRepository | None = None,
    lists: ListRepository | None = None,
) -> FastAPI:
    services = build_services(
        repository,
        lists or InMemoryListRepository(Store()),
        accounts or InMemoryAccountRepository(Store()),
        feed or InMemoryChangeFeed(),
        clock=lambda: datetime.now(UTC),
        new_id=uuid7,
        limits=limits,
    )
    return create_http_app(services, JwtTokenVerifier(JwtConfig(secret=SECRET)), config or HttpConfig())


def make_token(user_id: str, **claims: Any) -> str:
    return jwt.encode({"sub": user_id, "exp": int(time.time()) + 3600, **claims}, SECRET, algorithm="HS256")
