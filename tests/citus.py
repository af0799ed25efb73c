"""A cluster of Citus, whose coordinator is given by its URL."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import NamedTuple
from urllib.parse import quote, urlsplit, urlunsplit
from uuid import uuid4

import asyncpg

from todo_api.adapters.sqlalchemy.distribution import NotDistributableError, distribute
from todo_api.adapters.sqlalchemy.driver import DatabaseConfig

KEEP_ROWS = "SELECT citus_set_node_property(nodename, nodeport, 'shouldhaveshards', true) FROM pg_dist_node"
PATIENCE = 60.0  # seconds until the other workers of the run have distributed the tables

# Where the tests reach the workers that the servers reach by these names, by the coordinator's host and port.
_published: dict[str, Mapping[str, str]] = {}


class ClusterServer(NamedTuple):
    """A server, with the address that the others use."""

    name: str
    port: int
    url: str


@contextmanager
def reached_at(coordinator: str, workers: Mapping[str, str]) -> Iterator[None]:
    """Let the tests connect to the workers, by name, at these hosts and ports while the block runs."""
    _published[coordinator] = workers
    try:
        yield
    finally:
        del _published[coordinator]


async def prepare_cluster(url: str, sql: str) -> None:
    """Distribute the tables, and run the statements on each server."""
    await distribute_all(url)
    for server in await servers(url):
        await _execute(server.url, sql)


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
    coordinator, *workers = everywhere
    async with _alone(coordinator):
        for server in everywhere:
            await _execute(server.url, f"CREATE DATABASE {name}")
            await _execute(_named(server.url, name), "CREATE EXTENSION citus")
        made = _named(coordinator.url, name)
        await _execute(made, f"SELECT citus_set_coordinator_host('{coordinator.name}', {coordinator.port})")
        if not workers:
            await _execute(made, KEEP_ROWS)
        for worker in workers:
            await _execute(made, f"SELECT citus_add_node('{worker.name}', {worker.port})")
        try:
            yield made
        finally:
            for server in everywhere:
                await _execute(server.url, f"DROP DATABASE {name} WITH (FORCE)")


@asynccontextmanager
async def _alone(server: ClusterServer) -> AsyncIterator[None]:
    """Wait until no other worker of the run has such a database: Citus cannot distribute two at once.

    Its replication slots have the same names in all databases.
    """
    connection = await asyncpg.connect(_named(server.url, "postgres"))
    await connection.execute("SELECT pg_advisory_lock(7464)")
    try:
        yield
    finally:
        await connection.close()


async def servers(url: str) -> list[ClusterServer]:
    """Return all servers of the cluster with the URLs of the same database, the coordinator first."""
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch("SELECT groupid, nodename, nodeport FROM pg_dist_node ORDER BY groupid")
    finally:
        await connection.close()
    parts = urlsplit(url)
    login, at, place = parts.netloc.rpartition("@")
    published = _published.get(place, {})
    workers = []
    for group, name, port in rows:
        there = place if group == 0 else published.get(name, f"{quote(name)}:{port}")
        workers.append(ClusterServer(name, port, urlunsplit(parts._replace(netloc=f"{login}{at}{there}"))))
    return workers or [ClusterServer(parts.hostname or "localhost", parts.port or 5432, url)]


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
