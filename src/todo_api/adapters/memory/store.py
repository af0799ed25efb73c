"""The data that the in-memory adapters share."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar
from uuid import UUID, uuid4

from todo_api.domain.changes import Tombstone, next_revision
from todo_api.domain.errors import IdempotencyKeyReusedError, QuotaExceededError
from todo_api.domain.idempotency import KEY_LIFETIME, Edited, IdempotencyKey
from todo_api.domain.task import Task, TrashedTask
from todo_api.domain.workspace import Workspace

T = TypeVar("T")

_clock = partial(datetime.now, UTC)


@dataclass(frozen=True, slots=True)
class KeptResult:
    """The stored result of a request with an idempotency key."""

    fingerprint: bytes
    encoded: bytes
    created_at: datetime


@dataclass(slots=True)
class StoredAccount:
    """All data of one user."""

    clock: Callable[[], datetime]
    created_at: datetime | None = None
    revision: int = 0
    floor: int = 0
    tasks: dict[UUID, Task] = field(default_factory=dict)
    trash: dict[UUID, TrashedTask] = field(default_factory=dict)
    tombstones: dict[UUID, Tombstone] = field(default_factory=dict)
    buried_at: dict[UUID, datetime] = field(default_factory=dict)
    results: dict[str, KeptResult] = field(default_factory=dict)

    @classmethod
    def start(cls, now: datetime, clock: Callable[[], datetime]) -> "StoredAccount":
        """Return the account of a user who writes for the first time at `now`."""
        below = next_revision(0, clock()) - 1
        return cls(clock, created_at=now, revision=below, floor=below)

    @property
    def next_revision(self) -> int:
        """The revision of a write at this moment."""
        return next_revision(self.revision, self.clock())

    def require_room(self, quota: int | None) -> None:
        """Raise QuotaExceededError if the quota is reached."""
        if quota is not None and len(self.tasks) >= quota:
            raise QuotaExceededError(quota)

    def find(self, task_id: UUID) -> Task | None:
        """Return the task, in the trash or not; None if there is none."""
        return self.tasks.get(task_id) or self.trash.get(task_id)

    def holds(self, task_id: UUID, revision: int | None) -> bool:
        """Return whether the task is outside the trash, and at `revision` if that is given."""
        task = self.tasks.get(task_id)
        return task is not None and revision in {None, task.revision}

    def write(self, task: Task) -> Task:
        """Store the task, in the trash or not, at the next revision, and return it."""
        stamped = replace(task, revision=self.next_revision)
        self.write_all({task.id: stamped}, stamped.revision)
        return stamped

    def write_all(self, tasks: Mapping[UUID, Task], revision: int, now: datetime | None = None) -> None:
        """Store tasks at a revision. Tombstones are dated `now`; by default, when their tasks were deleted."""
        self.revision = revision
        for task_id, task in tasks.items():
            self.tasks.pop(task_id, None)
            self.trash.pop(task_id, None)
            self.tombstones.pop(task_id, None)
            self.buried_at.pop(task_id, None)
            if isinstance(task, TrashedTask):
                self.trash[task_id] = task
                self.tombstones[task_id] = Tombstone(task_id, revision)
                self.buried_at[task_id] = now or task.deleted_at
            else:
                self.tasks[task_id] = task

    def replay(self, key: IdempotencyKey[T], now: datetime) -> Edited[T] | None:
        """Return the stored result of the key, or None."""
        kept = self.results.get(key.key)
        if kept is None or kept.created_at < now - KEY_LIFETIME:
            return None
        if kept.fingerprint != key.fingerprint:
            raise IdempotencyKeyReusedError
        return Edited(key.codec.decode(kept.encoded), replayed=True)


@dataclass(slots=True)
class Store:
    """All accounts, by user id, and which store this is."""

    clock: Callable[[], datetime] = _clock
    accounts: dict[str, StoredAccount] = field(default_factory=dict)
    identity: str = field(default_factory=lambda: f"store {uuid4()}")
    recorded_identity: str | None = None

    def account(self, user_id: str) -> StoredAccount:
        """Return the user's account, or an empty one that is not stored."""
        return self.accounts.get(user_id) or StoredAccount(self.clock)

    def account_to_write(self, user_id: str, now: datetime) -> StoredAccount:
        """Return the user's account, or a new one that the caller must add to `accounts`."""
        return self.accounts.get(user_id) or StoredAccount.start(now, self.clock)

    def edit(
        self,
        user_id: str,
        task_ids: Collection[UUID],
        decide: Callable[[Workspace], T],
        *,
        now: datetime,
        quota: int | None,
        key: IdempotencyKey[T] | None,
    ) -> Edited[T]:
        """Implement `TaskRepository.edit`."""
        account = self.account_to_write(user_id, now)
        if key is not None and (replay := account.replay(key, now)):
            return replay
        workspace = Workspace(
            user_id,
            [task for task_id in task_ids if (task := account.find(task_id))],
            revision=self.account(user_id).revision,
            next_revision=account.next_revision,
            live_tasks=len(account.tasks),
            quota=quota,
            now=now,
        )
        result = decide(workspace)
        if workspace.written or key is not None:
            self.accounts[user_id] = account
        if workspace.written:
            account.write_all(workspace.written, workspace.revision, now)
        for task_id in list(account.trash) if workspace.is_trash_emptied else workspace.purged:
            account.trash.pop(task_id, None)
        if key is not None:
            account.results[key.key] = KeptResult(key.fingerprint, key.codec.encode(result), now)
        return Edited(result, replayed=False)
