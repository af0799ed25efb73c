"""What an edit needs to have loaded."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import reduce
from uuid import UUID

_NO_IDS: frozenset[UUID] = frozenset()

# How many neighbours on each side are loaded: an edit has up to 100 operations, and a move may change the positions of
# RUN neighbours on each side. Those that stand at the same position, and those in `in_lists`, are loaded beside them.
RUN = 32
WINDOW = 140


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The tasks and lists that an edit changes or depends on.

    Attributes:
        tasks: The ids of tasks, in the trash or not. The occurrences that came of them are loaded too.
        around: The ids of tasks whose neighbours in the manual order are needed.
        first: Whether the first tasks of the manual order are needed.
        at_end: The ids of tasks that the edit puts at the end of the manual order. If the neighbours of one are needed,
            the last tasks are.
        in_lists: The ids of lists whose tasks are needed, including those in the trash.
        tagged: The keys of tags whose tasks outside the trash are needed.
        occurrences: The series and numbers of occurrences outside the trash. Those that follow the loaded tasks, and
            those that tasks in the trash once were, are loaded too.
        lists: The ids of lists, in the trash or not. The lists of tasks in the trash are loaded too.
        all_lists: Whether all lists outside the trash are needed.
    """

    tasks: frozenset[UUID] = _NO_IDS
    around: frozenset[UUID] = _NO_IDS
    first: bool = False
    at_end: frozenset[UUID] = _NO_IDS
    in_lists: frozenset[UUID] = _NO_IDS
    tagged: frozenset[str] = frozenset()
    occurrences: frozenset[tuple[UUID, int]] = frozenset()
    lists: frozenset[UUID] = _NO_IDS
    all_lists: bool = False

    @classmethod
    def of(cls, *task_ids: UUID) -> "Selection":
        """Return the selection of some tasks."""
        return cls(tasks=frozenset(task_ids))

    def __or__(self, other: "Selection") -> "Selection":
        names = (field.name for field in fields(self))
        return Selection(**{name: getattr(self, name) | getattr(other, name) for name in names})

    @staticmethod
    def union(selections: "Iterable[Selection]") -> "Selection":
        """Return what any of the selections needs."""
        return reduce(Selection.__or__, selections, Selection())
