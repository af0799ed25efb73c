"""FixedWindowLimiter: so many calls in so many seconds, from the first call on."""

import asyncio
import logging
import math
from collections.abc import Coroutine
from time import time
from typing import Any, TypeVar

from limits import RateLimitItem, parse
from limits.aio.storage import Storage
from limits.errors import ConfigurationError, StorageError
from limits.storage import storage_from_string

from todo_api.adapters.limits.memory import ProcessStorage
from todo_api.application.rates import Allowance, TooManyRequestsError

T = TypeVar("T")

_log = logging.getLogger(__name__)

# Seconds. A limit is not worth more waiting; whoever shares the counts is asked again after the pause.
_PATIENCE = 0.5
_PAUSE = 5.0


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
        self._storage = _redis(redis_url) if redis_url else ProcessStorage()
        self._is_remote = redis_url is not None
        self._paused_until = 0.0

    async def take(self, name: str) -> Allowance | None:
        """Count a call; see RateLimiter."""
        return await self._unless_away(self._take(name))

    async def check(self, name: str) -> None:
        """Raise TooManyRequestsError if nothing is left; see RateLimiter."""
        await self._unless_away(self._check(name))

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
        if not self._is_remote:
            return await counting
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
        item = parse(rate)
    except ValueError:
        item = None
    if item is None or item.amount < 1 or item.get_expiry() < 1:
        raise InvalidRateError(f"is {rate}, which is no rate such as 600/minute or 10/second")
    return item


def _redis(url: str) -> Storage:
    options = {"socket_timeout": _PATIENCE, "socket_connect_timeout": _PATIENCE}
    try:
        storage = storage_from_string(f"async+{url}", implementation="redispy", wrap_exceptions=True, **options)
    except (ConfigurationError, ValueError) as error:  # neither quotes the address, which may have a password
        raise RedisUrlError("is no address such as redis://host:6379/0 (or the extra `redis` is missing)") from error
    if not isinstance(storage, Storage):
        raise TypeError(f"{type(storage).__name__} is not asynchronous")
    return storage
