from typing import Any
from uuid import UUID

import pytest
from tests.domain.builders import NOW, later

from todo_api.domain.errors import InvalidValueError
from todo_api.domain.task_list import ListChanges, TaskList

LIST_ID = UUID(int=9)


def create(**values: Any) -> TaskList:
    return TaskList.create(list_id=LIST_ID, user_id="ada", values=ListChanges(**values), now=NOW)


def test_a_new_list_has_defaults() -> None:
    assert create(name=" Home ") == TaskList(
        id=LIST_ID,
        user_id="ada",
        name="Home",
        color=None,
        position="",
        created_at=NOW,
        updated_at=NOW,
        revision=0,
    )
    assert create(name="Home", color="#AbCdEf").color == "#AbCdEf"


def test_a_list_needs_a_name() -> None:
    with pytest.raises(InvalidValueError):
        create(color="#abcdef")


@pytest.mark.parametrize("name", ["", " ", "\N{ZERO WIDTH SPACE}", "a" * 101, "a\0", "\ud800"])
def test_a_name_that_cannot_be_seen_or_stored_is_refused(name: str) -> None:
    with pytest.raises(InvalidValueError):
        create(name=name)
    with pytest.raises(InvalidValueError):
        create(name="Home").change(ListChanges(name=name), now=NOW)


def test_a_name_has_up_to_a_hundred_code_points() -> None:
    assert create(name="\U0001f600" * 100).name == "\U0001f600" * 100


@pytest.mark.parametrize("color", ["", "red", "#abc", "#abcdefg", "abcdef", "#abcdef\n", "#ABCDEG", "#１２３４５６"])
def test_a_color_is_six_hexadecimal_digits(color: str) -> None:
    with pytest.raises(InvalidValueError):
        create(name="Home", color=color)


def test_a_change_sets_what_is_given_and_its_time() -> None:
    made = create(name="Home", color="#abcdef")
    assert made.change(ListChanges(), now=later(1)) is made
    assert made.change(ListChanges(name="Home ", color="#abcdef"), now=later(1)) is made
    changed = made.change(ListChanges(color=None), now=later(1))
    assert (changed.name, changed.color, changed.created_at, changed.updated_at) == ("Home", None, NOW, later(1))
    assert changed.change(ListChanges(name="New"), now=NOW).updated_at == later(1)  # the clock stepped back


def test_a_list_comes_out_of_the_trash_as_it_was() -> None:
    made = create(name="Home", color="#abcdef")
    gone = made.discard(now=later(5))
    assert gone.deleted_at == later(5)
    assert gone.restore() == made
