"""Citus reports a lost server over a connection that is fine: the other connections are kept, for the other users."""

from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from tests.domain.builders import NOW, a_task
from tests.postgres.test_deadlocks import Adapter, Connect, Database

from todo_api.adapters.sqlalchemy.engine import FairEngine
from todo_api.domain.errors import RepositoryUnavailableError
from todo_api.domain.operations import Create
from todo_api.domain.task_changes import TaskChanges

LOST = "connection to the remote node worker:5432 failed"
REPORT = text(f"DO $$ BEGIN RAISE EXCEPTION '{LOST}' USING ERRCODE = '08006'; END $$")
BACKEND = text("SELECT pg_backend_pid()")


PRETEND = """
DO $$ BEGIN
    EXECUTE format('ALTER DATABASE %I SET citus.override_table_visibility = true', current_database());
END $$;
CREATE FUNCTION warn() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE WARNING 'failed to commit transaction on worker:5432'; RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER warn AFTER INSERT ON tasks DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION warn();
"""


async def backend(engine: FairEngine) -> int:
    async with engine.connect() as connection:
        return int(await connection.scalar(BACKEND))


async def test_the_connection_stays(connect: Connect) -> None:
    engine = connect(pool_size=1).engine
    before = await backend(engine)
    async with engine.connect() as connection:
        with pytest.raises(DBAPIError, match="remote node"):
            await connection.execute(REPORT)
    assert await backend(engine) == before


async def test_on_the_hot_path_it_stays_too(connect: Connect) -> None:
    engine = connect(pool_size=1).engine
    async with engine.connect() as connection:
        info = (await connection.get_raw_connection()).info
        reported = asyncpg.PostgresError.new({"S": "ERROR", "V": "ERROR", "C": "08006", "M": LOST})
        assert not engine.stale.must_close(reported, info)
        assert engine.stale.must_close(asyncpg.ConnectionDoesNotExistError("connection was closed"), info)


@pytest.mark.parametrize("call", [Adapter.read, Adapter.write])
@pytest.mark.parametrize(
    "error",
    [
        asyncpg.PostgresError.new({"S": "ERROR", "V": "ERROR", "C": "08006", "M": LOST}),
        asyncpg.InternalServerError("SSL SYSCALL error: EOF detected\ninvalid socket"),
        asyncpg.InternalServerError("terminating connection due to unexpected postmaster exit"),
        asyncpg.InternalServerError("failure on connection marked as essential: worker-1:5432"),
        # A coordinator that was killed while a commit waited for its standby.
        asyncpg.PostgresError.new({"S": "PANIC", "V": "PANIC", "C": "XX000", "M": "cannot abort transaction 9"}),
        asyncpg.InternalServerError("could not find valid entry for shard 102041"),
    ],
)
async def test_its_users_are_told_to_try_again(error: Exception, call: object, connect: Connect) -> None:
    with pytest.raises(RepositoryUnavailableError):
        await call(Adapter(connect().engine, failures=99, error=error))  # type: ignore[operator]


async def test_a_commit_that_failed_elsewhere_is_not_acknowledged(
    own_database: Database, migrated_database: str, connect: Connect, user_id: str
) -> None:
    await own_database.execute(PRETEND)
    service = connect(migrated_database, pool_size=1)
    before = await backend(service.engine)
    create = Create(uuid4(), TaskChanges(title="Lost"))
    with pytest.raises(RepositoryUnavailableError):
        await service.tasks.add(a_task(user_id))
    with pytest.raises(RepositoryUnavailableError):
        await service.tasks.edit(user_id, create.selection, create.apply, now=NOW, new_id=uuid4)
    await own_database.execute("DROP TRIGGER warn ON tasks")
    assert (await service.tasks.add(a_task(user_id))).revision
    assert await backend(service.engine) == before
