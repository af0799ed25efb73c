"""What can go wrong between this program and PostgreSQL, by what can be done about it."""

import asyncpg


class NotRunError(Exception):
    """The connection was lost, and the statement was not run."""


# Nothing is wrong with the statement; the server or the way to it has failed. InterfaceError is asyncpg's own word for
# a connection that is closed, OSError and TimeoutError are the network's.
UNREACHABLE = (
    OSError,
    TimeoutError,
    NotRunError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.LockNotAvailableError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.TransactionRollbackError,
    asyncpg.UndefinedTableError,
    asyncpg.UndefinedColumnError,
)
LOST = (
    ConnectionError,
    NotRunError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
)

# The statement has not been run: asyncpg had read the server's goodbye before it sent anything, or the server said
# goodbye instead of running it.
NOT_RUN = (NotRunError, asyncpg.InternalClientError, asyncpg.AdminShutdownError)

# A migration changed a table, or the statement is on another server after all, behind a pooler that does not show.
STATEMENT_GONE = (asyncpg.InvalidCachedStatementError, asyncpg.InvalidSQLStatementNameError)
