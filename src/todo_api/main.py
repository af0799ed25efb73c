"""The composition root: settings -> adapters -> use cases -> application."""

import gc
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Response
from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils.compat import uuid7

from todo_api.adapters.http.app import HttpConfig, create_http_app
from todo_api.adapters.http.middleware.cors import allow_origin
from todo_api.adapters.http.middleware.proxies import path_prefix
from todo_api.adapters.http.middleware.request_context import refusal
from todo_api.adapters.http.problems import (
    HeaderTooLargeError,
    RequestError,
    RequestTimeoutError,
    TooManyConnectionsError,
)
from todo_api.adapters.jwt import JwtConfig, JwtTokenVerifier
from todo_api.adapters.limits import FixedWindowLimiter, InvalidRateError, RedisUrlError
from todo_api.adapters.memory.change_feed import InMemoryChangeFeed
from todo_api.adapters.sqlalchemy.account_repository import SqlAlchemyAccountRepository
from todo_api.adapters.sqlalchemy.change_poller import SqlAlchemyChangePoller
from todo_api.adapters.sqlalchemy.driver import DatabaseConfig, DatabaseUrlError, driver_url
from todo_api.adapters.sqlalchemy.engine import create_engine
from todo_api.adapters.sqlalchemy.hot_path import HotPath
from todo_api.adapters.sqlalchemy.housekeeping import SqlAlchemyHousekeeping
from todo_api.adapters.sqlalchemy.list_repository import SqlAlchemyListRepository
from todo_api.adapters.sqlalchemy.observation import observe_statements
from todo_api.adapters.sqlalchemy.task_repository import SqlAlchemyTaskRepository
from todo_api.adapters.telemetry.metrics import Metrics, create_metrics, exports_telemetry
from todo_api.application.background import in_background
from todo_api.application.housekeeping import HousekeepingService
from todo_api.application.rates import RateLimiter, RateLimits, Unlimited
from todo_api.application.services import Limits, build_services
from todo_api.server.protocol import SERVER_HOOKS, Headers, ServerHooks
from todo_api.settings import ConfigurationError, Settings

_clock = partial(datetime.now, UTC)

# Objects of the start are never freed: the garbage collector skips them, and collects the others less often.
_GARBAGE_THRESHOLD = 50_000

# Responses to requests that the server refuses before they reach the application.
_REFUSALS: dict[int, type[RequestError]] = {
    HTTPStatus.BAD_REQUEST: RequestError,
    HTTPStatus.REQUEST_TIMEOUT: RequestTimeoutError,
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: HeaderTooLargeError,
    HTTPStatus.SERVICE_UNAVAILABLE: TooManyConnectionsError,
}


def create_app(settings: Settings) -> FastAPI:
    """Return the application. It starts without the database and the JWKS, and responds with 503 until they are up.

    Raises:
        ConfigurationError: The settings do not say where the database is, or how tokens are verified.
    """
    settings.require_token_verification()
    metrics = create_metrics(os.environ)
    engine = create_engine(database_config(settings))
    observe = metrics.statement if metrics else None
    if observe:
        observe_statements(engine, observe)
    repository = SqlAlchemyTaskRepository(engine, HotPath(engine, observe) if settings.database_hot_path else None)
    verifier = _verifier(settings, metrics)
    rate_limits = _rate_limits(settings)
    feed = InMemoryChangeFeed()
    services = build_services(
        repository,
        SqlAlchemyListRepository(engine),
        SqlAlchemyAccountRepository(engine),
        feed,
        clock=_clock,
        new_id=uuid7,
        limits=Limits(
            tasks=settings.task_quota,
            event_streams=settings.event_streams_per_user,
            trash_days=settings.trash_days,
            tombstone_days=settings.tombstone_days,
        ),
    )

    metrics.watch("database_connections_in_use", "connections that run a statement", lambda: engine.queue.in_use)
    metrics.watch("database_callers_waiting", "requests that wait for a connection", lambda: engine.queue.waiting)
    metrics.watch("event_streams", "open streams of events", lambda: services.events.streams)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[Mapping[str, Any]]:
        gc.collect()
        gc.freeze()
        gc.set_threshold(_GARBAGE_THRESHOLD)
        interval = settings.purge_interval
        house = housekeeping(engine, settings)
        keeping = in_background(house.purge_every(interval) if interval else house.notice_restore())
        poller = SqlAlchemyChangePoller(engine, feed)
        async with AsyncExitStack() as stack:
            for close in (engine.dispose, rate_limits.aclose, verifier.aclose):
                stack.push_async_callback(close)
            async with poller.polling(), metrics.sampling(), keeping:
                yield {SERVER_HOOKS: _server_hooks(settings, feed)}

    return create_http_app(services, verifier, _http_config(settings, rate_limits, metrics), lifespan)


def _http_config(settings: Settings, rate_limits: RateLimits, metrics: Metrics) -> HttpConfig:
    root_path = path_prefix(settings.root_path)
    if root_path is None:
        raise ConfigurationError(
            "ROOT_PATH must begin with `/`, have segments of letters, digits, `.`, `_`, `~` and `-`, and not begin "
            "with a path of the service, such as `/api`"
        )
    return HttpConfig(
        cors_origins=settings.cors_origins,
        cors_headers=settings.cors_headers,
        max_body_bytes=settings.max_body_bytes,
        request_timeout=settings.request_timeout,
        trusted_proxies=settings.trusted_proxies,
        root_path=root_path,
        rate_limits=rate_limits,
        documentation=settings.docs,
        access_log=settings.access_log,
        observe=metrics.request if metrics else None,
        telemetry=exports_telemetry(os.environ),
        hot_path=settings.http_hot_path,
    )


def _server_hooks(settings: Settings, feed: InMemoryChangeFeed) -> ServerHooks:
    return ServerHooks(
        max_connections=settings.max_connections,
        max_header_bytes=settings.max_header_bytes,
        header_timeout=settings.header_timeout,
        refuse=partial(_refuse, settings.cors_origins),
        end_streams=feed.close,
    )


def _refuse(origins: Sequence[str], status: int, detail: str, headers: Headers) -> Response:
    response = refusal(_REFUSALS[status](detail), headers)
    allow_origin(response, headers, origins)
    return response


def housekeeping(engine: AsyncEngine, settings: Settings) -> HousekeepingService:
    """Return the use case that purges expired entries and notices restores."""
    return HousekeepingService(
        SqlAlchemyHousekeeping(engine),
        clock=_clock,
        trash_days=settings.trash_days,
        tombstone_days=settings.tombstone_days,
    )


def _rate_limits(settings: Settings) -> RateLimits:
    redis = settings.rate_limit_redis_url

    def limiter(name: str, rate: str, kind: str) -> RateLimiter:
        if rate.strip().lower() == "off":
            return Unlimited()
        try:
            return FixedWindowLimiter(rate, kind, redis.get_secret_value() if redis else None)
        except InvalidRateError as error:
            raise ConfigurationError(f"{name} {error}") from error
        except RedisUrlError as error:
            raise ConfigurationError(f"RATE_LIMIT_REDIS_URL {error}") from error

    return RateLimits(
        users=limiter("RATE_LIMIT", settings.rate_limit, "user"),
        addresses=limiter("RATE_LIMIT_FAILED", settings.rate_limit_failed, "address"),
    )


def _verifier(settings: Settings, metrics: Metrics) -> JwtTokenVerifier:
    config = JwtConfig(
        secret=settings.token_secret,
        jwks_url=settings.token_jwks_url,
        issuers=settings.token_issuers,
        audiences=settings.token_audiences,
    )
    try:
        return JwtTokenVerifier(config, on_key_fetch=metrics.key_fetch)
    except ValueError as error:
        raise ConfigurationError(f"BETTER_AUTH_SECRET cannot be used: {error}") from error


def database_config(settings: Settings) -> DatabaseConfig:
    """Return the URL of the database and the limits of its connections.

    Raises:
        ConfigurationError: DATABASE_URL is not set, or is not the URL of a PostgreSQL database.
    """
    if settings.database_url is None:
        raise ConfigurationError("DATABASE_URL is not set: set it to postgresql://user:password@host/database")
    config = DatabaseConfig(
        url=settings.database_url.get_secret_value(),
        pool_size=settings.database_pool_size,
        pool_timeout=settings.database_pool_timeout,
        connect_timeout=settings.database_connect_timeout,
        statement_timeout=settings.database_statement_timeout,
    )
    try:
        driver_url(config.url)
    except DatabaseUrlError as error:
        raise ConfigurationError(f"DATABASE_URL {error}") from error
    return config
