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
    Update,
    all_,
    bindparam,
    cast,
    delete,
    false,
    func,
    literal_column,
    null,
    select,
    true,
    tuple_,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import asyncpg, insert
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import ClauseElement

from todo_api.adapters.sqlalchemy.tables import due_ascending, due_descending, live, tasks, tombstones, users
from todo_api.domain.listing import Order, Sort, Status


class Statement:
    """A compiled statement: its text for asyncpg, the order in which it takes its parameters, and what it does."""

    __slots__ = ("arguments", "operation", "sql")

    def __init__(self, statement: ClauseElement) -> None:
        """Compile the statement."""
        compiled = statement.compile(dialect=asyncpg.dialect())  # type: ignore[no-untyped-call] # SQLAlchemy's
        assert isinstance(compiled, SQLCompiler)  # noqa: S101 - not DDL; tells the type checker
        names = compiled.positiontup or ()
        self.sql = str(compiled)
        self.operation = statement.__visit_name__.upper()
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
_quota = bindparam("quota", type_=Integer)
_now = bindparam("now", type_=DateTime(timezone=True))

# Every column but the sort key, in the order in which rows.py reads them.
TASK_COLUMNS = [column for column in tasks.c if column.name not in {"title_key", "deleted_at"}]


def _locked_user() -> CTE:
    """The user's row, locked against other writes but not against the foreign keys that refer to it."""
    return (
        select(users.c.id, users.c.revision, users.c.live_tasks)
        .where(users.c.id == _user_id)
        .with_for_update(key_share=True)
        .cte("locked")
    )


def _add() -> ClauseElement:
    given = {"revision", "deleted_at"}
    values = {column.name: bindparam(column.name, type_=column.type) for column in tasks.c if column.name not in given}
    start = bindparam("start", type_=BigInteger)
    upsert = insert(users).values(
        id=_user_id, revision=start + _one, floor=start, live_tasks=_one, created_at=values["created_at"]
    )
    user = (
        upsert.on_conflict_do_update(
            index_elements=[users.c.id],
            set_={"revision": users.c.revision + _one, "live_tasks": users.c.live_tasks + _one},
            where=users.c.live_tasks < _quota,
        )
        .returning(users.c.revision)
        .cte("counted")
    )
    row = select(*values.values(), user.c.revision)
    return insert(tasks).from_select([*values, "revision"], row).returning(tasks.c.revision)


def _save() -> ClauseElement:
    kept = {"user_id", "id", "created_at", "revision", "deleted_at"}
    values = {column.name: bindparam(column.name, type_=column.type) for column in tasks.c if column.name not in kept}
    user = _locked_user()
    saved = (
        update(tasks)
        .values(**values, revision=user.c.revision + _one)
        .where(_is_the_task, live, tasks.c.user_id == user.c.id, tasks.c.revision == _revision)
        .returning(tasks.c.user_id, tasks.c.revision)
        .cte("written")
    )
    return _count(saved).returning(saved.c.revision)


def _remove(*conditions: ColumnElement[bool]) -> ClauseElement:
    user = _locked_user()
    removed = (
        update(tasks)
        .values(deleted_at=_now, revision=user.c.revision + _one)
        .where(_is_the_task, live, tasks.c.user_id == user.c.id, *conditions)
        .returning(tasks.c.user_id, tasks.c.id, tasks.c.revision, tasks.c.deleted_at)
        .cte("written")
    )
    grave = insert(tombstones).from_select(["user_id", "id", "revision", "deleted_at"], select(removed))
    # An old one may be there of a task that was purged and made anew under its id.
    grave = grave.on_conflict_do_update(
        index_elements=[tombstones.c.user_id, tombstones.c.id],
        set_={"revision": grave.excluded.revision, "deleted_at": grave.excluded.deleted_at},
    )
    return (
        _count(removed, live_tasks=users.c.live_tasks - _one).returning(removed.c.revision).add_cte(grave.cte("buried"))
    )


def _restore() -> ClauseElement:
    user = _locked_user()
    restored = (
        update(tasks)
        .values(deleted_at=null(), revision=user.c.revision + _one)
        .where(_is_the_task, ~live, tasks.c.user_id == user.c.id, user.c.live_tasks < _quota)
        .returning(*TASK_COLUMNS)
        .cte("written")
    )
    risen = (
        delete(tombstones)
        .where(tombstones.c.user_id == restored.c.user_id, tombstones.c.id == restored.c.id)
        .cte("risen")
    )
    return _count(restored, live_tasks=users.c.live_tasks + _one).returning(*restored.c).add_cte(risen)


def _count(written: CTE, **counts: ColumnElement[int]) -> Update:
    """Give the user the revision that the task was written with; without a task, the counts stay."""
    return update(users).values(revision=written.c.revision, **counts).where(users.c.id == written.c.user_id)


ADD = Statement(_add())
SAVE = Statement(_save())
REMOVE = Statement(_remove())
REMOVE_AT_REVISION = Statement(_remove(tasks.c.revision == _revision))
RESTORE = Statement(_restore())
STATE = Statement(select(tasks.c.revision, (~live).label("in_trash")).where(_is_the_task))
GET = Statement(select(*TASK_COLUMNS).where(_is_the_task, live))

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
    conditions = [tasks.c.user_id == _user_id, live, *_STATUSES[status]]
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


def _purge(*conditions: ColumnElement[bool]) -> ClauseElement:
    """Remove what is in the trash. The revision stays, but an edit that has read a task there must end first."""
    user = _locked_user()
    mine = (tasks.c.user_id == _user_id) & (tasks.c.user_id == user.c.id)
    return delete(tasks).where(mine, ~live, *conditions).returning(tasks.c.id)


PURGE = Statement(_purge(tasks.c.id == _id))
PURGE_ALL = Statement(_purge())


@cache
def trash(*, resumed: bool) -> Statement:
    """Return the statement for a page of the trash. Parameters: those of `page`, but for `known`."""
    conditions = [tasks.c.user_id == _user_id, ~live]
    if resumed:
        after = tuple_(bindparam("key", type_=_now.type), bindparam("after", type_=_id.type))
        conditions.append(tuple_(tasks.c.deleted_at, tasks.c.id) < after)
    rows = select(*TASK_COLUMNS, tasks.c.deleted_at).where(*conditions)
    rows = rows.order_by(tasks.c.deleted_at.desc(), tasks.c.id.desc())
    return Statement(rows.limit(bindparam("limit", type_=Integer)))


def _changes() -> ClauseElement:
    """What a user's tasks and tombstones of later revisions are, in their order, behind the user's own row.

    Parameters: `user_id`, `limit`, the point `since` and `since_id`, and `whole`, up to which there is nothing new. A
    tombstone is a row that has no title.
    """
    since = tuple_(bindparam("since", type_=BigInteger), bindparam("since_id", type_=_id.type))
    whole = bindparam("whole", type_=BigInteger)
    limit = bindparam("limit", type_=Integer)
    row = select(users.c.revision, users.c.floor).where(users.c.id == _user_id).subquery()
    nobody = select(_one.label("one")).subquery()
    current = func.coalesce(row.c.revision, _zero).label("current")
    user = select(current, func.coalesce(row.c.floor, _zero).label("floor"))
    account = user.select_from(nobody.outerjoin(row, true())).cte("account")
    # The conditions on the user's row keep PostgreSQL from looking at the others where nothing has changed.
    later = (
        select(*TASK_COLUMNS)
        .where(
            tasks.c.user_id == _user_id, live, tuple_(tasks.c.revision, tasks.c.id) > since, account.c.current > whole
        )
        .order_by(tasks.c.revision, tasks.c.id)
        .limit(limit)
    )
    names = {"user_id", "id", "revision"}
    blanks = [
        getattr(tombstones.c, column.name) if column.name in names else cast(null(), column.type).label(column.name)
        for column in TASK_COLUMNS
    ]
    # A task that was purged and made anew under its id has an old tombstone, which would take it away again. It is
    # looked up for each tombstone, as a scalar: NOT EXISTS lets PostgreSQL read all tasks instead.
    risen = (
        select(tasks.c.revision)
        .where(tasks.c.user_id == tombstones.c.user_id, tasks.c.id == tombstones.c.id, live)
        .scalar_subquery()
    )
    buried = (
        select(*blanks)
        .where(
            risen.is_(None),
            tombstones.c.user_id == _user_id,
            tuple_(tombstones.c.revision, tombstones.c.id) > since,
            account.c.current > whole,
        )
        .order_by(tombstones.c.revision, tombstones.c.id)
        .limit(limit)
    )
    both = union_all(later.subquery().select(), buried.subquery().select()).subquery()
    rows = select(*both.c).order_by(both.c.revision, both.c.id).limit(limit).subquery("changes")
    return select(account.c.current, account.c.floor, *rows.c).select_from(account.outerjoin(rows, true()))


CHANGES = Statement(_changes())
