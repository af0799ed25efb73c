"""`todo-api check`: says what is wrong with a configuration, all of it, before anything starts."""

import argparse
import asyncio
import os
import resource
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from todo_api.adapters.jwt.endpoint import JwksEndpoint, KeySetUnavailableError
from todo_api.adapters.limits import FixedWindowLimiter
from todo_api.commands.configuration import settings_of
from todo_api.commands.database import require_newest_schema
from todo_api.main import create_app
from todo_api.settings import ConfigurationError, Settings

FAMILIES = ("BETTER_AUTH_", "DATABASE_", "RATE_LIMIT", "TRUSTED_", "LOG_")
FILES_BESIDE_CONNECTIONS = 100


def run(arguments: argparse.Namespace) -> None:
    """Prints a line for each thing that is looked at.

    Raises:
        ConfigurationError: something is wrong; the lines say what.
    """
    settings = settings_of(arguments)
    failures = sum(not _passes(name, look, settings) for name, look in CHECKS.items())
    if failures:
        raise ConfigurationError(f"{failures} of {len(CHECKS)} checks failed")


def _passes(name: str, look: Callable[[Settings], str], settings: Settings) -> bool:
    try:
        print(f"ok       {name}: {look(settings)}")
    except ConfigurationError as error:
        print(f"problem  {name}: {error}")
        return False
    return True


def _names(_: Settings) -> str:
    known = set(_known_names())
    unknown = sorted(name for name in os.environ if name.startswith(FAMILIES) and name not in known)
    if unknown:
        raise ConfigurationError(f"there is no setting {', '.join(unknown)}: see the table of settings in the README")
    return "none that does not exist"


def _known_names() -> Iterator[str]:
    for name, field in Settings.model_fields.items():
        yield name.upper()
        yield from (str(choice) for choice in getattr(field.validation_alias, "choices", ()))


def _values(settings: Settings) -> str:
    create_app(settings)
    return "all that is needed is there"


def _database(settings: Settings) -> str:
    return f"answers, at revision {require_newest_schema(settings)}"


def _keys(settings: Settings) -> str:
    settings.require_token_verification()
    if settings.token_jwks_url is None:
        return "by BETTER_AUTH_SECRET"
    try:
        keys = asyncio.run(_fetch(settings.token_jwks_url))
    except KeySetUnavailableError as error:
        raise ConfigurationError(
            f"the keys at {settings.token_jwks_url} cannot be had: {error}. Is BETTER_AUTH_URL right, does the front "
            "end run, and does Better Auth have the jwt() plugin? Another address goes into BETTER_AUTH_JWKS_URL"
        ) from error
    if not keys:
        raise ConfigurationError(f"{settings.token_jwks_url} publishes no key that can be used")
    return f"{keys} published"


async def _fetch(url: str) -> int:
    endpoint = JwksEndpoint(url)
    try:
        return len(await endpoint.fetch())
    finally:
        await endpoint.aclose()


def _origins(settings: Settings) -> str:
    if "*" in settings.cors_origins:
        raise ConfigurationError("CORS_ORIGINS has *, which lets the pages of every site call: name your own")
    for origin in settings.cors_origins:
        parts = urlsplit(origin)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path or parts.query:
            raise ConfigurationError(f"CORS_ORIGINS has {origin}, which is no origin such as https://app.example.com")
    if settings.better_auth_origin and settings.better_auth_origin not in settings.cors_origins:
        raise ConfigurationError(
            f"BETTER_AUTH_URL is {settings.better_auth_origin}, which CORS_ORIGINS has not: pages of that front end "
            f"could not call. It has {', '.join(settings.cors_origins)}"
        )
    return ", ".join(settings.cors_origins)


def _rates(settings: Settings) -> str:
    if settings.rate_limit_redis_url is None:
        return f"{settings.rate_limit} a user, counted by each process"
    limiter = FixedWindowLimiter("1/second", "check", settings.rate_limit_redis_url.get_secret_value())
    if asyncio.run(_count(limiter)) is None:
        raise ConfigurationError("the Redis that RATE_LIMIT_REDIS_URL names cannot be used: nothing would be limited")
    return f"{settings.rate_limit} a user, counted in Redis"


async def _count(limiter: FixedWindowLimiter) -> object:
    try:
        return await limiter.take("todo-api check")
    finally:
        await limiter.aclose()


def _files(settings: Settings) -> str:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = settings.max_connections + settings.database_pool_size + FILES_BESIDE_CONNECTIONS
    if most != resource.RLIM_INFINITY and most < needed:
        raise ConfigurationError(
            f"a process may open {most} files, and MAX_CONNECTIONS needs {needed}: raise the limit (ulimit -Hn, "
            "LimitNOFILE= in systemd) or lower MAX_CONNECTIONS"
        )
    return f"{needed} needed, {most if most != resource.RLIM_INFINITY else 'any number'} allowed"


CHECKS: dict[str, Callable[[Settings], str]] = {
    "names of settings": _names,
    "settings": _values,
    "database": _database,
    "keys of tokens": _keys,
    "web origins": _origins,
    "rate limits": _rates,
    "open files": _files,
}
