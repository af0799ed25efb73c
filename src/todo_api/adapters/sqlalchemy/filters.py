"""The filters of lists, as conditions with parameters."""

import json
from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa

from todo_api.adapters.sqlalchemy.json_text import JsonText
from todo_api.adapters.sqlalchemy.tables import tasks
from todo_api.domain.due_date import BEGINNING_OF_TIME, END_OF_TIME, DueKind
from todo_api.domain.due_views import DueRange, DueView, Span
from todo_api.domain.filters import NO_FILTER, TaskFilter
from todo_api.domain.task_changes import PRIORITIES, UNSET


def in_range(name: str) -> sa.ColumnElement[bool]:
    """Return the condition that the due date is in a range, whose parameters `range_values` returns."""

    def within(kind: DueKind) -> sa.ColumnElement[bool]:
        start, end = (sa.bindparam(f"{name}_{kind}_{edge}", type_=tasks.c.due_at.type) for edge in ("start", "end"))
        return sa.and_(tasks.c.due_at >= start, tasks.c.due_at < end)

    return sa.case(
        *(
            (tasks.c.due_kind == sa.literal_column(f"'{kind}'"), within(kind))
            for kind in (DueKind.DATE, DueKind.FLOATING)
        ),
        else_=within(DueKind.INSTANT),
    )


def range_values(name: str, due_dates: DueRange) -> dict[str, Any]:
    """Return the parameters of `in_range`."""
    spans: dict[DueKind, Span] = {
        DueKind.DATE: due_dates.date,
        DueKind.FLOATING: due_dates.floating,
        DueKind.INSTANT: due_dates.instant,
    }
    return {
        f"{name}_{kind}_{edge}": value
        for kind, span in spans.items()
        for edge, value in (("start", span.start or BEGINNING_OF_TIME), ("end", span.end or END_OF_TIME))
    }


CONDITIONS: Final[Mapping[str, sa.ColumnElement[bool]]] = {
    "list": tasks.c.list_id == sa.bindparam("list_id", type_=tasks.c.list_id.type),
    "inbox": tasks.c.list_id.is_(None),
    "tags": tasks.c.tag_keys.op("@>")(sa.bindparam("tags", type_=JsonText)),
    "priorities": tasks.c.priority == sa.func.any(sa.bindparam("priorities", type_=sa.ARRAY(sa.SmallInteger))),
    "due": in_range("due"),
    "no due date": tasks.c.due_at.is_(None),
    "pending": ~tasks.c.completed,
    "words": tasks.c.words.like(sa.all_(sa.bindparam("patterns", type_=sa.ARRAY(sa.Text(collation="C"))))),
    "nothing": sa.false(),
}


def conditions(given: TaskFilter) -> tuple[frozenset[str], dict[str, Any]]:
    """Return the names of the conditions that the filter needs, and their parameters."""
    needed: dict[str, dict[str, Any]] = {}
    if given is NO_FILTER:  # most lists
        return frozenset(), {}
    if given.list_id is not UNSET:
        needed |= {"inbox": {}} if given.list_id is None else {"list": {"list_id": given.list_id}}
    if given.tags:
        needed["tags"] = {"tags": json.dumps(given.tags)}
    if given.priorities:
        needed["priorities"] = {"priorities": [PRIORITIES.index(priority) for priority in given.priorities]}
    if given.due is DueView.NONE:
        needed["no due date"] = {}
    if given.due is DueView.OVERDUE:
        needed["pending"] = {}
    if given.due_dates is not None:
        needed["due"] = range_values("due", given.due_dates)
    if given.beginnings is not None:
        patterns = [f"% {beginning}%" for beginning in given.beginnings]
        needed |= {"words": {"patterns": patterns}} if patterns else {"nothing": {}}
    return frozenset(needed), {name: value for values in needed.values() for name, value in values.items()}
