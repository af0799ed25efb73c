"""All use cases together, for whatever drives them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from todo_api.application.accounts import AccountService
from todo_api.application.batches import BatchService
from todo_api.application.change_feed import ChangeFeed
from todo_api.application.events import EventService
from todo_api.application.tasks import TaskService
from todo_api.domain.ports import AccountRepository, TaskRepository


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much each user may have, and how long it is kept.

    Attributes:
        tasks: Tasks that are not in the trash.
        event_streams: Streams of events that are open at the same time, in each process.
        trash_days: After how many days in the trash a task is purged.
        tombstone_days: For how many days whoever syncs may be away without loading afresh.
    """

    tasks: int = 10_000
    event_streams: int = 10
    trash_days: int = 30
    tombstone_days: int = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The use cases, and the ports below them that a driving adapter needs for itself."""

    tasks: TaskService
    batches: BatchService
    events: EventService
    accounts: AccountService
    limits: Limits
    new_id: Callable[[], UUID]
    repository: TaskRepository


def build_services(
    repository: TaskRepository,
    accounts: AccountRepository,
    feed: ChangeFeed,
    *,
    clock: Callable[[], datetime],
    new_id: Callable[[], UUID],
    limits: Limits | None = None,
) -> Services:
    """Return the use cases over these adapters.

    Args:
        repository: The storage of the tasks.
        accounts: The same storage, by users.
        feed: Whom to tell of changes.
        clock: The time in UTC.
        new_id: A source of version 7 UUIDs.
        limits: How much each user may have, and how long it is kept.
    """
    limits = limits or Limits()
    return Services(
        tasks=TaskService(repository, feed, clock=clock, new_id=new_id, quota=limits.tasks),
        batches=BatchService(repository, feed, clock=clock, quota=limits.tasks),
        events=EventService(repository, feed, clock=clock, streams=limits.event_streams),
        accounts=AccountService(accounts, repository, feed, clock=clock, quota=limits.tasks),
        limits=limits,
        new_id=new_id,
        repository=repository,
    )
