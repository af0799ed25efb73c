"""Housekeeping: delete expired entries, and invalidate tokens, in small batches; notice when that is needed."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from todo_api.domain.errors import RepositoryUnavailableError
from todo_api.domain.idempotency import KEY_LIFETIME
from todo_api.domain.ports import Housekeeping

# The maximum number of entries that one call to the storage deletes, and so locks.
BATCH = 1_000
# The maximum number of accounts that one call locks: their writes wait for it.
ACCOUNTS = 200

T = TypeVar("T")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Purged:
    """How many entries were deleted."""

    tasks: int
    tombstones: int
    idempotency_keys: int

    def __bool__(self) -> bool:
        return self.tasks + self.tombstones + self.idempotency_keys > 0

    def __str__(self) -> str:
        counts = {"task": self.tasks, "tombstone": self.tombstones, "idempotency key": self.idempotency_keys}
        return ", ".join(f"{count:,} {name}{'' if count == 1 else 's'}" for name, count in counts.items())


class HousekeepingService:
    """Purges old entries. Any number of processes may run it at the same time; they share the work."""

    def __init__(
        self,
        housekeeping: Housekeeping,
        *,
        clock: Callable[[], datetime],
        trash_days: int,
        tombstone_days: int,
    ) -> None:
        """Keep tasks in the trash for `trash_days`, and tombstones for `tombstone_days`.

        The two are independent: a task that outlives its tombstone in the trash is restored like any other, and clients
        that may have missed its deletion load everything again.
        """
        self._housekeeping = housekeeping
        self._clock = clock
        self._trash = timedelta(days=trash_days)
        self._tombstones = timedelta(days=tombstone_days)
        self._warned_of: str | None = None

    async def purge(self) -> Purged:
        """Delete everything that has expired, and return the counts.

        Raises:
            RepositoryUnavailableError: The storage cannot be reached. Completed batches stay deleted.
        """
        now = self._clock()
        return Purged(
            tasks=await _until_done(self._housekeeping.purge_trash, now - self._trash),
            tombstones=await _until_done(self._housekeeping.purge_tombstones, now - self._tombstones),
            idempotency_keys=await _until_done(self._housekeeping.purge_idempotency_keys, now - KEY_LIFETIME),
        )

    async def invalidate_tokens(self) -> int:
        """Make all clients load their tasks again, and return the number of accounts.

        Every sync token and every ETag of a list from before becomes invalid; those of tasks stay valid. This may run
        while the service runs, and more than once.

        Raises:
            RepositoryUnavailableError: The storage cannot be reached. Tokens of some accounts may be invalid already.
        """
        # From before: if the storage is replaced meanwhile, that is noticed.
        identity = await self._housekeeping.identity()
        total, last = 0, ""
        while user_ids := await self._housekeeping.raise_revisions(last, ACCOUNTS):
            total, last = total + len(user_ids), user_ids[-1]
        if identity:
            await self._housekeeping.record_identity(identity.present)
        return total

    async def index_words(self) -> int:
        """Make the tasks searchable that an earlier version of the service wrote, and return their number.

        Raises:
            RepositoryUnavailableError: The storage cannot be reached. Completed batches stay done.
        """
        total = 0
        while indexed := await self._housekeeping.index_words(BATCH):
            total += indexed
        if total:
            _log.info("made %s tasks searchable", f"{total:,}")
        return total

    async def notice_restore(self) -> None:
        """Log a warning if the storage is not the recorded one, once for each storage; ignore failures."""
        try:
            found = await self._housekeeping.identity()
        except Exception:  # noqa: BLE001 - the service does not depend on it, and tries it again
            _log.debug("cannot tell whether the database was restored", exc_info=True)
            return
        if found and found.has_changed and found.present != self._warned_of:
            self._warned_of = found.present
            _log.warning(
                "the database is not the one it was (recorded: %s; present: %s): after a restore, or a failover that "
                "lost commits, run `todo-api invalidate-tokens`",
                found.recorded,
                found.present,
            )

    async def purge_every(self, seconds: float, *, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep) -> None:
        """Purge about every `seconds` until cancelled. Failures are logged, and retried at the next interval.

        A restore is noticed at the start and before each purge. The intervals are jittered, so that processes that
        start together do not purge together.
        """
        await self.notice_restore()
        await _attempt("indexing", self.index_words)
        await sleep(random.uniform(0, seconds))  # noqa: S311 - jitter, not a secret
        while True:
            await self.notice_restore()
            await _attempt("indexing", self.index_words)
            if purged := await _attempt("purge", self.purge):
                _log.info("purged %s", purged)
            await sleep(seconds * random.uniform(0.9, 1.1))  # noqa: S311


async def _attempt(name: str, run: Callable[[], Awaitable[T]]) -> T | None:
    """Return the result, or None after a failure, which is logged."""
    try:
        return await run()
    except RepositoryUnavailableError as error:
        _log.warning("%s failed, will retry: %s", name, error)
    except Exception:  # noqa: BLE001 - logged with its traceback
        _log.exception("%s failed, will retry", name)
    return None


async def _until_done(purge: Callable[[datetime, int], Awaitable[int]], before: datetime) -> int:
    total = 0
    while removed := await purge(before, BATCH):
        total += removed
    return total
