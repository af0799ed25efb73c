"""Delta sync: what has happened to a user's tasks since a revision."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias
from uuid import UUID

from todo_api.domain.task import Task
from todo_api.domain.task_list import TaskList

_LAST_ID = UUID(int=2**128 - 1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def next_revision(last: int, now: datetime) -> int:
    """Return the revision of a write at `now`: microseconds since 1970, or one more than the last if that is greater.

    Order comes from the last revision. The clock keeps numbers from being given out again if the last revision is
    lost, because the database was restored from a backup or the account was erased.
    """
    return max(last + 1, (now - _EPOCH) // _MICROSECOND)


@dataclass(frozen=True, slots=True)
class Tombstone:
    """The record that a task was deleted at a revision."""

    id: UUID
    revision: int


@dataclass(frozen=True, slots=True)
class ListTombstone:
    """The record that a list was deleted at a revision."""

    id: UUID
    revision: int


Change: TypeAlias = Task | Tombstone | TaskList | ListTombstone


@dataclass(frozen=True, slots=True)
class SyncPoint:
    """The point up to which a client has seen all changes.

    Attributes:
        revision: The revision of the last change that the client has seen; 0 for an empty copy.
        id: The id of that change. A batch writes several changes at one revision; those with a greater id follow.
        began: The revision at which the client's first load began. The client has never seen tasks that were deleted
            before it.
    """

    revision: int = 0
    id: UUID = _LAST_ID
    began: int = 0

    @property
    def whole(self) -> int:
        """The newest revision whose changes the client has seen completely."""
        return self.revision if self.id == _LAST_ID else self.revision - 1

    def precedes(self, change: Change) -> bool:
        """Return whether the client has not seen the change."""
        return (change.revision, change.id) > (self.revision, self.id)

    def is_forgotten(self, current: int, floor: int) -> bool:
        """Return whether the client must load everything again.

        Args:
            current: The user's current revision. A client with a later revision has seen another account.
            floor: The revision up to which tombstones have been purged.
        """
        return self.revision > current or (self.revision > 0 and max(self.whole, self.began) < floor)


@dataclass(frozen=True, slots=True)
class Changes:
    """A page of changes: tasks and lists as they are now, and tombstones, each ordered by revision and id.

    Attributes:
        tasks: Created, changed and restored tasks.
        deleted: Deleted tasks.
        lists: Created, changed and restored lists.
        deleted_lists: Deleted lists.
        next: The point that a client has reached when it has applied this page.
        more: Whether there are further changes already.
    """

    tasks: list[Task]
    deleted: list[Tombstone]
    lists: list[TaskList]
    deleted_lists: list[ListTombstone]
    next: SyncPoint
    more: bool

    @classmethod
    def page(cls, found: list[Change], limit: int, since: SyncPoint, current: int) -> "Changes":
        """Return the page of up to `limit` + 1 changes in order; the extra one shows that there are more.

        A task and a list may have the same id, and one page has both: the next one starts after their id.
        """
        more, found = len(found) > limit, found[: limit + _ends_in_a_pair(found, limit)]
        began = since.began if since.revision else current
        return cls(
            tasks=[item for item in found if isinstance(item, Task)],
            deleted=[item for item in found if isinstance(item, Tombstone)],
            lists=[item for item in found if isinstance(item, TaskList)],
            deleted_lists=[item for item in found if isinstance(item, ListTombstone)],
            next=SyncPoint(found[-1].revision, found[-1].id, began) if more else SyncPoint(current),
            more=more,
        )


NO_CHANGES: Final = Changes([], [], [], [], SyncPoint(), more=False)


def _ends_in_a_pair(found: list[Change], limit: int) -> bool:
    """Return whether the change after the page has the revision and id of the last one of the page."""
    return len(found) > limit and (found[limit].revision, found[limit].id) == (
        found[limit - 1].revision,
        found[limit - 1].id,
    )
