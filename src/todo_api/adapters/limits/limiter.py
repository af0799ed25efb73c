"""FixedWindowLimiter: so many calls in so many seconds, from the first call on."""

import asyncio
import logging
import math
from collections.abc import Coroutine
from time import time
from typing import TYPE_CHECKING, Any, TypeVar

from limits import RateLimitItem, parse_many
from limits.aio.storage import RedisStorage, Storage
from limits.errors import StorageError

from todo_api.adapters.limits.memory import ProcessStorage
from todo_api.application.rates import Allowance, TooManyRequestsError

if TYPE_CHECKING:
    from redis.asyncio import ConnectionPool

T = TypeVar("T")

_log = logging.getLogger(__name__)

# Seconds. A limit is not worth more waiting; whoever shares the counts is asked again after the pause.
_PATIENCE = 0.5
_PAUSE = 5.0

_MOST_CONNECTIONS = 20  # of each limiter to Redis; who calls beyond them waits, lest a crowd goes unlimited


class InvalidRateError(ValueError):
    """It is not so many calls in so much time."""


class RedisUrlError(ValueError):
    """It is no address of a Redis server, or the library for it is missing."""


class FixedWindowLimiter:
    """Counts in this process, or in Redis together with all others that do."""

    def __init__(self, rate: str, kind: str, redis_url: str | None = None) -> None:
        """Take the rate, such as `600/minute`, whose names are counted, and where, unless it is here.

        Raises:
            InvalidRateError: The rate is none.
            RedisUrlError: Nothing can be counted there.
        """
        self._item = _parse(rate)
        self._kind = kind
        self._window = self._item.get_expiry()
        self._pool = _redis_pool(redis_url) if redis_url else None
        self._storage = _storage(self._pool) if self._pool else ProcessStorage()
        self._paused_until = 0.0

    async def take(self, name: str) -> Allowance | None:
        """Count a call; see RateLimiter."""
        counting = self._take(name)
        return await (self._unless_away(counting) if self._pool else counting)

    async def check(self, name: str) -> None:
        """Raise TooManyRequestsError if nothing is left; see RateLimiter."""
        looking = self._check(name)
        await (self._unless_away(looking) if self._pool else looking)

    async def aclose(self) -> None:
        """Close what connects to Redis."""
        if self._pool is not None:
            await self._pool.disconnect()

    async def _take(self, name: str) -> Allowance:
        key = self._item.key_for(self._kind, name)
        count = await self._storage.incr(key, self._window)
        allowance = await self._left(key, count)
        if count > self._item.amount:
            raise TooManyRequestsError(allowance)
        return allowance

    async def _check(self, name: str) -> None:
        key = self._item.key_for(self._kind, name)
        count = await self._storage.get(key)
        if count >= self._item.amount:
            raise TooManyRequestsError(await self._left(key, count))

    async def _left(self, key: str, count: int) -> Allowance:
        ends = await self._storage.get_expiry(key)
        remaining = max(self._item.amount - count, 0)
        return Allowance(self._item.amount, self._window, remaining, max(math.ceil(ends - time()), 1))

    async def _unless_away(self, counting: Coroutine[Any, Any, T]) -> T | None:
        if time() < self._paused_until:
            counting.close()
            return None
        try:
            async with asyncio.timeout(_PATIENCE):
                return await counting
        except (StorageError, TimeoutError) as error:
            self._pause(error)
            return None

    def _pause(self, error: Exception) -> None:
        """Go on without the limit for a while: that is better than not to answer."""
        self._paused_until = time() + _PAUSE
        _log.warning("requests are not limited while Redis cannot be used: %s", type(error).__name__)


def _parse(rate: str) -> RateLimitItem:
    try:
        (item,) = parse_many(rate)
    except ValueError:
        item = None
    if item is None or item.amount < 1 or item.get_expiry() < 1:
        raise InvalidRateError(f"is {rate}, which is no rate such as 600/minute or 10/second")
    return item


def _storage(pool: "ConnectionPool") -> Storage:
    options: Any = {"connection_pool": pool}  # annotated as if it were a number; the address of the pool's counts
    return RedisStorage("redis://", implementation="redispy", wrap_exceptions=True, **options)


def _redis_pool(url: str) -> "ConnectionPool":
    try:
        from redis.asyncio import BlockingConnectionPool  # noqa: PLC0415 - an extra, which is not there where it is not used
    except ImportError as error:
        raise RedisUrlError("needs the extra `redis`: pip install 'todo-api[redis]'") from error
    try:
        return BlockingConnectionPool.from_url(
            url,
            max_connections=_MOST_CONNECTIONS,
            timeout=_PATIENCE,
            socket_timeout=_PATIENCE,
            socket_connect_timeout=_PATIENCE,
        )
    except ValueError:  # it may quote the address, which may have a password
        raise RedisUrlError("is no address such as redis://host:6379/0") from None
