"""How a task repeats, and where it stands in its series."""

from datetime import date, datetime
from typing import Any

from todo_api.domain.due_date import DueDate, DueKind
from todo_api.domain.errors import InvalidValueError
from todo_api.domain.recurrence import CountedFrom, Occurrence, Recurrence


class Repetition:
    """A recurrence with the state of its series. Immutable.

    Encoders that show the fields of dataclasses do not know this class, so that each adapter decides what to show:
    clients see `recurrence` alone.

    Attributes:
        recurrence: What the user wrote.
        occurrence: Which occurrence of the series the task is.
        spawned_at: The revision at which the task came of the one before it; None for a task that the user created.
    """

    __slots__ = ("occurrence", "recurrence", "spawned_at")

    def __init__(self, recurrence: Recurrence, occurrence: Occurrence, spawned_at: int | None = None) -> None:
        self.recurrence = recurrence
        self.occurrence = occurrence
        self.spawned_at = spawned_at

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Repetition) and self._state == other._state

    def __hash__(self) -> int:
        return hash(self._state)

    def __repr__(self) -> str:
        return f"Repetition{self._state}"

    @property
    def _state(self) -> tuple[Recurrence, Occurrence, int | None]:
        return self.recurrence, self.occurrence, self.spawned_at

    @classmethod
    def start(cls, recurrence: Recurrence, due_date: DueDate, sequence: int = 1) -> "Repetition":
        """Start the pattern at a due date.

        Raises:
            InvalidValueError: The rule has no occurrence in the 50 years after the due date.
        """
        return cls(recurrence, Occurrence.first(recurrence, due_date, sequence))

    def following(self, due_date: DueDate, now: datetime) -> "tuple[Repetition, DueDate] | None":
        """Return the repetition and the due date of the next task, if this one is completed or skipped at `now`.

        A time zone that does not exist any more ends the series.
        """
        try:
            found = self.occurrence.following(self.recurrence, due_date, now)
        except InvalidValueError:
            return None
        return None if found is None else (Repetition(self.recurrence, found[0]), found[1])

    def upcoming(self, due_date: DueDate, now: datetime, count: int) -> list[DueDate]:
        """Return up to `count` due dates that follow if this task is completed at `now`; none without its time zone."""
        try:
            return self.occurrence.upcoming(self.recurrence, due_date, now, count)
        except InvalidValueError:
            return []

    def to_document(self) -> dict[str, Any]:
        """Return the state as JSON: for stores and exports."""
        return {
            "rule": self.recurrence.rule,
            "from": self.recurrence.counted_from.value,
            "time_zone": self.recurrence.time_zone,
            "sequence": self.occurrence.sequence,
            "kind": self.occurrence.kind.value,
            "anchor": self.occurrence.anchor.isoformat(),
            "slot": self.occurrence.slot.isoformat(),
            "spawned_at": self.spawned_at,
        }

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> "Repetition":
        """Return the repetition of a document that `to_document` returned."""
        kind = DueKind(document["kind"])
        read = date.fromisoformat if kind is DueKind.DATE else datetime.fromisoformat
        return cls(
            Recurrence(
                rule=document["rule"],
                counted_from=CountedFrom(document["from"]),
                time_zone=document["time_zone"],
            ),
            Occurrence(
                sequence=document["sequence"],
                kind=kind,
                anchor=read(document["anchor"]),
                slot=read(document["slot"]),
            ),
            document["spawned_at"],
        )
