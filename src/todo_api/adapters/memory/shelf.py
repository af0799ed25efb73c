"""The tasks, or the lists, of one account in memory."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from todo_api.domain.task import Task, TrashedTask
from todo_api.domain.task_list import TaskList, TrashedList

Live = TypeVar("Live", Task, TaskList)


@dataclass(slots=True)
class Shelf(Generic[Live]):
    """Those outside the trash, those in it, and the tombstones: by id, the revision and the time of the deletion."""

    live: dict[UUID, Live] = field(default_factory=dict)
    trash: dict[UUID, Live] = field(default_factory=dict)
    buried: dict[UUID, int] = field(default_factory=dict)
    buried_at: dict[UUID, datetime] = field(default_factory=dict)

    def find(self, item_id: UUID) -> Live | None:
        """Return the item, in the trash or not; None if there is none."""
        return self.live.get(item_id) or self.trash.get(item_id)

    def all(self) -> list[Live]:
        """Return all items, in the trash or not."""
        return list(self.live.values()) + list(self.trash.values())

    def write_all(self, items: Iterable[Live], now: datetime | None) -> None:
        """Store the items. Tombstones are dated `now`; by default, when their items were deleted."""
        for item in items:
            for place in (self.live, self.trash, self.buried, self.buried_at):
                place.pop(item.id, None)
            if isinstance(item, TrashedTask | TrashedList):
                self.trash[item.id] = item
                self.buried[item.id] = item.revision
                self.buried_at[item.id] = now or item.deleted_at
            else:
                self.live[item.id] = item

    def purge(self, item_ids: Iterable[UUID]) -> int:
        """Remove items from the trash; their tombstones stay. Return how many there were."""
        return sum(self.trash.pop(item_id, None) is not None for item_id in list(item_ids))
