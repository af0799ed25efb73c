"""Rate limits with fixed windows: a number of requests in a number of seconds, from the first request on."""

import asyncio
import logging
import math
from collections.abc import Coroutine
from time import time
from typing import TYPE_CHECKING, Any, TypeVar

from limits import RateLimitItem, parse_many
from limits.aio.storage import RedisStorage
from limits.errors import StorageError

from todo_api.adapters.limits.memory import ProcessStorage
from todo_api.application.rates import Allowance, TooManyRequestsError

if TYPE_CHECKING:
    from redis.asyncio import ConnectionPool

T = TypeVar("T")

_log = logging.getLogger(__name__)

_REDIS_TIMEOUT = 0.5  # seconds; after it, requests are not limited for a while
_REDIS_RETRY_INTERVAL = 5.0  # seconds
_MAX_REDIS_CONNECTIONS = 20  # of each limiter; more callers wait for one, because they must not go unlimited


class InvalidRateError(ValueError):
    """The text is not a rate."""


class RedisUrlError(ValueError):
    """The text is not the URL of a Redis server, or the library for Redis is missing."""


class FixedWindowLimiter:
    """Implements the port `RateLimiter`; while Redis cannot be used, nothing is limited."""

    def __init__(self, rate: str, kind: str, redis_url: str | None = None) -> None:
        """Create a limiter.

        Args:
            rate: A rate such as `600/minute`.
            kind: What is counted, such as `user`; names of different kinds are counted apart.
            redis_url: Where all processes count together; by default, this process counts alone.

        Raises:
            InvalidRateError: The rate cannot be parsed.
            RedisUrlError: The URL cannot be used.
        """
        self._item = _parse(rate)
        self._kind = kind
        self._window = self._item.get_expiry()
        self._pool = _redis_pool(redis_url) if redis_url else None
        self._storage = _redis_storage(self._pool) if self._pool else ProcessStorage()
        self._paused_until = 0.0

    async def take(self, name: str) -> Allowance | None:
        counting = self._take(name)
        return await (self._unless_unavailable(counting) if self._pool else counting)

    async def check(self, name: str) -> None:
        checking = self._check(name)
        await (self._unless_unavailable(checking) if self._pool else checking)

    async def aclose(self) -> None:
        if self._pool is not None:
            await self._pool.disconnect()

    async def _take(self, name: str) -> Allowance:
        key = self._item.key_for(self._kind, name)
        count = await self._storage.incr(key, self._window)
        allowance = await self._allowance(key, count)
        if count > self._item.amount:
            raise TooManyRequestsError(allowance)
        return allowance

    async def _check(self, name: str) -> None:
        key = self._item.key_for(self._kind, name)
        count = await self._storage.get(key)
        if count >= self._item.amount:
            raise TooManyRequestsError(await self._allowance(key, count))

    async def _allowance(self, key: str, count: int) -> Allowance:
        ends = await self._storage.get_expiry(key)
        remaining = max(self._item.amount - count, 0)
        return Allowance(self._item.amount, self._window, remaining, max(math.ceil(ends - time()), 1))

    async def _unless_unavailable(self, counting: Coroutine[Any, Any, T]) -> T | None:
        if time() < self._paused_until:
            counting.close()
            return None
        try:
            async with asyncio.timeout(_REDIS_TIMEOUT):
                return await counting
        except (StorageError, TimeoutError) as error:
            self._paused_until = time() + _REDIS_RETRY_INTERVAL
            _log.warning("requests are not limited while Redis cannot be used: %s", type(error).__name__)
            return None


def _parse(rate: str) -> RateLimitItem:
    try:
        (item,) = parse_many(rate)
    except ValueError:
        item = None
    if item is None or item.amount < 1 or item.get_expiry() < 1:
        raise InvalidRateError(f"is {rate}, which is not a rate such as 600/minute or 10/second")
    return item


def _redis_storage(pool: "ConnectionPool") -> RedisStorage:
    options: Any = {"connection_pool": pool}  # annotated as a number; the pool's URL is the one that counts
    return RedisStorage("redis://", implementation="redispy", wrap_exceptions=True, **options)


def _redis_pool(url: str) -> "ConnectionPool":
    try:
        from redis.asyncio import BlockingConnectionPool  # noqa: PLC0415 - an extra, which may be missing
    except ImportError as error:
        raise RedisUrlError("needs the extra `redis`: pip install 'todo-api[redis]'") from error
    try:
        return BlockingConnectionPool.from_url(
            url,
            max_connections=_MAX_REDIS_CONNECTIONS,
            timeout=_REDIS_TIMEOUT,
            socket_timeout=_REDIS_TIMEOUT,
            socket_connect_timeout=_REDIS_TIMEOUT,
        )
    except ValueError:  # its message may quote the URL, which may hold a password
        raise RedisUrlError("is not a URL such as redis://host:6379/0") from None
