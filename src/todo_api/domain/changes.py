"""What has happened to a user's tasks since a revision: enough to bring a copy up to date."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias
from uuid import UUID

from todo_api.domain.task import Task

_LAST_ID = UUID(int=2**128 - 1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def starting_revision(now: datetime) -> int:
    """Return the revision at which an account starts that comes to be now: the microseconds since 1970.

    An account that was erased leaves nothing behind, so a new one of the same user must be above it by itself. An
    account that starts at the time and counts its writes is always below the time at which it is erased.
    """
    return max(0, (now - _EPOCH) // _MICROSECOND)


@dataclass(frozen=True, slots=True)
class Tombstone:
    """That a task is gone: deleted at this revision."""

    id: UUID
    revision: int


Change: TypeAlias = Task | Tombstone


@dataclass(frozen=True, slots=True)
class SyncPoint:
    """How far a copy has come: it has seen every change up to here.

    Attributes:
        revision: The revision of the last change that it has seen; 0 for a copy that is empty.
        id: The id of that change where others of the same revision, which a batch writes, may follow by their ids.
        began: The revision at which the copy's first load began; what was deleted up to then, it has never seen.
    """

    revision: int = 0
    id: UUID = _LAST_ID
    began: int = 0

    @property
    def whole(self) -> int:
        """The newest revision of which the copy has seen everything."""
        return self.revision if self.id == _LAST_ID else self.revision - 1

    def precedes(self, change: Change) -> bool:
        """Say whether the change is news to the copy."""
        return (change.revision, change.id) > (self.revision, self.id)

    def is_forgotten(self, current: int, floor: int) -> bool:
        """Say whether the copy cannot be brought up to date.

        Tombstones up to the revision `floor` were purged, or the account, now at `current`, is not the one it was.
        """
        return self.revision > current or (self.revision > 0 and max(self.whole, self.began) < floor)


@dataclass(frozen=True, slots=True)
class Changes:
    """The tasks as they are now and the tombstones, each in the order of their revisions, then of their ids.

    Attributes:
        tasks: What was created, changed or restored.
        deleted: What is gone.
        next: Where to go on next time: whoever applies these changes has come this far.
        more: Whether there are further changes already.
    """

    tasks: list[Task]
    deleted: list[Tombstone]
    next: SyncPoint
    more: bool

    @classmethod
    def page(cls, found: list[Change], limit: int, since: SyncPoint, current: int) -> "Changes":
        """Return the page of what was found, which is in order and one more than the limit where there is more."""
        more, found = len(found) > limit, found[:limit]
        began = since.began if since.revision else current
        return cls(
            tasks=[item for item in found if isinstance(item, Task)],
            deleted=[item for item in found if isinstance(item, Tombstone)],
            next=SyncPoint(found[-1].revision, found[-1].id, began) if more else SyncPoint(current),
            more=more,
        )
