"""`todo-api check`: report everything that is wrong with the configuration."""

import argparse
import asyncio
import os
import resource
import socket
from collections.abc import Callable
from contextlib import aclosing
from difflib import get_close_matches
from ipaddress import ip_network
from itertools import chain
from urllib.parse import urlsplit

from dotenv import dotenv_values

from todo_api.adapters.jwt.endpoint import JwksEndpoint, KeySetUnavailableError
from todo_api.adapters.limits import FixedWindowLimiter
from todo_api.adapters.telemetry.metrics import exports_telemetry
from todo_api.cli.configuration import settings_of
from todo_api.cli.database import problems_of_cluster, require_usable_schema
from todo_api.main import create_app
from todo_api.settings import ConfigurationError, Settings

OTLP_PROTOCOL = "http/protobuf"
FAMILIES = ("BETTER_AUTH_", "DATABASE_", "RATE_LIMIT", "TRUSTED_", "LOG_")
TYPO_SIMILARITY = 0.85  # similarity, of 1: PORTS and DATABSE_URL are typos, HOSTNAME and PATH are not
OTHER_FILES = 100  # open files of a process besides its connections


class Warned(str):
    """A result that is usable, and that somebody should know of."""

    __slots__ = ()


def run(arguments: argparse.Namespace) -> None:
    """Print a line for each check.

    Raises:
        ConfigurationError: A check has failed.
    """
    settings = settings_of(arguments)
    failures = 0
    for name, check in CHECKS.items():
        try:
            result = check(settings)
            print(f"{'warning' if isinstance(result, Warned) else 'ok':8} {name}: {result}")
        except ConfigurationError as error:
            print(f"problem  {name}: {error}")
            failures += 1
    if failures:
        raise ConfigurationError(f"{failures} of {len(CHECKS)} checks failed")


def _names(_: Settings) -> str:
    aliases = (getattr(field.validation_alias, "choices", ()) for field in Settings.model_fields.values())
    known = {*map(str.upper, Settings.model_fields), *map(str, chain.from_iterable(aliases))}
    given = {*os.environ, *dotenv_values(str(Settings.model_config["env_file"]))} - known
    unknown = [
        f"{name}{_suggestion(name, known)}"
        for name in sorted(given)
        if name.startswith(FAMILIES) or _suggestion(name, known)
    ]
    if unknown:
        raise ConfigurationError(f"unknown settings: {', '.join(unknown)}; docs/settings.md lists all")
    return "all are known"


def _suggestion(name: str, known: set[str]) -> str:
    close = get_close_matches(name, known, n=1, cutoff=TYPO_SIMILARITY)
    return f" (did you mean {close[0]}?)" if close else ""


def _values(settings: Settings) -> str:
    create_app(settings)
    return "complete"


def _database(settings: Settings) -> str:
    found = f"responds, at revision {require_usable_schema(settings)}"
    problems = problems_of_cluster(settings)
    if problems is None:
        return found
    if problems.unreachable:
        return Warned(f"{found}; the coordinator cannot reach {', '.join(problems.unreachable)}: its users get 503")
    if problems.unfinished:
        tables = ", ".join(problems.unfinished)
        return Warned(f"{found}; not distributed completely: {tables}. Run todo-api distribute")
    return f"{found}, distributed with Citus"


def _keys(settings: Settings) -> str:
    settings.require_token_verification()
    if settings.token_jwks_url is None:
        return "by BETTER_AUTH_SECRET"
    try:
        keys = asyncio.run(_fetch(settings.token_jwks_url))
    except KeySetUnavailableError as error:
        raise ConfigurationError(
            f"the keys at {settings.token_jwks_url} cannot be fetched: {error}. Is BETTER_AUTH_URL right, does the "
            "front end run, and does Better Auth have the jwt() plugin? Set another URL as BETTER_AUTH_JWKS_URL"
        ) from error
    if not keys:
        raise ConfigurationError(f"{settings.token_jwks_url} publishes no usable key")
    return f"{keys} published"


async def _fetch(url: str) -> int:
    async with aclosing(JwksEndpoint(url)) as endpoint:
        return len(await endpoint.fetch())


def _origins(settings: Settings) -> str:
    if "*" in settings.cors_origins:
        raise ConfigurationError("CORS_ORIGINS has *, which allows the pages of every site: list your own")
    for origin in settings.cors_origins:
        parts = urlsplit(origin)
        if not _is_web_address(origin) or parts.path or parts.query:
            raise ConfigurationError(
                f"CORS_ORIGINS has {origin}, which is not an origin such as https://app.example.com"
            )
    if settings.better_auth_origin and settings.better_auth_origin not in settings.cors_origins:
        raise ConfigurationError(
            f"BETTER_AUTH_URL is {settings.better_auth_origin}, which is not in CORS_ORIGINS "
            f"({', '.join(settings.cors_origins)}): the pages of that front end could not call the API"
        )
    return ", ".join(settings.cors_origins)


def _proxies(settings: Settings) -> str:
    for proxy in settings.trusted_proxies:
        try:
            ip_network(proxy)
        except ValueError as error:
            raise ConfigurationError(
                f"TRUSTED_PROXIES has {proxy}, which is not an address or network such as 10.0.0.0/8: {error}"
            ) from error
    return ", ".join(settings.trusted_proxies) or "none; X-Forwarded headers are ignored"


def _telemetry(settings: Settings) -> str:
    for name, value in os.environ.items():
        if not name.startswith("OTEL_EXPORTER_OTLP_") or not value:
            continue
        if name.endswith("ENDPOINT") and not _is_web_address(value):
            raise ConfigurationError(f"{name} is not a URL such as http://collector:4318")
        if name.endswith("PROTOCOL") and value != OTLP_PROTOCOL:
            raise ConfigurationError(f"{name} is {value}, but only {OTLP_PROTOCOL} is supported (on port 4318)")
    exports = "exported" if exports_telemetry(os.environ) else "not exported"
    if settings.metrics_port is None:
        return f"{exports}, and not served for Prometheus"
    if settings.metrics_port == settings.port:
        raise ConfigurationError(f"METRICS_PORT is {settings.metrics_port}, the same as PORT: choose another")
    try:
        socket.getaddrinfo(settings.metrics_host, settings.metrics_port, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise ConfigurationError(
            f"METRICS_HOST is {settings.metrics_host}, which is not an address: {error.strerror}"
        ) from error
    return f"{exports}, and served for Prometheus on {settings.metrics_host}, port {settings.metrics_port}"


def _is_web_address(text: str) -> bool:
    parts = urlsplit(text)
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def _rates(settings: Settings) -> str:
    if settings.rate_limit_redis_url is None:
        return f"{settings.rate_limit} a user, counted by each process"
    if asyncio.run(_count(settings.rate_limit_redis_url.get_secret_value())) is None:
        raise ConfigurationError("the Redis of RATE_LIMIT_REDIS_URL cannot be used, so nothing would be limited")
    return f"{settings.rate_limit} a user, counted in Redis"


async def _count(redis_url: str) -> object:
    async with aclosing(FixedWindowLimiter("1/second", "check", redis_url)) as limiter:
        return await limiter.take("todo-api check")


def _files(settings: Settings) -> str:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = settings.max_connections + settings.database_pool_size + OTHER_FILES
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise ConfigurationError(
            f"a process may open {hard} files, and MAX_CONNECTIONS needs {needed}: raise the limit (ulimit -Hn, "
            "LimitNOFILE= in systemd) or lower MAX_CONNECTIONS"
        )
    return f"{needed} needed, {hard if hard != resource.RLIM_INFINITY else 'any number'} allowed"


CHECKS: dict[str, Callable[[Settings], str]] = {
    "names of settings": _names,
    "settings": _values,
    "database": _database,
    "keys of tokens": _keys,
    "web origins": _origins,
    "trusted proxies": _proxies,
    "rate limits": _rates,
    "metrics and traces": _telemetry,
    "open files": _files,
}
