"""Changes of a schema that is in use, for migrations: a request never waits for longer than a change of the catalog.

Each step is a transaction of its own, which takes the lock of one table at most: one that held a table and asked for
another would meet the requests that hold the other and ask for the first. So a migration may break off between two
steps, and its steps have to be such that all of them can be run again.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from alembic import op
from sqlalchemy import TextClause
from sqlalchemy.exc import DBAPIError

T = TypeVar("T")

# Seconds between two attempts to get a lock, in which those pass who have queued behind the first.
_PAUSE = 0.5
_LOCK_NOT_AVAILABLE = "55P03"


def change(step: Callable[[], T]) -> T:
    """Do what takes no time, such as adding a column, once the lock can be had; return what the step does."""
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


def replace_index(name: str, table: str, columns: Sequence[Any], where: TextClause | None = None) -> None:
    """Build an index beside the one of that name, if there is one, and then put it into its place."""
    new = f"{name}_new"
    with op.get_context().autocommit_block():
        op.drop_index(new, table, if_exists=True, postgresql_concurrently=True)  # of a run that broke off
        op.create_index(new, table, columns, postgresql_where=where, postgresql_concurrently=True)

    def swap() -> None:
        op.drop_index(name, table, if_exists=True)
        op.execute(f"ALTER INDEX {new} RENAME TO {name}")

    change(swap)


def _commit() -> None:
    with op.get_context().autocommit_block():
        pass
