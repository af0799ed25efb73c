"""The tasks of an edit by their occurrences: found without a search, however many there are."""

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID, uuid4

from tests.domain.builders import NOW, a_task
from tests.domain.lines import counted_lines

from todo_api.domain.list_operations import restore_list
from todo_api.domain.recurrence import Recurrence
from todo_api.domain.repetition import Repetition
from todo_api.domain.series import TaskRecords
from todo_api.domain.task import Task
from todo_api.domain.task_list import ListChanges, TaskList
from todo_api.domain.workspace import Workspace

DAILY = Recurrence.parse("FREQ=DAILY")
TODAY = date(2026, 6, 1)
SERIES = UUID(int=1)


def an_occurrence(series_id: UUID = SERIES, sequence: int = 1, **values: Any) -> Task:
    repetition = Repetition.start(DAILY, TODAY, sequence)
    return a_task(due_date=TODAY, recurrence=repetition, series_id=series_id, position="m", **values)


def test_an_occurrence_is_held_by_the_task_outside_the_trash() -> None:
    first, second = an_occurrence(), an_occurrence(sequence=2)
    tasks = TaskRecords([first, second.discard(now=NOW)], 7)
    assert tasks.holder((SERIES, 1)) == first
    assert tasks.holder((SERIES, 2)) is None
    assert tasks.holder(None) is None

    other = tasks.write(an_occurrence(sequence=2))
    assert tasks.holder((SERIES, 2)) == other
    tasks.write(other.discard(now=NOW))
    assert tasks.holder((SERIES, 2)) is None
    tasks.write(replace(first, recurrence=None))
    assert tasks.holder((SERIES, 1)) is None
    tasks.write(first.discard(now=NOW))
    tasks.purge(first.id)
    assert tasks.holder((SERIES, 1)) is None


def lines_to_restore(count: int) -> int:
    """Return how many lines of Python it takes to restore a list of so many occurrences."""
    gone = TaskList.create(list_id=uuid4(), user_id="ada", values=ListChanges(name="Chores"), now=NOW)
    tasks = [an_occurrence(uuid4(), list_id=gone.id).discard(now=NOW) for _ in range(count)]
    workspace = Workspace(
        "ada", tasks, [gone.discard(now=NOW)],
        revision=1, next_revision=2, live_tasks=0, quota=None, now=NOW, new_id=uuid4,
    )  # fmt: skip
    with counted_lines() as lines:
        restore_list(workspace, gone.id)
    assert len(workspace.tasks.written) == count
    return lines()


def test_a_list_of_many_occurrences_is_restored_without_comparing_each_with_each() -> None:
    assert lines_to_restore(400) < 5 * lines_to_restore(100)
