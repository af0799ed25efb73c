"""A field of the task is either writable or set by the server; the two lists here are checked against the classes."""

from dataclasses import MISSING, fields

from todo_api.domain.task import Task, TrashedTask
from todo_api.domain.task_changes import WRITABLE_FIELDS, TaskChanges

SET_BY_THE_SERVER = {"id", "user_id", "completed_at", "created_at", "updated_at", "revision"} | {
    "position",
    "series_id",
    "previous_id",
    "next_id",
}


def names(entity: type[Task | TaskChanges]) -> set[str]:
    return {field.name for field in fields(entity)}


def test_a_field_is_writable_or_set_by_the_server() -> None:
    assert names(TaskChanges) == names(Task) - SET_BY_THE_SERVER
    assert set(WRITABLE_FIELDS) == names(TaskChanges)


def test_no_field_of_a_task_has_a_default_that_an_adapter_could_fall_back_to() -> None:
    assert [field.name for field in fields(Task) if field.default is not MISSING] == []


def test_the_trash_adds_only_the_time_of_deletion() -> None:
    assert names(TrashedTask) - names(Task) == {"deleted_at"}
