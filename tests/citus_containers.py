"""Clusters of Citus in containers, of the image and the settings of deploy/citus/docker-compose.yml."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import asyncpg
import yaml
from docker.errors import DockerException, ImageNotFound  # type: ignore[import-untyped]
from testcontainers.core.container import DockerContainer
from testcontainers.core.docker_client import DockerClient
from testcontainers.core.network import Network
from tests.citus import reached_at

COMPOSE: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parent.parent / "deploy" / "citus" / "docker-compose.yml").read_text()
)
SERVER: dict[str, Any] = COMPOSE["x-server"]
IMAGE: str = SERVER["image"]
PASSWORD = "a-password-of-the-tests"
PORT = 5432
WORKERS = ("worker-1", "worker-2")
PATIENCE = 120.0  # seconds, on a busy machine
NOT_YET = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


def why_not() -> str | None:
    """Return why there can be no cluster in containers."""
    try:
        DockerClient().client.images.get(IMAGE)
    except ImageNotFound:
        return f"the image is missing: docker pull {IMAGE}"
    except DockerException as error:
        return f"no Docker engine answers ({error})"
    return None


class Node:
    """A server in a container, which the other servers reach by its name."""

    def __init__(self, name: str, network: Network, settings: Sequence[str] = (), **run: Any) -> None:
        self.name = name
        self._container = DockerContainer(
            IMAGE,
            command=[*SERVER["command"], *settings],  # type: ignore[arg-type] # it takes a list too
            env={"POSTGRES_DB": "todo", "POSTGRES_PASSWORD": PASSWORD, "PGPASSWORD": PASSWORD},
            ports=[PORT],
            network=network,
            network_aliases=[name],
            **run,
        )

    @property
    def place(self) -> str:
        """Host and port for the tests. Each start changes the port."""
        return f"{self._container.get_container_host_ip()}:{self._container.get_exposed_port(PORT)}"

    @property
    def url(self) -> str:
        return f"postgresql://postgres:{PASSWORD}@{self.place}/todo"

    def kill(self) -> None:
        """Kill all of its processes with `kill -9`."""
        self._container.get_wrapped_container().kill()

    def start(self) -> None:
        """Start it again with its data; `accepts` waits until it is ready."""
        self._container.get_wrapped_container().start()
        self._container.get_wrapped_container().reload()

    def freeze(self) -> None:
        """Suspend it: the system accepts connections, and nothing responds."""
        self._container.get_wrapped_container().pause()

    def thaw(self) -> None:
        self._container.get_wrapped_container().unpause()

    def run(self, command: str) -> None:
        """Run a command of the shell as PostgreSQL's user in the container."""
        done = self._container.get_wrapped_container().exec_run(["sh", "-euc", command], user="postgres")
        assert done.exit_code == 0, done.output.decode()

    async def accepts(self) -> None:
        """Wait until it accepts connections, which it does not while the image initializes the data."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                await self.fetch("SELECT citus_version()")
            except NOT_YET:
                assert time.monotonic() < end, self._container.get_wrapped_container().logs().decode()
                await asyncio.sleep(0.1)
            else:
                return

    async def fetch(self, sql: str, *values: object) -> list[Any]:
        """Return the first column of a statement's result."""
        connection = await asyncpg.connect(self.url, timeout=5)
        try:
            return [row[0] for row in await connection.fetch(sql, *values)]
        finally:
            await connection.close()

    def __enter__(self) -> Self:
        self._container.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._container.stop()


@dataclass(frozen=True)
class Cluster:
    """A coordinator and workers on a network of their own."""

    network: Network
    coordinator: Node
    workers: tuple[Node, ...]

    async def connect(self) -> None:
        """Wait for the servers, and make them a cluster."""
        for node in (self.coordinator, *self.workers):
            await node.accepts()
        await self.coordinator.fetch("SELECT citus_set_coordinator_host($1, $2)", self.coordinator.name, PORT)
        for worker in self.workers:
            await self.coordinator.fetch("SELECT citus_add_node($1, $2)", worker.name, PORT)


@contextmanager
def open_cluster(*settings: str) -> Iterator[Cluster]:
    """Run a cluster while the block runs, with these options of PostgreSQL besides those of the compose file."""
    with Network() as network, ExitStack() as stack:
        names = ("coordinator", *WORKERS)
        coordinator, *workers = [stack.enter_context(Node(name, network, settings)) for name in names]
        cluster = Cluster(network, coordinator, tuple(workers))
        asyncio.run(cluster.connect())
        with reached_at(coordinator.place, {worker.name: worker.place for worker in workers}):
            yield cluster


def replicate(cluster: Cluster) -> Node:
    """Return a standby of the coordinator that is not started yet."""
    cluster.coordinator.run('echo "host replication postgres samenet scram-sha-256" >> "$PGDATA/pg_hba.conf"')
    cluster.coordinator.run("psql --username=postgres --dbname=todo --command='SELECT pg_reload_conf()'")
    copy = 'pg_basebackup --pgdata="$PGDATA" --host=coordinator --username=postgres --write-recovery-conf'
    script = f'{copy} --checkpoint=fast; exec docker-entrypoint.sh "$@"'
    return Node("coordinator-b", cluster.network, entrypoint=["sh", "-euc", script, "sh"])
