"""Citus reports a lost server over a connection that is fine: the other connections are kept, for the other users."""

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from tests.postgres.test_deadlocks import Adapter, Connect

from todo_api.adapters.sqlalchemy.engine import FairEngine
from todo_api.domain.errors import RepositoryUnavailableError

LOST = "connection to the remote node worker:5432 failed"
REPORT = text(f"DO $$ BEGIN RAISE EXCEPTION '{LOST}' USING ERRCODE = '08006'; END $$")
BACKEND = text("SELECT pg_backend_pid()")


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
        asyncpg.InternalServerError("could not find valid entry for shard 102041"),
    ],
)
async def test_its_users_are_told_to_try_again(error: Exception, call: object, connect: Connect) -> None:
    with pytest.raises(RepositoryUnavailableError):
        await call(Adapter(connect().engine, failures=99, error=error))  # type: ignore[operator]
