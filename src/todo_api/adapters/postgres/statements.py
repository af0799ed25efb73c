"""Every statement that the repository runs, made once with SQLAlchemy Core and compiled for asyncpg.

All of them are a single round trip in autocommit. A write locks the user's row first and takes the next revision from
it; the lock is held until the commit, which is what makes the order of revisions the order of commits.
"""

from collections.abc import Callable, Mapping
from functools import cache
from operator import itemgetter
from typing import Any

from sqlalchemy import (
    ARRAY,
    CTE,
    BigInteger,
    ColumnElement,
    DateTime,
    Integer,
    Text,
    all_,
    bindparam,
    delete,
    false,
    func,
    literal_column,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import asyncpg, insert
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import ClauseElement

from todo_api.adapters.postgres.tables import due_ascending, due_descending, tasks, users
from todo_api.domain.listing import Order, Sort, Status


class Statement:
    """A compiled statement: its text for asyncpg, and the order in which it takes its parameters."""

    __slots__ = ("arguments", "sql")

    def __init__(self, statement: ClauseElement) -> None:
        """Compile the statement."""
        compiled = statement.compile(dialect=asyncpg.dialect())  # type: ignore[no-untyped-call] # SQLAlchemy's
        assert isinstance(compiled, SQLCompiler)  # noqa: S101 - not DDL; tells the type checker
        names = compiled.positiontup or ()
        self.sql = str(compiled)
        self.arguments = _pick(*names)


def _pick(*names: str) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    if len(names) > 1:
        return itemgetter(*names)
    return lambda values: tuple(values[name] for name in names)


_user_id = bindparam("user_id", type_=Text)
_id = bindparam("id", type_=tasks.c.id.type)
_revision = bindparam("revision", type_=BigInteger)
_zero = literal_column("0", BigInteger)  # constants in the text, so that the named parameters are all there are
_one = literal_column("1", BigInteger)
_is_the_task = (tasks.c.user_id == _user_id) & (tasks.c.id == _id)

# Every column but the sort key, in the order in which rows.py reads them.
TASK_COLUMNS = [column for column in tasks.c if column is not tasks.c.title_key]


def _locked_user() -> CTE:
    """The user's row, locked against other writes but not against the foreign keys that refer to it."""
    return (
        select(users.c.id, users.c.revision).where(users.c.id == _user_id).with_for_update(key_share=True).cte("locked")
    )


def _add() -> ClauseElement:
    values = {column.name: bindparam(column.name, type_=column.type) for column in tasks.c if column.name != "revision"}
    upsert = insert(users).values(id=_user_id, revision=_one, created_at=values["created_at"])
    user = (
        upsert.on_conflict_do_update(index_elements=[users.c.id], set_={"revision": users.c.revision + _one})
        .returning(users.c.revision)
        .cte("counted")
    )
    row = select(*values.values(), user.c.revision)
    return insert(tasks).from_select([*values, "revision"], row).returning(tasks.c.revision)


def _save() -> ClauseElement:
    kept = {"user_id", "id", "created_at", "revision"}
    values = {column.name: bindparam(column.name, type_=column.type) for column in tasks.c if column.name not in kept}
    user = _locked_user()
    saved = (
        update(tasks)
        .values(**values, revision=user.c.revision + _one)
        .where(_is_the_task, tasks.c.user_id == user.c.id, tasks.c.revision == _revision)
        .returning(tasks.c.user_id, tasks.c.revision)
        .cte("written")
    )
    return _count(saved)


def _remove(*conditions: ColumnElement[bool]) -> ClauseElement:
    user = _locked_user()
    removed = (
        delete(tasks)
        .where(_is_the_task, tasks.c.user_id == user.c.id, *conditions)
        .returning(tasks.c.user_id, (user.c.revision + _one).label("revision"))
        .cte("written")
    )
    return _count(removed)


def _count(written: CTE) -> ClauseElement:
    """Give the user the revision that the task was written with; without a task, the count stays."""
    return (
        update(users)
        .values(revision=written.c.revision)
        .where(users.c.id == written.c.user_id)
        .returning(users.c.revision)
    )


ADD = Statement(_add())
SAVE = Statement(_save())
REMOVE = Statement(_remove())
REMOVE_AT_REVISION = Statement(_remove(tasks.c.revision == _revision))
GET = Statement(select(*TASK_COLUMNS).where(_is_the_task))

_KEYS: Mapping[tuple[Sort, Order], ColumnElement[Any]] = {
    (Sort.CREATED, Order.ASC): tasks.c.created_at,
    (Sort.CREATED, Order.DESC): tasks.c.created_at,
    (Sort.TITLE, Order.ASC): tasks.c.title_key,
    (Sort.TITLE, Order.DESC): tasks.c.title_key,
    (Sort.DUE_DATE, Order.ASC): due_ascending,
    (Sort.DUE_DATE, Order.DESC): due_descending,
}
_STATUSES: Mapping[Status, tuple[ColumnElement[bool], ...]] = {
    Status.ALL: (),
    Status.PENDING: (tasks.c.completed == false(),),
    Status.COMPLETED: (tasks.c.completed == true(),),
}


@cache
def page(sort: Sort, order: Order, status: Status, *, resumed: bool) -> Statement:
    """Return the statement for a page: the user's revision in every row, and beside it the tasks, if any.

    Parameters: `user_id`, `limit`, `known` (revisions that need no tasks), and for a resumed list `key` and `after`.
    The join has one row on its left, so the tasks keep the order in which the index gives them.
    """
    key = _KEYS[sort, order]
    conditions = [tasks.c.user_id == _user_id, *_STATUSES[status]]
    place = tuple_(key, tasks.c.id)
    if resumed:
        # As a comparison of rows; with OR, PostgreSQL would read the list from its start.
        key_type = Text(collation="C") if sort is Sort.TITLE else DateTime(timezone=True)
        after = tuple_(bindparam("key", type_=key_type), bindparam("after", type_=tasks.c.id.type))
        conditions.append(place > after if order is Order.ASC else place < after)
    revision = select(users.c.revision).where(users.c.id == _user_id).scalar_subquery()
    user = select(func.coalesce(revision, _zero).label("current")).cte("account")
    known = bindparam("known", type_=ARRAY(BigInteger))
    rows = (
        select(*TASK_COLUMNS)
        .where(*conditions, user.c.current != all_(known))
        .order_by(*((key.asc(), tasks.c.id.asc()) if order is Order.ASC else (key.desc(), tasks.c.id.desc())))
        .limit(bindparam("limit", type_=Integer))
        .lateral("page")
    )
    return Statement(select(user.c.current, *rows.c).select_from(user.outerjoin(rows, true())))
