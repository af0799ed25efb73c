from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from todo_api.domain.checklist import CHECKLIST_MAX_ITEMS, ChecklistItem, clean_checklist, unticked
from todo_api.domain.errors import InvalidValueError


def an_item(title: str = "Step", *, completed: bool = False, item_id: UUID | None = None) -> ChecklistItem:
    return ChecklistItem(id=item_id or uuid4(), title=title, completed=completed)


def test_titles_are_trimmed_and_the_order_stays() -> None:
    items = [an_item(" b "), an_item("a", completed=True)]
    assert clean_checklist(items) == (replace(items[0], title="b"), items[1])
    assert clean_checklist([]) == ()


def test_there_are_up_to_a_hundred_items() -> None:
    items = [an_item() for _ in range(CHECKLIST_MAX_ITEMS)]
    assert clean_checklist(items) == tuple(items)
    with pytest.raises(InvalidValueError):
        clean_checklist([*items, an_item()])


def test_two_items_of_one_id_are_refused() -> None:
    item = an_item()
    with pytest.raises(InvalidValueError):
        clean_checklist([item, an_item("Other", item_id=item.id)])


@pytest.mark.parametrize("title", ["", "  ", "a" * 501, "a\0b", "\ud800"])
def test_a_title_that_a_task_could_not_have_is_refused(title: str) -> None:
    with pytest.raises(InvalidValueError):
        clean_checklist([an_item(), an_item(title)])
    assert clean_checklist([an_item("\U0001f600" * 500)])


def test_unticked_items_keep_all_else() -> None:
    items = clean_checklist([an_item("a", completed=True), an_item("b")])
    assert unticked(items) == tuple(replace(item, completed=False) for item in items)
