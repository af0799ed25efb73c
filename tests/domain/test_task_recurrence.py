"""What a recurrence makes of a task: its series, and the fields that change with it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.domain.builders import NOW, later

from todo_api.domain.checklist import ChecklistItem
from todo_api.domain.errors import InvalidFieldError
from todo_api.domain.recurrence import Recurrence
from todo_api.domain.repetition import Repetition
from todo_api.domain.task import Task
from todo_api.domain.task_changes import TaskChanges

TASK_ID = UUID(int=7)
TODAY = NOW.date()
DAILY = Recurrence.parse("FREQ=DAILY")
WEEKLY = Recurrence.parse("FREQ=WEEKLY")


def create(**values: Any) -> Task:
    return Task.create(task_id=TASK_ID, user_id="ada", values=TaskChanges(title="Water", **values), now=NOW)


def a_series(recurrence: Recurrence = DAILY, **values: Any) -> Task:
    return create(due_date=TODAY, recurrence=recurrence, **values)


def repetition_of(task: Task) -> Repetition:
    assert task.recurrence
    return task.recurrence


def spawned(task: Task, **values: Any) -> Task:
    found = task.spawn(uuid4(), now=NOW)
    assert found
    return replace(found[1], **values)


def test_a_task_with_a_recurrence_is_the_first_of_its_series() -> None:
    task = a_series()
    assert (task.series_id, task.previous_id, task.next_id) == (TASK_ID, None, None)
    assert (repetition_of(task).recurrence, repetition_of(task).occurrence.sequence) == (DAILY, 1)
    assert not task.is_as_spawned()
    assert (create().recurrence, create().series_id) == (None, None)


def test_a_recurrence_needs_a_due_date() -> None:
    with pytest.raises(InvalidFieldError):
        create(recurrence=DAILY)
    with pytest.raises(InvalidFieldError):
        create().change(TaskChanges(recurrence=DAILY), now=NOW)
    with pytest.raises(InvalidFieldError):
        a_series().change(TaskChanges(due_date=None), now=NOW)
    with pytest.raises(InvalidFieldError):
        a_series().change(TaskChanges(due_date=None, recurrence=WEEKLY), now=NOW)


def test_a_rule_without_a_further_date_is_refused() -> None:
    once = Recurrence.parse("FREQ=DAILY;COUNT=1")
    with pytest.raises(InvalidFieldError):
        a_series(once)
    with pytest.raises(InvalidFieldError):
        a_series().change(TaskChanges(recurrence=once), now=NOW)


def test_both_may_be_given_and_cleared_together() -> None:
    task = create().change(TaskChanges(due_date=TODAY, recurrence=DAILY), now=later(1))
    assert (task.series_id, repetition_of(task).occurrence.anchor, task.updated_at) == (TASK_ID, TODAY, later(1))
    cleared = task.change(TaskChanges(due_date=None, recurrence=None), now=later(2))
    assert (cleared.due_date, cleared.recurrence) == (None, None)
    assert cleared.change(TaskChanges(recurrence=None), now=later(3)) is cleared


def test_the_same_recurrence_changes_nothing() -> None:
    task = a_series()
    assert task.change(TaskChanges(recurrence=DAILY), now=later(1)) is task
    moved = task.change(TaskChanges(due_date=TODAY + timedelta(3), recurrence=DAILY), now=later(1))
    assert moved.recurrence is task.recurrence


def test_a_moved_due_date_keeps_the_pattern() -> None:
    task = a_series(WEEKLY).change(TaskChanges(due_date=TODAY + timedelta(2)), now=NOW)
    assert repetition_of(task).occurrence.anchor == TODAY
    assert spawned(task).due_date == TODAY + timedelta(7)


def test_another_recurrence_starts_a_pattern_at_the_due_date_and_keeps_the_series() -> None:
    second = spawned(a_series()).spawned_at(9)
    changed = second.change(TaskChanges(recurrence=WEEKLY, due_date=TODAY + timedelta(5)), now=later(1))
    repetition = repetition_of(changed)
    assert (repetition.occurrence.sequence, repetition.occurrence.anchor) == (2, TODAY + timedelta(5))
    assert (repetition.spawned_at, changed.series_id) == (9, TASK_ID)


def test_count_counts_on_under_another_rule() -> None:
    second = spawned(a_series())
    changed = second.change(TaskChanges(recurrence=Recurrence.parse("FREQ=WEEKLY;COUNT=3")), now=NOW)
    third = spawned(changed)
    assert third.spawn(uuid4(), now=NOW) is None
    with pytest.raises(InvalidFieldError):
        second.change(TaskChanges(recurrence=Recurrence.parse("FREQ=WEEKLY;COUNT=2")), now=NOW)


def test_a_successor_has_the_same_content_with_nothing_done() -> None:
    steps = (ChecklistItem(id=uuid4(), title="Fill", completed=True),)
    task = replace(a_series(tags=["a"], checklist=steps, completed=True), revision=5, position="m")
    successor_id = uuid4()
    found = task.spawn(successor_id, now=later(3))
    assert found
    done, successor = found
    assert done == replace(task, next_id=successor_id)
    assert successor == replace(
        task,
        id=successor_id,
        completed=False,
        completed_at=None,
        due_date=TODAY + timedelta(1),
        checklist=(replace(steps[0], completed=False),),
        position="",
        recurrence=successor.recurrence,
        previous_id=TASK_ID,
        created_at=later(3),
        updated_at=later(3),
        revision=0,
    )
    assert repetition_of(successor).occurrence.sequence == 2
    assert done.spawn(uuid4(), now=later(3)) is None


def test_a_task_is_as_spawned_until_its_revision_changes() -> None:
    successor = spawned(a_series()).spawned_at(9)
    assert replace(successor, revision=9).is_as_spawned()
    assert not replace(successor, revision=10).is_as_spawned()
    assert not replace(successor, revision=9, recurrence=None).is_as_spawned()
    assert not create().is_as_spawned()


def test_a_zone_that_no_longer_exists_ends_the_series() -> None:
    """The zones of the machine may be older than those with which the task was written."""
    gone = Recurrence(rule="FREQ=DAILY", counted_from=DAILY.counted_from, time_zone="Mars/Olympus")
    task = a_series()
    task = replace(task, recurrence=Repetition(gone, repetition_of(task).occurrence))
    assert task.spawn(uuid4(), now=NOW) is None
    assert task.upcoming(3, now=NOW) == []
    assert task.change(TaskChanges(title="Other"), now=NOW).recurrence == task.recurrence
    assert task.change(TaskChanges(recurrence=DAILY), now=NOW).recurrence == a_series().recurrence


def test_upcoming_dates_follow_the_own_one() -> None:
    assert a_series().upcoming(2, now=NOW) == [TODAY + timedelta(1), TODAY + timedelta(2)]
    assert create().upcoming(2, now=NOW) == []
    assert a_series().upcoming(0, now=NOW) == []
    assert len(a_series().upcoming(1000, now=NOW)) == 100


@pytest.mark.parametrize(
    "due_date",
    [date(2026, 1, 31), datetime(2026, 1, 31, 9, 30, 0, 1), datetime(2026, 1, 31, 9, tzinfo=UTC)],  # noqa: DTZ001
    ids=["day", "floating", "instant"],
)
def test_a_repetition_survives_its_document(due_date: date | datetime) -> None:
    rule = Recurrence.parse("FREQ=MONTHLY;COUNT=9", time_zone="Australia/Lord_Howe")
    first = Repetition.start(rule, due_date)
    second = first.following(due_date, NOW)
    assert second
    for repetition in (first, second[0], Repetition(rule, second[0].occurrence, 2**60)):
        again = Repetition.from_document(repetition.to_document())
        assert again == repetition
        assert hash(again) == hash(repetition)
        assert repr(again) == repr(repetition)
    assert first != second[0]
    assert first != "FREQ=MONTHLY;COUNT=9"
