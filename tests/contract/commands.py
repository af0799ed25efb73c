"""Random operations on few ids, so that they meet."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from tests.domain.builders import NOW

from todo_api.domain import operations as does
from todo_api.domain.checklist import ChecklistItem
from todo_api.domain.due_views import DueView
from todo_api.domain.filters import TaskFilter
from todo_api.domain.listing import Order, Sort, Status, TaskQuery
from todo_api.domain.operations import Operation
from todo_api.domain.records import After, Before, End
from todo_api.domain.recurrence import CountedFrom, Recurrence
from todo_api.domain.task_changes import UNSET, WRITABLE_FIELDS, Priority, TaskChanges
from todo_api.domain.task_list import ListChanges

task_ids = st.integers(1, 8).map(lambda number: UUID(int=number))
list_ids = st.integers(1, 3).map(lambda number: UUID(int=number))  # a task and a list may have the same id
few_titles = st.text("aAäÄß_ .日\U0001f600", min_size=1, max_size=3).filter(lambda text: text.strip(" "))
few_due_dates = st.sampled_from(
    [
        None,
        date(2026, 1, 31),
        datetime(2026, 1, 31),  # noqa: DTZ001
        datetime(2026, 6, 1, tzinfo=UTC),
        datetime(2026, 6, 1, 12, tzinfo=UTC),
        date(2, 1, 1),
        date.max,
    ]
)
few_tags = st.lists(st.sampled_from(["a", "A", "é", "b"]), max_size=3)
recurrences = st.builds(
    Recurrence.parse,
    st.sampled_from(["FREQ=DAILY", "FREQ=MONTHLY;COUNT=3", "FREQ=WEEKLY;UNTIL=20260615"]),
    st.sampled_from(CountedFrom),
    st.sampled_from(["UTC", "Pacific/Kiritimati"]),
)
checklists = st.lists(
    st.builds(ChecklistItem, id=task_ids, title=few_titles, completed=st.booleans()),
    max_size=2,
    unique_by=lambda item: item.id,
)


def perhaps(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.just(UNSET) | values


CHANGES = {
    "title": few_titles,
    "description": st.none() | few_titles,
    "completed": st.booleans(),
    "due_date": few_due_dates,
    "list_id": st.none() | list_ids,
    "priority": st.none() | st.sampled_from(Priority),
    "tags": st.none() | few_tags,
    "checklist": st.none() | checklists,
    "recurrence": st.none() | recurrences,
}
assert CHANGES.keys() == set(WRITABLE_FIELDS), "each field that users write needs values in CHANGES"
changes = st.builds(TaskChanges, **{name: perhaps(values) for name, values in CHANGES.items()})
places = st.builds(Before, task_ids) | st.builds(After, task_ids) | st.sampled_from(End)
list_places = st.builds(Before, list_ids) | st.builds(After, list_ids) | st.sampled_from(End)
list_changes = st.builds(
    ListChanges, name=perhaps(few_titles), color=perhaps(st.sampled_from([None, "#000000", "#fFfFfF"]))
)

operations: st.SearchStrategy[Operation] = st.one_of(
    st.builds(does.Create, task_ids, changes),
    st.builds(does.Change, task_ids, changes),
    st.builds(does.Complete, task_ids, st.sampled_from([None, True, False])),
    st.builds(does.Complete, task_ids, st.none()),
    st.builds(does.Skip, task_ids),
    st.builds(does.Move, task_ids, places, perhaps(st.none() | list_ids)),
    st.builds(does.Move, task_ids, places),
    st.builds(does.Delete, task_ids),
    st.builds(does.Restore, task_ids),
    st.builds(does.Purge, task_ids),
    st.builds(does.EmptyTrash),
    st.builds(does.Retag, st.sampled_from(["a", "é", "b"]), st.sampled_from([None, "A", "b", "c"])),
    st.builds(does.CreateList, list_ids, list_changes),
    st.builds(does.ChangeList, list_ids, list_changes),
    st.builds(does.DeleteList, list_ids, st.booleans()),
    st.builds(does.RestoreList, list_ids),
    st.builds(does.MoveList, list_ids, list_places),
)
filters = st.builds(
    TaskFilter,
    list_id=perhaps(st.none() | list_ids),
    tags=st.lists(st.sampled_from(["a", "é", "b"]), max_size=2).map(tuple),
    priorities=st.lists(st.sampled_from(Priority), max_size=2).map(tuple),
    due=st.none() | st.sampled_from(DueView),
    due_from=st.none() | few_due_dates,
    due_before=st.none() | few_due_dates,
    time_zone=st.sampled_from(["UTC", "Pacific/Kiritimati"]),
    q=st.none() | few_titles,
    now=st.just(NOW),
)
queries = st.builds(
    TaskQuery,
    status=st.sampled_from(Status),
    sort=st.sampled_from(Sort),
    order=st.sampled_from(Order),
    limit=st.integers(1, 3),
    filter=st.just(TaskFilter()) | filters,
)
