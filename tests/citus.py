"""A cluster of Citus, whose coordinator is given by its URL."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote, urlsplit, urlunsplit
from uuid import uuid4

import asyncpg

from todo_api.adapters.sqlalchemy.distribution import NotDistributableError, distribute
from todo_api.adapters.sqlalchemy.driver import DatabaseConfig

PATIENCE = 60.0  # seconds until the other workers of the run have distributed the tables


async def prepare_cluster(url: str, sql: str) -> None:
    """Distribute the tables, and run the statements on each server."""
    await distribute_all(url)
    for server in await servers(url):
        await _execute(server, sql)


async def distribute_all(url: str) -> list[str]:
    """Return what `todo-api distribute` prints. Other workers of the run may do the same."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return [line async for line in distribute(DatabaseConfig(url=url, statement_timeout=None))]
        except NotDistributableError:
            if time.monotonic() > end:
                raise
            await asyncio.sleep(0.5)


@asynccontextmanager
async def new_cluster_database(url: str) -> AsyncIterator[str]:
    """Create an empty database on all servers of the cluster while the block runs; yield its URL at the coordinator."""
    name = f"test_{uuid4().hex}"
    everywhere = await servers(url)
    for server in everywhere:
        await _execute(server, f"CREATE DATABASE {name}")
        await _execute(_named(server, name), "CREATE EXTENSION citus")
    coordinator, *workers = [_named(server, name) for server in everywhere]
    for function, server in (
        ("citus_set_coordinator_host", coordinator),
        *(("citus_add_node", each) for each in workers),
    ):
        place = urlsplit(server)
        await _execute(coordinator, f"SELECT {function}('{place.hostname}', {place.port})")
    try:
        yield coordinator
    finally:
        for server in everywhere:
            await _execute(server, f"DROP DATABASE {name} WITH (FORCE)")


async def servers(url: str) -> list[str]:
    """Return the URLs of the same database on all servers of the cluster, the coordinator first."""
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch("SELECT nodename, nodeport FROM pg_dist_node ORDER BY groupid")
    finally:
        await connection.close()
    parts = urlsplit(url)
    login = parts.netloc.rpartition("@")[0]
    return [
        urlunsplit(parts._replace(netloc=f"{login}@{quote(row['nodename'])}:{row['nodeport']}".lstrip("@")))
        for row in rows
    ]


def _named(url: str, database: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


async def _execute(url: str, sql: str) -> None:
    """Run statements on this server alone."""
    connection = await asyncpg.connect(
        url, server_settings={"citus.enable_ddl_propagation": "off", "citus.enable_create_database_propagation": "off"}
    )
    try:
        await connection.execute(sql)
    finally:
        await connection.close()
