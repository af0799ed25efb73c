"""Housekeeping: what nobody can have back any more is forgotten, little by little."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from todo_api.domain.errors import RepositoryUnavailableError
from todo_api.domain.idempotency import KEY_LIFETIME
from todo_api.domain.ports import Housekeeping

# What one call to the storage removes at most: it locks that much for as long as it takes.
BATCH = 1_000

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Purged:
    """How many things were forgotten."""

    tasks: int
    tombstones: int
    idempotency_keys: int

    def __bool__(self) -> bool:
        """Say whether there was anything."""
        return self.tasks + self.tombstones + self.idempotency_keys > 0

    def __str__(self) -> str:
        """Say it to people."""
        counts = {"task": self.tasks, "tombstone": self.tombstones, "idempotency key": self.idempotency_keys}
        return ", ".join(f"{count:,} {name}{'' if count == 1 else 's'}" for name, count in counts.items())


class HousekeepingService:
    """Purges what is old enough; many may do so at the same time, and share the work."""

    def __init__(
        self,
        housekeeping: Housekeeping,
        *,
        clock: Callable[[], datetime],
        trash_days: int,
        tombstone_days: int,
    ) -> None:
        """Take the storage, the time in UTC, and how long to keep tasks in the trash, and tombstones.

        The two are independent: a task that outlives its tombstone in the trash is restored as a change like any other,
        and whoever may have missed that it was deleted loads afresh.
        """
        self._housekeeping = housekeeping
        self._clock = clock
        self._trash = timedelta(days=trash_days)
        self._tombstones = timedelta(days=tombstone_days)

    async def purge(self) -> Purged:
        """Forget everything that is old enough, and say how much that was.

        Raises:
            RepositoryUnavailableError: The storage cannot be reached; what was purged stays purged.
        """
        now = self._clock()
        return Purged(
            tasks=await _until_done(self._housekeeping.purge_trash, now - self._trash),
            tombstones=await _until_done(self._housekeeping.purge_tombstones, now - self._tombstones),
            idempotency_keys=await _until_done(self._housekeeping.purge_idempotency_keys, now - KEY_LIFETIME),
        )

    async def purge_every(self, seconds: float, *, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep) -> None:
        """Purge time and again, about that often, until cancelled. What fails is logged, and tried the next time.

        The times are a matter of chance: of many that start together, each has its own.
        """
        await sleep(random.uniform(0, seconds))  # noqa: S311 - apart from the others, not secret
        while True:
            try:
                if purged := await self.purge():
                    _log.info("purged %s", purged)
            except RepositoryUnavailableError as error:
                _log.warning("could not purge what is old, and will try again: %s", error)
            except Exception:  # noqa: BLE001 - logged with its trace
                _log.exception("could not purge what is old, and will try again")
            await sleep(seconds * random.uniform(0.9, 1.1))  # noqa: S311


async def _until_done(purge: Callable[[datetime, int], Awaitable[int]], before: datetime) -> int:
    total = 0
    while removed := await purge(before, BATCH):
        total += removed
    return total
