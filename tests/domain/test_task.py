from dataclasses import FrozenInstanceError, fields, replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.domain.builders import NOW, a_task, later

from todo_api.domain.errors import InvalidValueError
from todo_api.domain.task import Task
from todo_api.domain.task_changes import UNSET, Priority, TaskChanges

TASK_ID = UUID(int=7)

changes = st.builds(
    TaskChanges,
    title=st.sampled_from([UNSET, "Buy milk", "Other", " Buy milk "]),
    description=st.sampled_from([UNSET, None, "", "words"]),
    completed=st.sampled_from([UNSET, True, False]),
    due_date=st.sampled_from([UNSET, None, date(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC)]),
)
VALUES = ("title", "description", "completed", "due_date")


def values_of(task: Task) -> dict[str, Any]:
    return {name: getattr(task, name) for name in VALUES}


def create(**values: Any) -> Task:
    return Task.create(task_id=TASK_ID, user_id="ada", values=TaskChanges(**values), now=NOW)


def test_a_new_task_has_defaults() -> None:
    assert create(title=" Buy milk ") == Task(
        id=TASK_ID,
        user_id="ada",
        title="Buy milk",
        description=None,
        completed=False,
        completed_at=None,
        due_date=None,
        list_id=None,
        priority=Priority.NONE,
        tags=(),
        checklist=(),
        position="",
        recurrence=None,
        series_id=None,
        previous_id=None,
        next_id=None,
        created_at=NOW,
        updated_at=NOW,
        revision=0,
    )


def test_a_new_task_has_the_given_values() -> None:
    task = create(title="T", description="", completed=True, due_date=date(2026, 1, 1))

    assert values_of(task) == {"title": "T", "description": "", "completed": True, "due_date": date(2026, 1, 1)}
    assert task.completed_at == NOW


def test_a_new_task_without_a_title_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="must have a title"):
        create(description="words")


@pytest.mark.parametrize("values", [{"title": " "}, {"title": "x" * 501}, {"title": "T", "description": "\0"}])
def test_values_that_break_a_rule_are_refused_on_creation_and_change(values: dict[str, Any]) -> None:
    with pytest.raises(InvalidValueError):
        create(**values)
    with pytest.raises(InvalidValueError):
        a_task().change(TaskChanges(**values), now=NOW)


@given(changes)
def test_a_change_sets_the_given_fields_and_keeps_the_rest(change: TaskChanges) -> None:
    task = a_task(description="old", due_date=date(2025, 1, 1), revision=3)
    changed = task.change(change, now=later(1))

    for name in VALUES:
        asked = getattr(change, name)
        asked = asked.strip() if name == "title" and asked is not UNSET else asked
        assert getattr(changed, name) == (getattr(task, name) if asked is UNSET else asked)
    for name in ("id", "user_id", "created_at", "revision"):
        assert getattr(changed, name) == getattr(task, name)


@given(changes, changes)
def test_a_change_without_effect_returns_the_same_object(first: TaskChanges, second: TaskChanges) -> None:
    task = a_task().change(first, now=later(1))
    changed = task.change(second, now=later(2))

    assert (changed is task) == (values_of(changed) == values_of(task))
    assert changed.updated_at == (task.updated_at if changed is task else later(2))
    assert changed.change(second, now=later(3)) is changed


def test_none_clears_and_unset_keeps() -> None:
    task = a_task(description="words", due_date=date(2026, 1, 1))

    assert task.change(TaskChanges(), now=later(1)) is task
    cleared = task.change(TaskChanges(description=None, due_date=None), now=later(1))
    assert (cleared.description, cleared.due_date) == (None, None)


def test_a_change_of_the_kind_of_a_due_date_is_a_change() -> None:
    kinds = [date(2026, 1, 1), datetime(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC)]  # noqa: DTZ001
    for before in kinds:
        for after in kinds:
            task = a_task(due_date=before)
            changed = task.change(TaskChanges(due_date=after), now=later(1))
            assert (changed is task) == (before is after)
            assert type(changed.due_date) is type(after)


def test_completing_sets_completed_at() -> None:
    done = a_task().change(TaskChanges(completed=True), now=later(1))
    assert (done.completed, done.completed_at, done.updated_at) == (True, later(1), later(1))


def test_completing_again_keeps_completed_at() -> None:
    done = a_task(completed=True)

    assert done.complete(completed=True, now=later(1)) is done
    renamed = done.change(TaskChanges(title="Other", completed=True), now=later(1))
    assert (renamed.completed_at, renamed.updated_at) == (NOW, later(1))


def test_reopening_clears_completed_at() -> None:
    reopened = a_task(completed=True).complete(completed=False, now=later(1))
    assert (reopened.completed, reopened.completed_at) == (False, None)


def test_toggling_inverts_completion() -> None:
    task = a_task()
    done = task.complete(None, now=later(1))
    again = done.complete(None, now=later(2))

    assert (done.completed, done.completed_at) == (True, later(1))
    assert again == replace(task, updated_at=later(2))


@given(st.lists(st.tuples(changes, st.integers(-5, 5)), max_size=6))
def test_updated_at_never_decreases_when_the_clock_does(steps: list[tuple[TaskChanges, int]]) -> None:
    task = a_task()
    for change, seconds in steps:
        before, task = task, task.change(change, now=later(seconds))
        assert task.updated_at >= before.updated_at >= task.created_at
        assert task.completed == (task.completed_at is not None)
        assert task.completed_at is None or task.created_at <= task.completed_at <= task.updated_at


def test_a_task_is_immutable() -> None:
    task = a_task()
    for field in fields(task):
        with pytest.raises(FrozenInstanceError):
            setattr(task, field.name, None)
    assert not hasattr(task, "__dict__")
