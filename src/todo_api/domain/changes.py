"""What has happened to a user's tasks since a revision: enough to bring a copy up to date."""

from dataclasses import dataclass
from uuid import UUID

from todo_api.domain.task import Task


@dataclass(frozen=True, slots=True)
class Tombstone:
    """That a task is gone: deleted at this revision."""

    id: UUID
    revision: int


@dataclass(frozen=True, slots=True)
class Changes:
    """The tasks as they are now and the tombstones, each in the order of their revisions.

    Attributes:
        tasks: What was created, changed or restored.
        deleted: What is gone.
        revision: What to ask from next time: whoever applies these changes has seen everything up to it.
        more: Whether there are further changes already.
    """

    tasks: list[Task]
    deleted: list[Tombstone]
    revision: int
    more: bool

    @classmethod
    def page(cls, found: list[Task | Tombstone], limit: int, current: int) -> "Changes":
        """Return the page of what was found, which is in order and one more than the limit where there is more."""
        more, found = len(found) > limit, found[:limit]
        return cls(
            tasks=[item for item in found if isinstance(item, Task)],
            deleted=[item for item in found if isinstance(item, Tombstone)],
            revision=found[-1].revision if more else current,
            more=more,
        )
