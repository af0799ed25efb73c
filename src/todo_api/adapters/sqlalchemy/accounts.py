"""The accounts in PostgreSQL: each call is one statement, one round trip and one commit."""

from datetime import datetime
from functools import cache
from uuid import UUID

from sqlalchemy import DateTime, Integer, Text, bindparam, case, delete, func, literal_column, select, true

from todo_api.adapters.sqlalchemy.connections import Connections
from todo_api.adapters.sqlalchemy.rows import to_stored_task
from todo_api.adapters.sqlalchemy.statements import TASK_COLUMNS, Statement
from todo_api.adapters.sqlalchemy.tables import live, tasks, users
from todo_api.domain.account import Account
from todo_api.domain.due_date import DueKind
from todo_api.domain.task import Task

_user_id = bindparam("user_id", type_=Text)
_instant = DateTime(timezone=True)


def _account() -> Statement:
    """Count the tasks beside the user's row. Parameters: `user_id`, `now`, and `today`, at which its day began."""
    over_before = case(
        (tasks.c.due_kind == literal_column(f"'{DueKind.DATE}'"), bindparam("today", type_=_instant)),
        else_=bindparam("now", type_=_instant),
    )
    pending = live & ~tasks.c.completed
    kinds = {
        "pending": pending,
        "completed": live & tasks.c.completed,
        "overdue": pending & (tasks.c.due_at < over_before),
        "trash": ~live,
    }
    counts = [func.count().filter(condition).label(name) for name, condition in kinds.items()]
    counted = select(*counts).select_from(tasks).where(tasks.c.user_id == _user_id).subquery("counted")
    row = select(users.c.created_at.label("first_seen_at"), users.c.revision, *counted.c)
    return Statement(row.select_from(users.join(counted, true())).where(users.c.id == _user_id))


@cache
def _export(*, resumed: bool) -> Statement:
    """Return the statement for a page. Parameters: `user_id`, `limit`, and for a resumed export `after`."""
    rows = select(*TASK_COLUMNS, tasks.c.deleted_at).where(tasks.c.user_id == _user_id)
    if resumed:
        rows = rows.where(tasks.c.id > bindparam("after", type_=tasks.c.id.type))
    return Statement(rows.order_by(tasks.c.id).limit(bindparam("limit", type_=Integer)))


_ACCOUNT = _account()
_ERASE = Statement(delete(users).where(users.c.id == _user_id))  # all other tables refer to it, and follow


class SqlAlchemyAccountRepository:
    """Knows the tasks of the repository that has the same database."""

    def __init__(self, connections: Connections) -> None:
        """Take the connections to run statements on."""
        self._connections = connections

    async def account(self, user_id: str, now: datetime) -> Account:
        """Count the user's tasks."""
        today = now.replace(hour=0, minute=0, second=0, microsecond=0)
        rows = await self._connections.read(_ACCOUNT, {"user_id": user_id, "now": now, "today": today})
        return Account(user_id=user_id, **rows[0]) if rows else Account(user_id=user_id)

    async def export(self, user_id: str, limit: int, after: UUID | None = None) -> list[Task]:
        """Return the tasks of the next ids."""
        values = {"user_id": user_id, "limit": limit, "after": after}
        rows = await self._connections.read(_export(resumed=after is not None), values)
        return [to_stored_task(row) for row in rows]

    async def erase(self, user_id: str) -> None:
        """Forget the user."""
        await self._connections.write(_ERASE, {"user_id": user_id})
