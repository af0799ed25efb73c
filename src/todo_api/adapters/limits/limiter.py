"""Rate limits with fixed windows: so many requests in so many seconds, from the first request on."""

import asyncio
import logging
import math
from collections.abc import Coroutine
from time import time
from typing import TYPE_CHECKING, Any, TypeVar

from limits import RateLimitItem, parse_many
from limits.aio.storage import RedisStorage
from limits.errors import StorageError

from todo_api.application.rates import Allowance, TooManyRequestsError

if TYPE_CHECKING:
    from redis.asyncio import ConnectionPool

T = TypeVar("T")

_log = logging.getLogger(__name__)

_REDIS_TIMEOUT = 0.5  # seconds; after a timeout, requests are not limited for a while
_REDIS_RETRY_INTERVAL = 5.0  # seconds
_MAX_REDIS_CONNECTIONS = 20  # connections of each limiter; further callers wait, because they must be limited too
_DROPPED_AT_ONCE = 2  # per new window; more than one, so that the number of ended windows shrinks


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
            kind: What is counted, such as `user`; names of different kinds are counted separately.
            redis_url: The Redis in which all processes count together; by default, each process counts separately.

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
    options: Any = {"connection_pool": pool}  # annotated as a number; the URL of the pool is used
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


class ProcessStorage:
    """Counts in the memory of this process, in windows that all have the same length.

    The library's own storage scans all of its keys at each request. This one drops the oldest windows when it starts
    a new one, so the cost of a request does not grow with the number of users.
    """

    def __init__(self) -> None:
        self._windows: dict[str, tuple[float, int]] = {}  # end and count of each, in the order of their ends

    def __len__(self) -> int:
        """Return how many windows are kept."""
        return len(self._windows)

    async def incr(self, key: str, expiry: float) -> int:
        """Increment the count, in a new window of `expiry` seconds if there is none, and return it."""
        now = time()
        ends, count = self._windows.get(key, (0.0, 0))
        if ends <= now:
            self._windows.pop(key, None)
            self._drop_ended(now)
            ends, count = now + expiry, 0
        self._windows[key] = ends, count + 1
        return count + 1

    async def get(self, key: str) -> int:
        ends, count = self._windows.get(key, (0.0, 0))
        return count if ends > time() else 0

    async def get_expiry(self, key: str) -> float:
        """Return the end of the window in seconds since 1970."""
        return self._windows.get(key, (time(), 0))[0]

    def _drop_ended(self, now: float) -> None:
        for _ in range(_DROPPED_AT_ONCE):
            oldest = next(iter(self._windows), None)
            if oldest is None or self._windows[oldest][0] > now:
                return
            del self._windows[oldest]
