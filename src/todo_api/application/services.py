"""All use cases together, for whatever drives them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from todo_api.application.batches import BatchService
from todo_api.application.events import EventService
from todo_api.application.tasks import TaskService
from todo_api.domain.ports import ChangeFeed, TaskRepository


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much each user may have.

    Attributes:
        tasks: Tasks that are not in the trash.
        event_streams: Streams of events that are open at the same time, in each process.
    """

    tasks: int = 10_000
    event_streams: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The use cases, and the ports below them that a driving adapter needs for itself."""

    tasks: TaskService
    batches: BatchService
    events: EventService
    new_id: Callable[[], UUID]
    repository: TaskRepository


def build_services(
    repository: TaskRepository,
    feed: ChangeFeed,
    *,
    clock: Callable[[], datetime],
    new_id: Callable[[], UUID],
    limits: Limits | None = None,
) -> Services:
    """Return the use cases over these adapters.

    Args:
        repository: The storage of the tasks.
        feed: Whom to tell of changes.
        clock: The time in UTC.
        new_id: A source of version 7 UUIDs.
        limits: How much each user may have.
    """
    limits = limits or Limits()
    return Services(
        tasks=TaskService(repository, feed, clock=clock, new_id=new_id, quota=limits.tasks),
        batches=BatchService(repository, feed, clock=clock, quota=limits.tasks),
        events=EventService(repository, feed, clock=clock, streams=limits.event_streams),
        new_id=new_id,
        repository=repository,
    )
