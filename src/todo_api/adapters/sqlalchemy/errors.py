"""Errors of the database: which are outages, and which calls can be retried."""

import asyncio
import logging
import random
import re
from collections.abc import Callable, Coroutine
from functools import partial, wraps
from typing import Any, Concatenate, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

import asyncpg
from sqlalchemy import exc
from sqlalchemy.ext.asyncio import AsyncEngine

from todo_api.adapters.sqlalchemy.tables import UNIQUE_INDEXES
from todo_api.domain.errors import RepositoryUnavailableError

P = ParamSpec("P")
T = TypeVar("T")

_log = logging.getLogger(__name__)
_logged: WeakKeyDictionary[AsyncEngine, str] = WeakKeyDictionary()  # the last outage, until a call succeeds


class NotRunError(Exception):
    """The statement, or the whole transaction, has certainly had no effect."""


# The connection is gone. InterfaceError is asyncpg's error for a closed connection.
LOST = (
    ConnectionError,
    NotRunError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.CrashShutdownError,
    asyncpg.DatabaseDroppedError,
)
# The server, the network or the schema is at fault, not the statement.
_OUTAGE = (
    *LOST,
    OSError,
    TimeoutError,
    asyncpg.LockNotAvailableError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InvalidCachedStatementError,
    asyncpg.InvalidSQLStatementNameError,
    asyncpg.PostgresIOError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.TransactionRollbackError,
    asyncpg.UndefinedTableError,
    asyncpg.UndefinedColumnError,
)
_DATABASE_ERRORS = (exc.SQLAlchemyError, exc.EmulatedDBAPIException, asyncpg.InternalServerError, *_OUTAGE)
# asyncpg read the end of the connection before it sent anything; the server closed the connection instead of running
# the statement; a migration has changed a table, so the prepared statement was refused.
_NOT_RUN = (
    NotRunError,
    asyncpg.InternalClientError,
    asyncpg.AdminShutdownError,
    asyncpg.InvalidCachedStatementError,
    asyncpg.InvalidSQLStatementNameError,
)


# How often a call is repeated that was rolled back, to end a deadlock or because its rows were moving, and the longest
# pause before it. Citus also reports deadlocks that are none, if there are many writers of one user (its issue 1803).
_ROLLBACK_RETRIES = 4
_ROLLBACK_PAUSE = 0.1  # seconds
# Internal errors of Citus: it was moving the rows, or lost a server during a statement.
_MOVED = "could not find valid entry for shard"
_LOST_SERVER = (
    "SSL SYSCALL error",
    "SSL connection has been closed unexpectedly",
    "server closed the connection unexpectedly",
    "could not receive data from server",
    "could not send data to server",
    "terminating connection",  # while it copied rows to that server
    "failed to prepare transaction",
    "failure on connection marked as essential",
)


def driver_error(error: BaseException) -> BaseException:
    """Return asyncpg's error, which SQLAlchemy wraps up to twice, or the error itself if it is not wrapped."""
    if isinstance(error, exc.DBAPIError) and error.orig is not None:
        error = error.orig
    return error.__cause__ or error if isinstance(error, exc.EmulatedDBAPIException) else error


_UNIQUE_INDEX = re.compile(rf"\b({'|'.join(UNIQUE_INDEXES)})(?:_\d+)?\b")


def violated_index(error: BaseException) -> str | None:
    """Return the unique index that a write violates; None if the error is another one.

    Citus adds the number of the shard to the name, which is in the message only, and raises an internal error if the
    rows come from another statement.
    """
    cause = driver_error(error)
    if not isinstance(cause, asyncpg.UniqueViolationError | asyncpg.InternalServerError):
        return None
    found = _UNIQUE_INDEX.search(str(cause))
    return found[1] if found else None


# A method of an adapter whose engine is `engine`.
_Method = Callable[Concatenate[Any, P], Coroutine[Any, Any, T]]


def reads(method: _Method[P, T]) -> _Method[P, T]:
    """Retry the method once if the connection was lost, and a few times if it was rolled back. It must not write.

    Raises:
        RepositoryUnavailableError: The database cannot be used.
    """
    return _retrying(method, lambda error: isinstance(driver_error(error), LOST) or _was_not_run(error))


def writes(method: _Method[P, T]) -> _Method[P, T]:
    """Retry the method once if it certainly had no effect, and a few times if it was rolled back.

    Raises:
        RepositoryUnavailableError: The database cannot be used.
    """
    return _retrying(method, _was_not_run)


def _retrying(method: _Method[P, T], may_retry: Callable[[Exception], bool]) -> _Method[P, T]:
    @wraps(method)
    async def call(adapter: Any, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            result = await _with_retries(partial(method, adapter, *args, **kwargs), may_retry)
        except exc.TimeoutError as error:
            raise RepositoryUnavailableError(str(error)) from error
        except _DATABASE_ERRORS as error:
            cause = driver_error(error)
            if not _is_outage(cause):
                raise
            _log_once(adapter.engine, cause)
            raise RepositoryUnavailableError("the database cannot be reached") from cause
        if _logged:
            _logged.pop(adapter.engine, None)
        return result

    return call  # type: ignore[return-value] # mypy's own type of `wraps`


async def _with_retries(call: Callable[[], Coroutine[Any, Any, T]], may_retry: Callable[[Exception], bool]) -> T:
    retries = 0
    while True:
        try:
            return await call()
        except _DATABASE_ERRORS as error:
            if _is_rolled_back(error) and retries < _ROLLBACK_RETRIES:
                await asyncio.sleep(random.uniform(0, _ROLLBACK_PAUSE))  # noqa: S311 - jitter, not a secret
            elif retries or not may_retry(error):
                raise
            retries += 1


def _is_rolled_back(error: Exception) -> bool:
    """Return whether the same call may succeed in a moment."""
    cause = driver_error(error)
    # Citus also reports moving rows as a serialization error, which PostgreSQL does not raise in READ COMMITTED.
    rolled_back = asyncpg.DeadlockDetectedError | asyncpg.SerializationError
    return isinstance(cause, rolled_back) or _is_internal(cause, _MOVED)


def _is_outage(cause: BaseException) -> bool:
    ends_session = getattr(cause, "severity_en", None) in {"FATAL", "PANIC"}  # whatever the error was
    return ends_session or isinstance(cause, _OUTAGE) or _is_internal(cause, _MOVED, *_LOST_SERVER)


def _is_internal(cause: BaseException, *messages: str) -> bool:
    return isinstance(cause, asyncpg.InternalServerError) and any(message in str(cause) for message in messages)


def is_of_another_server(error: BaseException | None) -> bool:
    """Return whether Citus could not reach the server of the user. The connection to Citus itself is not affected."""
    is_reported = getattr(error, "severity_en", None) == "ERROR"  # asyncpg's own errors have no severity
    return isinstance(error, asyncpg.PostgresConnectionError) and is_reported


def _was_not_run(error: Exception) -> bool:
    cause = driver_error(error)
    if isinstance(cause, asyncpg.ReadOnlySQLTransactionError):
        return isinstance(error, exc.DBAPIError) and error.connection_invalidated  # there may be a new primary
    return isinstance(cause, _NOT_RUN) or isinstance(cause.__cause__, asyncpg.AdminShutdownError)


def _log_once(engine: AsyncEngine, error: BaseException) -> None:
    # The first argument only: PostgreSQL's details quote user text.
    outage = f"{type(error).__name__}: {''.join(map(str, error.args[:1]))}"
    if _logged.get(engine) != outage:
        _log.warning("the database cannot be used: %s", outage)
    _logged[engine] = outage
