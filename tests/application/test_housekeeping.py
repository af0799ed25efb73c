"""When entries are purged, and that failures do not stop later purges."""

import asyncio
import logging
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from tests.domain.builders import NOW

from todo_api.application.housekeeping import ACCOUNTS, BATCH, HousekeepingService, Purged
from todo_api.domain.errors import RepositoryUnavailableError
from todo_api.domain.identity import StorageIdentity
from todo_api.domain.ports import Housekeeping

Call = tuple[str, datetime, int]


class Fake:
    """Holds a number of entries of each kind, and records the calls."""

    def __init__(self, **counts: int) -> None:
        self.counts = counts
        self.calls: list[Call] = []
        self.errors: list[Exception] = []
        self.user_ids: list[str] = []
        self.stale = 0
        self.found: StorageIdentity | None = None

    async def _purge(self, kind: str, before: datetime, limit: int) -> int:
        self.calls.append((kind, before, limit))
        if self.errors:
            raise self.errors.pop()
        removed = min(limit, self.counts.get(kind, 0))
        self.counts[kind] = self.counts.get(kind, 0) - removed
        return removed

    async def purge_trash(self, deleted_before: datetime, limit: int) -> int:
        return await self._purge("trash", deleted_before, limit)

    async def purge_tombstones(self, deleted_before: datetime, limit: int) -> int:
        return await self._purge("tombstones", deleted_before, limit)

    async def purge_idempotency_keys(self, created_before: datetime, limit: int) -> int:
        return await self._purge("keys", created_before, limit)

    async def index_words(self, limit: int) -> int:
        indexed = min(limit, self.stale)
        self.stale -= indexed
        return indexed

    async def raise_revisions(self, after: str, limit: int) -> list[str]:
        return sorted(user_id for user_id in self.user_ids if user_id > after)[:limit]

    async def identity(self) -> StorageIdentity | None:
        return self.found

    async def record_identity(self, identity: str) -> None:
        assert self.found
        self.found = replace(self.found, recorded=identity)


def a_service(housekeeping: Housekeeping) -> HousekeepingService:
    return HousekeepingService(housekeeping, clock=lambda: NOW, trash_days=30, tombstone_days=90)


async def test_each_kind_is_purged_at_its_age_until_nothing_is_left() -> None:
    fake = Fake(trash=2 * BATCH + 1, tombstones=BATCH, keys=1)
    assert await a_service(fake).purge() == Purged(2 * BATCH + 1, BATCH, 1)
    ages = {"trash": 30, "tombstones": 90, "keys": 1}
    calls = {"trash": 4, "tombstones": 2, "keys": 2}
    assert fake.calls == [
        (kind, NOW - timedelta(days=ages[kind]), BATCH) for kind, count in calls.items() for _ in range(count)
    ]


async def test_the_result_is_readable() -> None:
    purged = Purged(1, 2_000, 0)
    assert str(purged) == "1 task, 2,000 tombstones, 0 idempotency keys"
    assert purged
    assert not Purged(0, 0, 0)


async def naps(fake: Fake, count: int) -> list[float]:
    """Purge hourly until the service has slept a number of times; return the pauses in seconds."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == count:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await a_service(fake).purge_every(3600, sleep=sleep)
    return slept


async def test_purges_repeat(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    fake = Fake(trash=1)
    await naps(fake, 4)
    assert [kind for kind, *_ in fake.calls] == ["trash", *3 * ["trash", "tombstones", "keys"]]
    assert caplog.messages == ["purged 1 task, 0 tombstones, 0 idempotency keys"]


@pytest.mark.parametrize(
    "error", [RepositoryUnavailableError("the database cannot be reached"), KeyError("unforeseen")]
)
async def test_a_failure_is_logged_and_the_next_purge_runs(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    fake = Fake(trash=1)
    fake.errors = [error]
    await naps(fake, 3)
    assert fake.counts["trash"] == 0
    (record,) = caplog.records
    assert "will retry" in record.message
    assert (record.exc_info is None) == isinstance(error, RepositoryUnavailableError)


async def test_processes_that_start_together_purge_at_different_times() -> None:
    first, *others = zip(*[await naps(Fake(), 4) for _ in range(50)], strict=True)
    assert 0 <= min(first) < 900
    assert 2700 < max(first) <= 3600
    for later in others:
        assert 3240 <= min(later) < 3400
        assert 3800 < max(later) <= 3960


async def test_tokens_of_every_account_are_invalidated_in_batches() -> None:
    fake = Fake()
    fake.user_ids = [f"user-{number}" for number in range(2 * ACCOUNTS + 1)]
    assert await HousekeepingService(fake, clock=lambda: NOW, trash_days=1, tombstone_days=1).invalidate_tokens() == (
        2 * ACCOUNTS + 1
    )


async def test_a_restore_is_noticed_at_the_start_and_before_each_purge(caplog: pytest.LogCaptureFixture) -> None:
    fake = Fake()
    seen: list[int] = []

    async def sleep(_: float) -> None:
        seen.append(len(caplog.records))
        fake.found = StorageIdentity(recorded="one", present=f"another {len(seen)}")
        if len(seen) == 3:
            raise asyncio.CancelledError

    fake.found = StorageIdentity(recorded="one", present="another 0")
    with pytest.raises(asyncio.CancelledError):
        await a_service(fake).purge_every(3600, sleep=sleep)
    assert seen == [1, 2, 3]


async def test_the_warning_names_the_command_and_comes_once_for_each_storage(caplog: pytest.LogCaptureFixture) -> None:
    fake = Fake()
    service = a_service(fake)
    for present in ("one", "another", "another", "a third", "a third"):
        fake.found = StorageIdentity(recorded="one", present=present)
        await service.notice_restore()
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]
    for message, present in zip(caplog.messages, ("another", "a third"), strict=True):
        assert f"(recorded: one; present: {present})" in message
        assert "`todo-api invalidate-tokens`" in message


async def test_a_storage_that_cannot_tell_which_one_it_is_gives_no_warning(caplog: pytest.LogCaptureFixture) -> None:
    fake = Fake()
    fake.user_ids = ["ada"]
    await a_service(fake).notice_restore()
    assert await a_service(fake).invalidate_tokens() == 1
    assert caplog.records == []


@pytest.mark.parametrize("error", [RepositoryUnavailableError("no database"), KeyError("unforeseen")])
async def test_a_purge_runs_if_the_storage_cannot_be_asked(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    class Failing(Fake):
        async def identity(self) -> StorageIdentity | None:
            raise error

    fake = Failing(trash=1)
    await naps(fake, 2)
    assert fake.counts["trash"] == 0
    assert caplog.records == []


async def test_invalidating_tokens_ends_the_warning(caplog: pytest.LogCaptureFixture) -> None:
    fake = Fake()
    fake.found = StorageIdentity(recorded="one", present="another")
    await a_service(fake).invalidate_tokens()
    await a_service(fake).notice_restore()
    assert caplog.records == []


@pytest.mark.parametrize("fails", [True, False])
async def test_the_warning_stays_if_not_all_tokens_of_the_present_storage_were_invalidated(*, fails: bool) -> None:
    """The command failed, or the storage was replaced while it ran."""

    class Replaced(Fake):
        async def raise_revisions(self, after: str, limit: int) -> list[str]:
            self.found = StorageIdentity(recorded="one", present="a third")
            if fails:
                raise RepositoryUnavailableError("the database cannot be reached")
            return await super().raise_revisions(after, limit)

    fake = Replaced()
    fake.found = StorageIdentity(recorded="one", present="another")
    with pytest.raises(RepositoryUnavailableError) if fails else nullcontext():
        await a_service(fake).invalidate_tokens()
    assert fake.found.has_changed
