"""All use cases, for the driving adapters."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from todo_api.application.accounts import AccountService
from todo_api.application.batches import BatchService
from todo_api.application.change_feed import ChangeFeed
from todo_api.application.events import EventService
from todo_api.application.lists import ListService
from todo_api.application.tasks import TaskService
from todo_api.domain.ports import AccountRepository, ListRepository, TaskRepository


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of each user, and how long data is kept.

    Attributes:
        tasks: Tasks outside the trash.
        event_streams: Event streams that are open at the same time, in each process.
        trash_days: Days after which a task in the trash is purged.
        tombstone_days: Days for which a client may be offline without having to load everything again.
    """

    tasks: int = 10_000
    event_streams: int = 10
    trash_days: int = 30
    tombstone_days: int = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The use cases, and the ports that a driving adapter needs directly."""

    tasks: TaskService
    lists: ListService
    batches: BatchService
    events: EventService
    accounts: AccountService
    limits: Limits
    new_id: Callable[[], UUID]
    repository: TaskRepository


def build_services(
    repository: TaskRepository,
    lists: ListRepository,
    accounts: AccountRepository,
    feed: ChangeFeed,
    *,
    clock: Callable[[], datetime],
    new_id: Callable[[], UUID],
    limits: Limits | None = None,
) -> Services:
    """Return the use cases over these adapters.

    Args:
        repository: The tasks.
        lists: The lists, in the same storage.
        accounts: The accounts, in the same storage.
        feed: Notifies listeners of changes.
        clock: Returns the current time (UTC).
        new_id: Returns a new UUID, version 7.
        limits: Limits of each user; by default those of `Limits`.
    """
    limits = limits or Limits()
    return Services(
        tasks=TaskService(repository, feed, clock=clock, new_id=new_id, quota=limits.tasks),
        lists=ListService(lists),
        batches=BatchService(repository, feed, clock=clock, new_id=new_id, quota=limits.tasks),
        events=EventService(repository, feed, clock=clock, streams=limits.event_streams),
        accounts=AccountService(accounts, repository, feed, clock=clock, new_id=new_id, quota=limits.tasks),
        limits=limits,
        new_id=new_id,
        repository=repository,
    )
