"""Schema changes for migrations of a live database: no request waits longer than a catalog change takes.

Each step is a transaction of its own and locks at most one table: a step that locked two could deadlock with requests.
So a migration may stop between two steps, and each step must be repeatable.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from alembic import op
from sqlalchemy import TextClause
from sqlalchemy.exc import DBAPIError

T = TypeVar("T")

# Seconds between two attempts to get a lock, for the requests that have queued behind the first.
_PAUSE = 0.5
_LOCK_NOT_AVAILABLE = "55P03"


def change(step: Callable[[], T]) -> T:
    """Run a fast step, such as adding a column, with retries while its lock is not available; return its result."""
    return _change(step, op.get_context().opts["lock_attempts"])


def _change(step: Callable[[], T], attempts: int) -> T:
    try:
        with op.get_bind().begin_nested():
            result = step()
    except DBAPIError as error:
        if attempts == 1 or getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
            raise
        _commit()
        time.sleep(_PAUSE)
        return _change(step, attempts - 1)
    _commit()
    return result


def replace_index(
    name: str, table: str, columns: Sequence[Any], where: TextClause | None = None, *, unique: bool = False
) -> None:
    """Build an index, and replace the one of that name with it, if there is one."""
    new = f"{name}_new"
    with op.get_context().autocommit_block():
        op.drop_index(new, table, if_exists=True, postgresql_concurrently=True)  # left by an interrupted run
        op.create_index(new, table, columns, unique=unique, postgresql_where=where, postgresql_concurrently=True)

    def swap() -> None:
        op.drop_index(name, table, if_exists=True)
        op.execute(f"ALTER INDEX {new} RENAME TO {name}")

    change(swap)


def _commit() -> None:
    with op.get_context().autocommit_block():
        pass
