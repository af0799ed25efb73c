"""Load the tasks and lists that an edit selects. The user must be locked, so that nobody changes them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from todo_api.adapters.sqlalchemy.execution import execute
from todo_api.adapters.sqlalchemy.mapping import LIST_COLUMNS, TASK_COLUMNS, to_stored_list, to_stored_task
from todo_api.adapters.sqlalchemy.tables import lists, live, live_list, manual_position, series_number, tasks
from todo_api.domain.selection import WINDOW, Selection
from todo_api.domain.series import related_occurrences
from todo_api.domain.task import Task, TrashedTask
from todo_api.domain.task_list import TaskList

_owner = sa.bindparam("owner", type_=sa.Text)
_ids = sa.bindparam("ids", type_=sa.ARRAY(tasks.c.id.type))
_mine = sa.select(*TASK_COLUMNS, tasks.c.deleted_at).where(tasks.c.user_id == _owner)
# Lists whose tasks are loaded beside the windows: deleting one would leave holes in a window.
_apart = sa.bindparam("apart", type_=sa.ARRAY(tasks.c.list_id.type))
_nearest = _mine.where(live, sa.or_(tasks.c.list_id.is_(None), tasks.c.list_id != sa.all_(_apart)))
_window = sa.literal_column(str(WINDOW), sa.Integer)
_my_lists = sa.select(*LIST_COLUMNS, lists.c.deleted_at).where(lists.c.user_id == _owner)
_one_row = sa.literal_column("1", sa.Integer)


def _tasks() -> sa.Select[Any]:
    """Return the statement for tasks, and those that came of them."""
    given = sa.select(sa.func.unnest(_ids).label("id"))
    followed = sa.select(tasks.c.next_id).where(
        tasks.c.user_id == _owner, tasks.c.id == sa.func.any(_ids), tasks.c.next_id.is_not(None)
    )
    both = sa.func.array(sa.union_all(given, followed).scalar_subquery(), type_=sa.ARRAY(tasks.c.id.type))
    return _mine.where(tasks.c.id == sa.func.any(both))


def _around() -> sa.Select[Any]:
    """Return the statement for what stands at places in the manual order, and its neighbours on both sides."""
    positions = sa.bindparam("positions", type_=sa.ARRAY(sa.Text(collation="C")))
    place = sa.func.unnest(positions).table_valued(sa.column("position", sa.Text(collation="C")))
    place = place.render_derived(name="place")
    here, there = manual_position, place.c.position
    following = _nearest.where(here > there).order_by(here.asc(), tasks.c.id.asc()).limit(_window).lateral("following")
    preceding = (
        _nearest.where(here < there).order_by(here.desc(), tasks.c.id.desc()).limit(_window).lateral("preceding")
    )
    every = sa.union_all(
        _mine.where(live, here == sa.func.any(positions)),
        sa.select(*following.c).select_from(place.join(following, sa.true())),
        sa.select(*preceding.c).select_from(place.join(preceding, sa.true())),
    ).subquery()
    return sa.select(*every.c)


def _occurrences() -> sa.Select[Any]:
    """Return the statement for occurrences of series, outside the trash."""
    arrays = (
        sa.bindparam("series_ids", type_=sa.ARRAY(tasks.c.series_id.type)),
        sa.bindparam("numbers", type_=sa.ARRAY(sa.Integer)),
    )
    columns = (sa.column("series_id", tasks.c.series_id.type), sa.column("number", sa.Integer))
    wanted = sa.func.unnest(*arrays).table_valued(*columns).render_derived(name="wanted")
    same = sa.and_(tasks.c.series_id == wanted.c.series_id, series_number == wanted.c.number)
    return _mine.join(wanted, same).where(live, tasks.c.recurrence.is_not(None))


def _lists_by_id() -> sa.Select[Any]:
    """Return the statement for lists, each by its key: for all at once, a cached plan may read all of the user."""
    given = sa.func.unnest(_ids).table_valued(sa.column("id", lists.c.id.type)).render_derived(name="given")
    found = _my_lists.where(lists.c.id == given.c.id).limit(_one_row).lateral("found")
    return sa.select(*found.c).select_from(given.join(found, sa.true()))


_TASKS = _tasks()
_AROUND = _around()
_FIRST = _nearest.order_by(manual_position, tasks.c.id).limit(_window)
_LAST = _nearest.order_by(manual_position.desc(), tasks.c.id.desc()).limit(_window)
_IN_LISTS = _mine.where(tasks.c.list_id == sa.func.any(_ids))
_TAGGED = _mine.where(live, tasks.c.tag_keys.op("?|")(sa.bindparam("keys", type_=sa.ARRAY(sa.Text))))
_OCCURRENCES = _occurrences()
# Two statements: one with OR would read all lists of the trash.
ALL_LISTS = _my_lists.where(live_list)
LISTS = _lists_by_id()


@dataclass(frozen=True, slots=True)
class Loader:
    """Loads what belongs to one user, over one connection."""

    connection: AsyncConnection
    user_id: str

    async def load(self, selection: Selection) -> tuple[list[Task], list[TaskList]]:
        """Return the selected tasks and lists; each statement runs only if it is needed."""
        found: dict[UUID, Task] = {}
        if ids := selection.tasks | selection.around:
            found |= await self._load(_TASKS, ids=list(ids))
        apart = list(selection.in_lists)
        if positions := {found[task_id].position for task_id in selection.around if task_id in found}:
            found |= await self._load(_AROUND, positions=list(positions), apart=apart)
        if selection.first:
            found |= await self._load(_FIRST, apart=apart)
        if selection.around & selection.at_end:
            found |= await self._load(_LAST, apart=apart)
        if selection.in_lists:
            found |= await self._load(_IN_LISTS, ids=list(selection.in_lists))
        if selection.tagged:
            found |= await self._load(_TAGGED, keys=list(selection.tagged))
        if occurrences := selection.occurrences | related_occurrences(found.values()):
            series_ids, numbers = zip(*occurrences, strict=True)
            found |= await self._load(_OCCURRENCES, series_ids=list(series_ids), numbers=list(numbers))
        return list(found.values()), await self._lists(selection, found.values())

    async def _load(self, statement: sa.Select[Any], **values: Any) -> dict[UUID, Task]:
        rows = await execute(self.connection, statement, {"owner": self.user_id, **values})
        return {row["id"]: to_stored_task(row) for row in rows}

    async def _lists(self, selection: Selection, loaded: Iterable[Task]) -> list[TaskList]:
        of_trash = {task.list_id for task in loaded if isinstance(task, TrashedTask) and task.list_id}
        found: dict[UUID, TaskList] = {}
        if ids := selection.lists | of_trash:
            found |= await self._load_lists(LISTS, ids=list(ids))
        if selection.all_lists:
            found |= await self._load_lists(ALL_LISTS)
        return list(found.values())

    async def _load_lists(self, statement: sa.Select[Any], **values: Any) -> dict[UUID, TaskList]:
        rows = await execute(self.connection, statement, {"owner": self.user_id, **values})
        return {row["id"]: to_stored_list(row) for row in rows}
