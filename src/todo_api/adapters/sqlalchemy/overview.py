"""The statements that count a user's tasks by view, list and tag: each reads the account once."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from todo_api.adapters.sqlalchemy.execution import Row
from todo_api.adapters.sqlalchemy.filters import in_range, range_values
from todo_api.adapters.sqlalchemy.tables import lists, live_list, tasks
from todo_api.domain.overview import Counts, DueViews, TagCount

_owner = sa.bindparam("owner", type_=sa.Text)
_VIEWS = tuple(field.name for field in fields(DueViews))


def _mine(*views: sa.ColumnElement[bool]) -> sa.CTE:
    """Return what is counted of each task, those in the trash included, and in which of the views it is."""
    columns = (tasks.c.list_id, tasks.c.tags, tasks.c.tag_keys, tasks.c.due_at)
    is_live = tasks.c.deleted_at.is_(None)
    is_pending = sa.and_(is_live, ~tasks.c.completed)
    mine = sa.select(*columns, is_live.label("live"), is_pending.label("pending"), *views)
    return mine.where(tasks.c.user_id == _owner).cte("mine")


def _tags(mine: sa.CTE) -> sa.Select[*tuple[Any, ...]]:
    """Return a row for each tag: its key, the first of its spellings, and the numbers of tasks."""
    tag = (
        sa.func.jsonb_array_elements_text(mine.c.tags)
        .table_valued(sa.column("name", sa.Text), with_ordinality="place")
        .render_derived(name="tag")
    )
    place = sa.cast(tag.c.place, sa.Integer) - sa.literal_column("1")
    key = mine.c.tag_keys.op("->>", return_type=sa.Text())(place).collate("C")
    return (
        sa.select(key.label("key"), sa.func.min(tag.c.name.collate("C")).label("name"), *_numbers(mine))
        .select_from(mine.join(tag, sa.true()))
        .where(mine.c.live)
        .group_by(key)
    )


def _lists(mine: sa.CTE) -> sa.Select[*tuple[Any, ...]]:
    """Return a row for each list, empty ones included, and for the inbox: its id, and the numbers of tasks."""
    zero, one = sa.literal_column("0", sa.Integer), sa.literal_column("1", sa.Integer)
    of_tasks = sa.select(
        mine.c.list_id, one.label("tasks"), sa.cast(mine.c.pending, sa.Integer).label("pending")
    ).where(mine.c.live)
    of_lists = sa.select(lists.c.id, zero, zero).where(lists.c.user_id == _owner, live_list)
    each = sa.union_all(of_tasks, of_lists).subquery()
    return sa.select(each.c.list_id, sa.func.sum(each.c.tasks), sa.func.sum(each.c.pending)).group_by(each.c.list_id)


def _numbers(mine: sa.CTE) -> tuple[sa.ColumnElement[int], sa.ColumnElement[int]]:
    return sa.func.count().label("tasks"), sa.func.count().filter(mine.c.pending).label("pending")


def _in_one(rows: sa.Select[*tuple[Any, ...]]) -> sa.ColumnElement[str]:
    """Return the rows as the text of a JSON array of arrays."""
    found = rows.subquery()
    document = sa.func.coalesce(sa.func.jsonb_agg(sa.func.jsonb_build_array(*found.c)), sa.text("'[]'::jsonb"))
    return sa.select(sa.cast(document, sa.Text)).select_from(found).scalar_subquery()


def _counts() -> sa.Select[*tuple[Any, ...]]:
    mine = _mine(*(in_range(name).label(name) for name in _VIEWS))
    conditions = {
        "pending": mine.c.pending,
        "completed": sa.and_(mine.c.live, ~mine.c.pending),
        **{name: sa.and_(mine.c.pending, mine.c[name]) for name in _VIEWS},
        "without_date": sa.and_(mine.c.pending, mine.c.due_at.is_(None)),
        "trash": ~mine.c.live,
    }
    counts = (sa.func.count().filter(condition).label(name) for name, condition in conditions.items())
    return sa.select(*counts, _in_one(_lists(mine)).label("lists"), _in_one(_tags(mine)).label("tags")).select_from(
        mine
    )


COUNTS = _counts()
TAGS = _tags(_mine())


def view_values(views: DueViews) -> dict[str, Any]:
    """Return the parameters of COUNTS, beside the owner."""
    values: dict[str, Any] = {}
    for name in _VIEWS:
        values |= range_values(name, getattr(views, name))
    return values


def to_counts(row: Row) -> Counts:
    """Return the counts of the row of COUNTS."""
    lists = {
        None if list_id is None else UUID(list_id): (count, pending)
        for list_id, count, pending in json.loads(row["lists"])
    }
    tags = [TagCount(*values) for values in json.loads(row["tags"])]
    numbers: Mapping[str, int] = {name: value for name, value in row.items() if name not in {"lists", "tags"}}
    return Counts(**numbers, lists=lists, tags=sorted(tags, key=lambda tag: tag.key))


def to_tags(rows: Iterable[Row]) -> list[TagCount]:
    """Return the tags of the rows of TAGS."""
    return sorted((TagCount(**row) for row in rows), key=lambda tag: tag.key)
