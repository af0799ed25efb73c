"""Exhausted resources: connections, and the disk of the database."""

import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import httpx2
import pytest
from tests.faults.conftest import Figures, Serve
from tests.faults.load import Load, outcome, writing
from tests.faults.postgres import NOT_YET, Server
from tests.faults.programs import Service, authorization
from tests.ports import unused_port

from todo_api.dev.postgres.unprivileged import server_user

pytestmark = pytest.mark.faults

POOL_TIMEOUT = 1.0
RECOVERY = 2.0
MEGABYTE = 1 << 20
LOG_A_LOT = "SELECT pg_logical_emit_message(false, '', repeat('.', 1000000)) FROM generate_series(1, 200)"


async def test_an_exhausted_pool_refuses_in_time(server: Server, serve: Serve, figures: Figures) -> None:
    service = serve(server.url, DATABASE_POOL_SIZE="2", DATABASE_POOL_TIMEOUT=f"{POOL_TIMEOUT}")
    locker = await asyncpg.connect(server.url)

    async with writing(service.url) as load:
        await load.until(200)
        async with locker.transaction():
            await locker.execute("LOCK tasks")
            await load.until(50, status=503)
            await assert_refused(load, "no database connection was free in time; nothing was changed")
        back = time.monotonic()
        await load.until(200)

    await locker.close()
    result = await outcome(load, server)
    recovered = load.recovered_after(back)
    figures(f"{result}, recovered {recovered:.2f} s after the lock")
    assert result.lost == result.twice == 0
    assert load.slowest(503) < POOL_TIMEOUT + 1
    assert recovered < RECOVERY
    assert not service.logged("error")


async def assert_refused(load: Load, detail: str) -> None:
    """Assert that a write is refused with a reason and Retry-After."""
    async with httpx2.AsyncClient(base_url=load.url, headers=authorization(load.users[0])) as client:
        response = await client.post("/api/tasks", json={"title": "Refused"})
    assert (response.status_code, response.headers["Retry-After"]) == (503, "1")
    assert response.headers["Content-Type"] == "application/problem+json"
    assert (response.json()["code"], response.json()["detail"]) == ("database-unavailable", detail)


class Disk:
    """Create a small file system."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._filler = root / "filler"

    def fill(self) -> None:
        """Fill the disk completely."""
        with self._filler.open("ab", buffering=0) as filler:
            for size in (MEGABYTE, 4096):
                try:
                    while True:
                        filler.write(bytes(size))
                except OSError:  # it is full
                    continue

    def free(self) -> None:
        self._filler.unlink()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    root = tmp_path / "disk"
    root.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=160m", "disk", root], capture_output=True, text=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip(f"a full disk needs a root who may mount: {mounted.stderr.strip()}")
    try:
        yield Disk(root)
    finally:
        subprocess.run(["umount", root], check=True)


@pytest.fixture
async def server_on_disk(disk: Disk) -> AsyncIterator[Server]:
    """A server whose data and log are on the small disk."""
    async with Server.make(disk.root / "postgres", unused_port()) as made:
        await made.migrate()
        yield made


async def test_reads_work_while_the_disk_of_the_tables_is_full(
    disk: Disk, server: Server, serve: Serve, figures: Figures
) -> None:
    await move_tables(server, disk)
    service = serve(server.url)

    async with writing(service.url) as load:
        await load.until(200)
        disk.fill()
        await load.until(50, status=503)
        assert len(await tasks(service, load.users[0])) > 1
        disk.free()
        back = time.monotonic()
        await load.until(200)

    result = await outcome(load, server)
    recovered = load.recovered_after(back)
    figures(f"{result}, recovered {recovered:.2f} s after there was space")
    assert result.lost == result.twice == 0
    assert load.slowest(503) < RECOVERY
    assert recovered < RECOVERY
    assert not service.logged("error")


async def move_tables(server: Server, disk: Disk) -> None:
    tables = disk.root / "tables"
    server_user(server.data).own_directory(tables)
    await server.fetch(f"CREATE TABLESPACE small LOCATION '{tables}'")
    await server.fetch("ALTER TABLE ALL IN TABLESPACE pg_default SET TABLESPACE small")
    await server.fetch("ALTER INDEX ALL IN TABLESPACE pg_default SET TABLESPACE small")


async def tasks(service: Service, user_id: str) -> list[object]:
    async with httpx2.AsyncClient(base_url=service.url, headers=authorization(user_id)) as client:
        response = await client.get("/api/tasks")
    assert response.status_code == 200
    found: list[object] = response.json()
    return found


async def test_acknowledged_writes_survive_a_full_disk_of_the_log(
    server_on_disk: Server, disk: Disk, serve: Serve, figures: Figures
) -> None:
    """PostgreSQL stops, and its operator restarts it when there is space."""
    service = serve(server_on_disk.url)

    async with writing(service.url) as load:
        await load.until(200)
        disk.fill()
        with pytest.raises(NOT_YET):
            await server_on_disk.fetch(LOG_A_LOT)
        await load.until(50, status=503)
        disk.free()
        server_on_disk.kill()
        server_on_disk.start()
        await server_on_disk.accepts()
        back = time.monotonic()
        await load.until(200)

    result = await outcome(load, server_on_disk)
    recovered = load.recovered_after(back)
    figures(f"{result}, recovered {recovered:.2f} s after the database")
    assert result.lost == result.twice == 0
    assert recovered < RECOVERY
    assert not service.logged("error")
