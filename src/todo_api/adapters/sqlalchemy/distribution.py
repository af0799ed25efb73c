"""Distribute the tables over several servers with Citus: by user, so that each user's rows are on one server.

See "Create and Modify Distributed Objects" in the manual of Citus.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from asyncpg import DeadlockDetectedError, LockNotAvailableError, QueryCanceledError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from todo_api.adapters.sqlalchemy.driver import DatabaseConfig
from todo_api.adapters.sqlalchemy.engine import create_engine
from todo_api.adapters.sqlalchemy.errors import driver_error
from todo_api.adapters.sqlalchemy.tables import database_identity, metadata, users

# The column by which each table is distributed: the user's id, with which each primary key begins. `users` is first.
DISTRIBUTION_COLUMNS = {
    table.name: table.primary_key.columns[0].name for table in metadata.sorted_tables if table is not database_identity
}
# The same on all servers: small, and read by all.
REFERENCE_TABLES = ("alembic_version",)

_LOCK = 0x73686172  # an arbitrary advisory lock
_LOCK_ATTEMPTS = 15
_CONNECTION_TIMEOUT = "2s"
_PAUSE = 0.5  # seconds between two attempts, for the requests that have queued behind the first
# Requests queue behind a waiting change of a table. A copy may take long.
_SETTINGS = {"lock_timeout": "2s", "statement_timeout": "0"}


class NotDistributableError(Exception):
    """The database cannot be distributed; the message says what to do."""


@dataclass(frozen=True, slots=True)
class ClusterProblems:
    """What is to be done in a cluster.

    Attributes:
        unreachable: The workers that the coordinator cannot connect to, as `host:port`. While there are some, the
            tables are not looked at.
        unfinished: The tables that are not distributed yet, or have no foreign key yet.
    """

    unreachable: Sequence[str] = ()
    unfinished: Sequence[str] = ()


async def cluster_problems(config: DatabaseConfig) -> ClusterProblems | None:
    """Return what is wrong with the cluster; None if the database has no Citus."""
    engine = create_engine(config)
    try:
        async with engine.connect() as connection:
            if not await _has_citus(connection):
                return None
            if unreachable := await _unreachable(connection):
                return ClusterProblems(unreachable=unreachable)
            local = await _local_tables(connection)
            without_key = [table for table in await _without_foreign_key(connection) if table not in local]
            return ClusterProblems(unfinished=local + without_key)
    finally:
        await engine.dispose()


async def _unreachable(connection: AsyncConnection) -> list[str]:
    await connection.execute(
        sa.select(sa.func.set_config("citus.node_connection_timeout", _CONNECTION_TIMEOUT, sa.false()))
    )
    rows = await connection.execute(
        sa.text(
            "SELECT nodename || ':' || nodeport FROM pg_dist_node"
            " WHERE isactive AND groupid > 0 AND NOT citus_check_connection_to_node(nodename, nodeport)"
        )
    )
    return list(rows.scalars())


async def distribute(config: DatabaseConfig, reminder: float = 60.0) -> AsyncIterator[str]:
    """Distribute the tables that are still local, and yield a line for each thing done.

    While a table is copied, it also yields a line every `reminder` seconds.

    Tables with rows are copied while they are written to; writers wait for the end of each copy only. Meanwhile the
    tables have no foreign keys. It may be run again, also after it was interrupted.

    Raises:
        NotDistributableError: The database cannot be distributed, another run has not ended, a table stayed locked, or
            a copy was not given enough time.
        sqlalchemy.exc.DBAPIError: The database cannot be used, or Citus refuses.
    """
    engine = create_engine(config)
    try:
        async with engine.connect() as connection:
            await _prepare_session(connection)
            await _require_cluster(connection)
            if not await connection.scalar(sa.select(sa.func.pg_try_advisory_lock(_LOCK))):
                raise NotDistributableError(
                    "another run has not ended, or its last statement goes on at the server: wait, and run this again"
                )
            async for line in _distribute(connection, reminder):
                yield line
    finally:
        await engine.dispose()


async def _prepare_session(connection: AsyncConnection) -> None:
    if (await connection.get_raw_connection()).driver_connection.is_behind_pooler:  # type: ignore[union-attr]
        raise NotDistributableError("there is a pooler in between: set DATABASE_URL to the coordinator itself")
    for name, value in _SETTINGS.items():
        await connection.execute(sa.select(sa.func.set_config(name, value, sa.false())))


async def _require_cluster(connection: AsyncConnection) -> None:
    """Refuse what Citus would refuse later, when the tables have no foreign keys any more."""
    if not await _has_citus(connection):
        raise NotDistributableError(
            "the database has no extension citus: install it on each server, run CREATE EXTENSION citus, and "
            "add the workers with citus_add_node (docs/scale.md)"
        )
    if not await connection.scalar(sa.text("SELECT EXISTS (SELECT FROM pg_dist_node WHERE groupid = 0)")):
        raise NotDistributableError(
            "the cluster does not know its coordinator: call citus_set_coordinator_host there, and add the workers "
            "with citus_add_node (docs/scale.md)"
        )
    if not await connection.scalar(sa.text("SELECT citus_is_coordinator()")):
        raise NotDistributableError("this server is a worker: set DATABASE_URL to the coordinator")
    if not await connection.scalar(sa.text("SELECT EXISTS (SELECT FROM pg_dist_node WHERE shouldhaveshards)")):
        raise NotDistributableError("the cluster has no worker: add the workers with citus_add_node (docs/scale.md)")
    if others := await _other_tables(connection):
        raise NotDistributableError(
            f"{', '.join(others)} reference tables that are to be distributed, which Citus does not allow: drop these "
            "foreign keys first"
        )


async def _other_tables(connection: AsyncConnection) -> list[str]:
    """Return tables of others with foreign keys to tables of the service that are local."""
    rows = await connection.execute(
        sa.text(
            "SELECT DISTINCT CAST(CAST(conrelid AS regclass) AS text) FROM pg_constraint WHERE contype = 'f'"
            " AND confrelid IN (SELECT to_regclass(name) FROM unnest(CAST(:local AS text[])) AS given(name))"
            " AND conrelid NOT IN (SELECT to_regclass(name) FROM unnest(CAST(:ours AS text[])) AS given(name)"
            " WHERE to_regclass(name) IS NOT NULL) ORDER BY 1"
        ),
        {"local": await _local_tables(connection), "ours": list(DISTRIBUTION_COLUMNS)},
    )
    return list(rows.scalars())


async def _distribute(connection: AsyncConnection, reminder: float) -> AsyncIterator[str]:
    local = await _local_tables(connection)
    if with_rows := [table for table in local if await _has_rows(connection, table)]:
        if await connection.scalar(sa.text("SHOW wal_level")) != "logical":
            raise NotDistributableError(
                "tables are copied by logical replication: set wal_level = logical, and restart"
            )
        for table in local:
            if table != users.name:
                await _drop_foreign_key(connection, table)
    for table in local:
        # The other function copies while others write. An empty table is distributed at once, with its foreign key.
        function = "create_distributed_table_concurrently" if table in with_rows else "create_distributed_table"
        beside = "none" if table == users.name else users.name
        names = {"table": table, "key": DISTRIBUTION_COLUMNS[table], "beside": beside}
        copying = _patiently(connection, f"SELECT {function}(:table, :key, colocate_with => :beside)", **names)
        async for _ in _every(reminder, copying):
            yield (
                f"still at {table}: it waits for transactions that were open before, and copies the rows. If it does "
                'not end, look into the logs of the workers (docs/scale.md, "Set up")'
            )
        yield f"distributed {table} by {DISTRIBUTION_COLUMNS[table]}"
    for table in await _without_foreign_key(connection):
        await _add_foreign_key(connection, table)
        yield f"checked that the users of {table} exist"
    for table in await _missing(connection, REFERENCE_TABLES, "reference"):
        await _patiently(connection, "SELECT create_reference_table(:table)", table=table)
        yield f"copied {table} to all servers"
    for table in await _with_local_rows(connection):
        await _patiently(connection, "SELECT truncate_local_data_after_distributing_table(:table)", table=table)
        yield f"removed the copied rows of {table} from the coordinator"


def _foreign_key(table: str) -> str:
    return f"fk_{table}_{DISTRIBUTION_COLUMNS[table]}"


async def _drop_foreign_key(connection: AsyncConnection, table: str) -> None:
    await _patiently(connection, f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {_foreign_key(table)}")


async def _add_foreign_key(connection: AsyncConnection, table: str) -> None:
    """Add the foreign key, without rows whose user was erased while there was none."""
    await _drop_foreign_key(connection, table)  # an interrupted run may have left one that is not checked
    reference = "FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE"
    await _patiently(connection, f"ALTER TABLE {table} ADD CONSTRAINT {_foreign_key(table)} {reference} NOT VALID")
    is_erased = f"NOT EXISTS (SELECT FROM users WHERE users.id = {table}.user_id)"
    await connection.execute(sa.text(f"DELETE FROM {table} WHERE {is_erased}"))  # noqa: S608 - names of tables
    await _patiently(connection, f"ALTER TABLE {table} VALIDATE CONSTRAINT {_foreign_key(table)}")


async def _every(seconds: float, work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Do the work, and yield each time that so many seconds have passed."""
    task = asyncio.create_task(work)
    try:
        while not (await asyncio.wait({task}, timeout=seconds))[0]:
            yield
        await task
    finally:
        task.cancel()


async def _patiently(connection: AsyncConnection, statement: str, **values: str) -> None:
    """Run a statement that locks tables, again if it does not get the locks in time, or deadlocks with requests."""
    for attempt in range(_LOCK_ATTEMPTS):
        try:
            await connection.execute(sa.text(statement), values)
        except DBAPIError as error:
            cause = driver_error(error)
            if isinstance(cause, QueryCanceledError) and "statement timeout" in str(cause):
                raise NotDistributableError(
                    "the connections that Citus opens have a statement_timeout: on each server, run "
                    "ALTER ROLE … SET statement_timeout = 0 for the role of DATABASE_URL, and then run this again"
                ) from error
            if not isinstance(cause, LockNotAvailableError | DeadlockDetectedError):
                raise
            if attempt == _LOCK_ATTEMPTS - 1:
                raise NotDistributableError(
                    f"a table stayed locked ({statement}): end the transaction that holds it, an old one in "
                    "pg_stat_activity by xact_start, and run this again"
                ) from error
            await asyncio.sleep(_PAUSE)
        else:
            return


async def _has_rows(connection: AsyncConnection, table: str) -> bool:
    return bool(await connection.scalar(sa.text(f"SELECT EXISTS (SELECT FROM {table})")))  # noqa: S608 - a table's name


async def _with_local_rows(connection: AsyncConnection) -> list[str]:
    """Return the distributed tables whose former rows are on the coordinator.

    There are some if a table that was empty got its first rows just before `create_distributed_table`.
    """
    rows = await connection.execute(
        sa.text(
            "SELECT name FROM unnest(CAST(:tables AS text[])) AS given(name)"
            " JOIN citus_tables ON table_name = to_regclass(name) AND citus_table_type = 'distributed'"
            " WHERE pg_relation_size(table_name) > 0"
        ),
        {"tables": list(DISTRIBUTION_COLUMNS)},
    )
    return list(rows.scalars())


async def _without_foreign_key(connection: AsyncConnection) -> list[str]:
    """Return the tables that exist without a valid foreign key to users."""
    tables = [table for table in DISTRIBUTION_COLUMNS if table != users.name]
    rows = await connection.execute(
        sa.text(
            "SELECT given.name FROM unnest(CAST(:tables AS text[]), CAST(:keys AS text[])) AS given(name, key)"
            " WHERE to_regclass(given.name) IS NOT NULL AND NOT EXISTS (SELECT FROM pg_constraint"
            " WHERE conrelid = to_regclass(given.name) AND conname = given.key AND convalidated)"
        ),
        {"tables": tables, "keys": [_foreign_key(table) for table in tables]},
    )
    return list(rows.scalars())


async def _has_citus(connection: AsyncConnection) -> bool:
    found = "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus')"
    return bool(await connection.scalar(sa.text(found)))


async def _local_tables(connection: AsyncConnection) -> list[str]:
    return await _missing(connection, DISTRIBUTION_COLUMNS, "distributed")


async def _missing(connection: AsyncConnection, tables: Iterable[str], kind: str) -> list[str]:
    """Return the tables that exist and are not of this kind."""
    rows = await connection.execute(
        sa.text(
            "SELECT name FROM unnest(CAST(:tables AS text[])) WITH ORDINALITY AS given(name, place)"
            " WHERE to_regclass(name) IS NOT NULL AND NOT EXISTS (SELECT FROM citus_tables"
            " WHERE table_name = to_regclass(name) AND citus_table_type = :kind) ORDER BY place"
        ),
        {"tables": list(tables), "kind": kind},
    )
    return list(rows.scalars())
