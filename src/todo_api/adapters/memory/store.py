"""The data that the in-memory adapters share."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal, TypeAlias, TypeVar
from uuid import UUID, uuid4

from todo_api.adapters.memory.shelf import Shelf
from todo_api.domain.changes import next_revision
from todo_api.domain.errors import IdempotencyKeyReusedError, InvalidFieldError, QuotaExceededError
from todo_api.domain.idempotency import KEY_LIFETIME, Edited, IdempotencyKey
from todo_api.domain.positions import position_at
from todo_api.domain.selection import Selection
from todo_api.domain.series import OccurrenceKey, occurrence_key, related_occurrences
from todo_api.domain.tags import tag_key
from todo_api.domain.task import Task
from todo_api.domain.task_list import TaskList
from todo_api.domain.workspace import NO_SUCH_LIST, Workspace

T = TypeVar("T")
Kind: TypeAlias = Literal["tasks", "lists"]
KINDS: tuple[Kind, ...] = ("tasks", "lists")

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
    tasks: Shelf[Task] = field(default_factory=Shelf)
    lists: Shelf[TaskList] = field(default_factory=Shelf)
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

    def shelf(self, kind: Kind) -> Shelf[Any]:
        """Return the tasks or the lists."""
        return self.tasks if kind == "tasks" else self.lists

    def require_room(self, quota: int | None) -> None:
        """Raise QuotaExceededError if the quota is reached."""
        if quota is not None and len(self.tasks.live) >= quota:
            raise QuotaExceededError(quota)

    def require_list(self, list_id: UUID | None) -> None:
        """Raise InvalidFieldError unless there is this list, or none is wanted."""
        if list_id is not None and list_id not in self.lists.live:
            raise InvalidFieldError("list_id", NO_SUCH_LIST)

    def occurrence(self, key: OccurrenceKey | None) -> Task | None:
        """Return the task outside the trash that is this occurrence of a series."""
        return (
            None
            if key is None
            else next((task for task in self.tasks.live.values() if occurrence_key(task) == key), None)
        )

    def holds(self, task_id: UUID, revision: int | None) -> bool:
        """Return whether the task is outside the trash, and at `revision` if that is given."""
        task = self.tasks.live.get(task_id)
        return task is not None and revision in {None, task.revision}

    def write(self, *tasks: Task) -> Task:
        """Store the tasks, in the trash or not, at the next revision, and return the first."""
        revision = self.next_revision
        stamped = [replace(task, revision=revision, position=task.position or position_at(revision)) for task in tasks]
        self.write_all(revision, stamped)
        return stamped[0]

    def write_all(
        self, revision: int, tasks: Iterable[Task], lists: Iterable[TaskList] = (), now: datetime | None = None
    ) -> None:
        """Store tasks and lists at a revision. Tombstones are dated `now`; by default, when they were deleted."""
        self.revision = revision
        self.tasks.write_all(tasks, now)
        self.lists.write_all(lists, now)

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
        selection: Selection,
        decide: Callable[[Workspace], T],
        *,
        now: datetime,
        new_id: Callable[[], UUID],
        quota: int | None,
        key: IdempotencyKey[T] | None,
    ) -> Edited[T]:
        """Implement `TaskRepository.edit`."""
        account = self.account_to_write(user_id, now)
        if key is not None and (replay := account.replay(key, now)):
            return replay
        workspace = Workspace(
            user_id,
            select_tasks(account, selection),
            account.lists.all(),
            revision=self.account(user_id).revision,
            next_revision=account.next_revision,
            live_tasks=len(account.tasks.live),
            quota=quota,
            now=now,
            new_id=new_id,
        )
        result = decide(workspace)
        if workspace.has_changes or key is not None:
            self.accounts[user_id] = account
        if workspace.has_changes:
            tasks, lists = workspace.tasks.written.values(), workspace.lists.written.values()
            account.write_all(workspace.revision, tasks, lists, now)
        account.tasks.purge(account.tasks.trash if workspace.is_trash_emptied else workspace.tasks.purged)
        if key is not None:
            account.results[key.key] = KeptResult(key.fingerprint, key.codec.encode(result), now)
        return Edited(result, replayed=False)


def select_tasks(account: StoredAccount, selection: Selection) -> list[Task]:
    """Return the selected tasks. If the manual order matters, all are."""
    if selection.around or selection.first:
        return account.tasks.all()
    followed = [task.next_id for task_id in selection.tasks if (task := account.tasks.find(task_id)) and task.next_id]
    selected = [
        task
        for task in account.tasks.all()
        if task.id in selection.tasks
        or task.id in followed
        or task.list_id in selection.in_lists
        or not selection.tagged.isdisjoint(map(tag_key, task.tags))
    ]
    occurrences = selection.occurrences | related_occurrences(selected)
    return [*selected, *(task for task in account.tasks.live.values() if occurrence_key(task) in occurrences)]
