"""The tasks, or the lists, of an edit: their state, what was changed, and their manual order."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Generic, NamedTuple, TypeAlias, TypeVar
from uuid import UUID

from todo_api.domain.errors import InvalidFieldError, NeighbourNotFoundError, RevisionMismatchError
from todo_api.domain.positions import between, position_at, spread
from todo_api.domain.selection import RUN
from todo_api.domain.task import Task, TrashedTask
from todo_api.domain.task_list import TaskList, TrashedList

T = TypeVar("T", Task, TaskList)


@dataclass(frozen=True, slots=True)
class Before:
    """The place directly before a neighbour."""

    id: UUID


@dataclass(frozen=True, slots=True)
class After:
    """The place directly after a neighbour."""

    id: UUID


class End(Enum):
    """An end of the manual order."""

    START = "start"
    END = "end"


Place: TypeAlias = Before | After | End


class Standing(NamedTuple):
    """Where a task or list stands in the manual order; these compare as the order does."""

    position: str
    id: UUID


class Records(Generic[T]):
    """The loaded tasks or lists, and those that were changed, at the revision of the edit."""

    def __init__(self, items: Iterable[T], next_revision: int) -> None:
        self._items: dict[UUID, T] = {item.id: item for item in items}
        self._next_revision = next_revision
        self._added = 0
        self._written: dict[UUID, T] = {}
        self._sorted: list[Standing] | None = None  # once the order was asked for; sorting for each move takes longer
        self.purged: set[UUID] = set()

    @property
    def written(self) -> Mapping[UUID, T]:
        """The changed ones at the new revision; those in the trash are TrashedTask or TrashedList."""
        return self._written

    def all(self) -> list[T]:
        """Return the loaded ones, in the trash or not."""
        return list(self._items.values())

    def live(self) -> list[T]:
        """Return the loaded ones outside the trash, in their manual order."""
        return [self._items[each.id] for each in self._order()]

    def find(self, item_id: UUID) -> T | None:
        return self._items.get(item_id)

    def write(self, item: T) -> T:
        """Store the item at the revision of the edit; one without a position comes to the end."""
        item = replace(item, revision=self._next_revision, position=item.position or self._end())
        self._leave_order(item.id)
        self._items[item.id] = self._written[item.id] = item
        if self._sorted is not None and _is_live(item):
            insort(self._sorted, Standing(item.position, item.id))
        return item

    def purge(self, item_id: UUID) -> None:
        """Delete the item permanently, after the others were written."""
        self.purged.add(item_id)
        self._leave_order(item_id)
        del self._items[item_id]

    def move(self, item: T, place: Place) -> T:
        """Return the item at its new place. Neighbours get new positions if there is no room between them.

        Raises:
            InvalidFieldError: It is to be moved next to itself.
            NeighbourNotFoundError: The neighbour does not exist, or is in the trash.
        """
        if isinstance(place, Before | After) and place.id == item.id:
            raise InvalidFieldError(type(place).__name__.lower(), "must be the id of another one")
        if place is End.END:
            return self.write(replace(item, position=self._end()))
        others = self._order().copy()
        del others[bisect_left(others, Standing(self._items[item.id].position, item.id))]
        index = self._index(others, place)
        if _is_between(item, others, index):
            return item
        position = between(*self._bounds(others, index, index))
        if position is None:
            position = self._make_room(others, index)
        return self.write(replace(item, position=position))

    def _order(self) -> list[Standing]:
        if self._sorted is None:
            self._sorted = sorted(Standing(item.position, item.id) for item in self._items.values() if _is_live(item))
        return self._sorted

    def _leave_order(self, item_id: UUID) -> None:
        before = self._items.get(item_id)
        if self._sorted is not None and before is not None and _is_live(before):
            del self._sorted[bisect_left(self._sorted, Standing(before.position, item_id))]

    def _index(self, others: list[Standing], place: Place) -> int:
        """Return the index that an item has at this place."""
        if isinstance(place, End):
            return 0 if place is End.START else len(others)
        neighbour = self._items.get(place.id)
        if neighbour is None or not _is_live(neighbour):
            raise NeighbourNotFoundError(
                f"{place.id} is not there: it never was, was deleted, or is not yours. Read the order again"
            )
        return bisect_left(others, Standing(neighbour.position, neighbour.id)) + isinstance(place, After)

    def _make_room(self, others: list[Standing], index: int) -> str:
        """Give new positions to the neighbours of a gap, as few as possible, and return the position of the gap."""
        left, right = _at_one_position(others, index)
        run = 1
        while run <= RUN:
            first, last = max(index - left - run, 0), min(index + right + run, len(others))
            positions = spread(last - first + 1, *self._bounds(others, first, last))
            if positions is not None:
                for other, position in zip(others[first:last], _without(positions, index - first), strict=True):
                    self.write(replace(self._items[other.id], position=position))
                return positions[index - first]
            run *= 2
        raise NeighbourNotFoundError("there is no room at this place; move to the start or the end instead")

    def _bounds(self, others: list[Standing], first: int, last: int) -> tuple[str | None, str | None]:
        """Return the positions around those from index `first` to `last`; at the end, the next one at the end.

        A position of an earlier version may be beyond that: it is the time of the creation, which may be in the future.
        """
        low, high = _around(others, first, last)
        end = position_at(self._next_revision, self._added)
        return low, end if high is None and (low is None or low < end) else high

    def _end(self) -> str:
        self._added += 1
        return position_at(self._next_revision, self._added - 1)


def require_revision(item: Task | TaskList, if_revisions: Collection[int] | None) -> None:
    """Raise RevisionMismatchError unless the item is at one of these revisions; None allows any."""
    if if_revisions is not None and item.revision not in if_revisions:
        raise RevisionMismatchError(item.revision)


def _is_live(item: Task | TaskList) -> bool:
    return not isinstance(item, TrashedTask | TrashedList)


def _around(others: list[Standing], first: int, last: int) -> tuple[str | None, str | None]:
    """Return the positions before index `first` and at index `last`; None at an end."""
    return others[first - 1].position if first else None, others[last].position if last < len(others) else None


def _at_one_position(others: list[Standing], index: int) -> tuple[int, int]:
    """Return how many items before or after index must move first: those of one position, on the side with fewer.

    Earlier versions kept no positions, and tasks that were created at one moment stand at the same one.
    """
    low, high = _around(others, index, index)
    if low is None or low != high:
        return 0, 0
    left = index - bisect_left(others, low, hi=index, key=lambda other: other.position)
    right = bisect_right(others, low, lo=index, key=lambda other: other.position) - index
    return (left, 0) if left <= right else (0, right)


def _is_between(item: T, others: list[Standing], index: int) -> bool:
    low, high = _around(others, index, index)
    return (low is None or low < item.position) and (high is None or item.position < high)


def _without(positions: list[str], index: int) -> list[str]:
    return positions[:index] + positions[index + 1 :]
