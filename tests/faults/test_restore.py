"""A restore, and a failover with loss: no number comes twice, and clients end equal to the server.

Those without the mark are part of `make test`.
"""

import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

import pytest
from tests.copies import Copy
from tests.domain.builders import NOW, a_task
from tests.faults.postgres import Server
from tests.ports import unused_port
from tests.storages import Storage, in_postgres

from todo_api.adapters.sqlalchemy.driver import DatabaseConfig
from todo_api.adapters.sqlalchemy.engine import create_engine
from todo_api.application.housekeeping import HousekeepingService
from todo_api.domain.changes import SyncPoint
from todo_api.domain.errors import ForgottenRevisionError
from todo_api.domain.listing import TaskQuery
from todo_api.domain.task import Task

USERS = ("ada", "new")  # the second has no account in the backup


@dataclass
class Client:
    """Does what docs/sync.md says: keep a copy, and start afresh after 410."""

    user_id: str
    since: SyncPoint
    tasks: dict[UUID, Task]

    @classmethod
    def empty(cls, user_id: str) -> "Client":
        return cls(user_id, SyncPoint(), {})

    async def sync(self, storage: Storage) -> None:
        known = Copy(storage.tasks, self.user_id, self.since)
        known.tasks = self.tasks
        try:
            await known.catch_up(2)
        except ForgottenRevisionError:
            known = Copy(storage.tasks, self.user_id)
            await known.catch_up(2)
        self.since, self.tasks = known.since, known.tasks


@asynccontextmanager
async def service_on(server: Server) -> AsyncIterator[Storage]:
    engine = create_engine(DatabaseConfig(url=server.url))
    yield in_postgres(engine)
    await engine.dispose()


async def live(storage: Storage, user_id: str) -> dict[UUID, Task]:
    return {task.id: task for task in (await storage.tasks.page(user_id, TaskQuery())).tasks}


async def write_what_is_lost(storage: Storage, kept: Task) -> tuple[list[Client], list[int]]:
    """Return clients that have seen it, also in the middle of a first load, and the revisions."""
    lost = [await storage.tasks.add(a_task(user_id)) for user_id in USERS for _ in range(3)]
    changed = await storage.tasks.save(replace(kept, title="Lost"))
    assert changed
    clients = [Client.empty(user_id) for user_id in USERS]
    for client in clients:
        await client.sync(storage)
    page = await storage.tasks.changes("ada", SyncPoint(), 2)
    clients.append(Client("ada", page.next, {task.id: task for task in page.tasks}))
    return clients, [task.revision for task in [*lost, changed]]


async def warnings(storage: Storage, caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what a service logs when it starts."""
    caplog.clear()
    await a_house(storage).notice_restore()
    return caplog.messages


def a_house(storage: Storage) -> HousekeepingService:
    return HousekeepingService(storage.housekeeping, clock=lambda: NOW, trash_days=1, tombstone_days=1)


async def check_what_was_restored(storage: Storage, kept: Task, clients: list[Client], lost: list[int]) -> None:
    written = [await storage.tasks.add(a_task(user_id)) for user_id in USERS for _ in range(4)]
    assert await storage.tasks.save(replace(kept, title="Restored"))
    for user_id in USERS:
        account = await live(storage, user_id)
        assert account
        assert min(task.revision for task in written) > max(lost)
        assert {task.id for task in (await storage.tasks.page(user_id, TaskQuery(), lost)).tasks} == account.keys()
    for revision in lost:
        assert await storage.tasks.save(replace(kept, title="Of a lost tag", revision=revision)) is None

    assert await a_house(storage).invalidate_tokens() == len(USERS)

    for client in clients:
        await client.sync(storage)
        assert client.tasks == await live(storage, client.user_id)


def copy(data: Path, to: Path) -> None:
    subprocess.run(["cp", "-a", data, to], check=True)  # keeps the owner


async def check_that_it_is_noticed(storage: Storage, caplog: pytest.LogCaptureFixture) -> None:
    """A second start warns again, until the command has run."""
    for _ in range(2):
        (warning,) = await warnings(storage, caplog)
        assert "`todo-api invalidate-tokens`" in warning
    await a_house(storage).invalidate_tokens()
    assert await warnings(storage, caplog) == []


async def test_a_copy_of_the_data_is_restored(server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with service_on(server) as storage:
        kept = await storage.tasks.add(a_task("ada"))
        assert await warnings(storage, caplog) == []
    server.kill()
    backup = tmp_path / "backup"
    copy(server.data, backup)
    server.start()
    await server.accepts()
    async with service_on(server) as storage:
        assert await warnings(storage, caplog) == []
        clients, lost = await write_what_is_lost(storage, kept)

    server.kill()
    shutil.rmtree(server.data)
    copy(backup, server.data)
    server.start()
    await server.accepts()

    async with service_on(server) as storage:
        assert await warnings(storage, caplog) == []  # PostgreSQL cannot tell
        await check_what_was_restored(storage, kept, clients, lost)


@asynccontextmanager
async def restored_into(target: str, server: Server, tmp_path: Path) -> AsyncIterator[Server]:
    if target == "the same database":
        yield server
        return
    async with Server.make(tmp_path / "another", unused_port()) as another:
        yield another


@pytest.mark.parametrize("target", ["the same database", "another cluster"])
async def test_a_dump_is_restored(
    server: Server, target: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with service_on(server) as storage:
        kept = await storage.tasks.add(a_task("ada"))
        assert await warnings(storage, caplog) == []
        dump = server.data / "backup.dump"
        server.run("pg_dump", "--format=custom", f"--file={dump}", server.url)
        clients, lost = await write_what_is_lost(storage, kept)

    async with restored_into(target, server, tmp_path) as there:
        server.run("pg_restore", "--clean", "--if-exists", "--single-transaction", f"--dbname={there.url}", dump)

        async with service_on(there) as storage:
            await check_that_it_is_noticed(storage, caplog)
            await check_what_was_restored(storage, kept, clients, lost)


@pytest.mark.faults
async def test_a_replica_without_the_last_commits_is_promoted(
    server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with Server.replicate(server, tmp_path / "replica", unused_port()) as replica:
        async with service_on(server) as storage:
            assert await warnings(storage, caplog) == []
            kept = await storage.tasks.add(a_task("ada"))
            while not await replica.fetch("SELECT true FROM tasks"):
                pass
            replica.kill()  # it receives no more
            clients, lost = await write_what_is_lost(storage, kept)
        server.kill()
        replica.start()
        await replica.accepts()
        async with service_on(replica) as storage:
            assert "`todo-api invalidate-tokens`" not in "".join(await warnings(storage, caplog))
        await replica.fetch("SELECT pg_promote()")

        async with service_on(replica) as storage:
            await check_that_it_is_noticed(storage, caplog)
            await check_what_was_restored(storage, kept, clients, lost)
