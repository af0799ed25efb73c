"""Retried requests, while the first one runs and after its connection was lost."""

import asyncio
from collections.abc import AsyncIterator, Callable
from uuid import uuid4

import asyncpg
import pytest
from httpx2 import ASGITransport, AsyncClient
from tests.codecs import AsBytes
from tests.domain.builders import NOW, later
from tests.http.application import make_app, make_token
from tests.postgres.proxy import Proxy, open_proxy
from tests.postgres.running import Service

from todo_api.domain.changes import SyncPoint
from todo_api.domain.errors import RepositoryUnavailableError
from todo_api.domain.idempotency import IdempotencyKey
from todo_api.domain.selection import Selection
from todo_api.domain.task_changes import TaskChanges
from todo_api.domain.workspace import Workspace

Connect = Callable[..., Service]
TASK = {"title": "Once"}


@pytest.fixture
async def proxy(server_url: str) -> AsyncIterator[Proxy]:
    """Without a pooler, which takes a moment to roll back after a lost client; the key is in use until then."""
    async with open_proxy(server_url) as proxy:
        yield proxy


def client_of(service: Service, user_id: str) -> AsyncClient:
    app = make_app(service.tasks)
    headers = {"Authorization": f"Bearer {make_token(user_id)}"}
    return AsyncClient(transport=ASGITransport(app=app), base_url="http://test", headers=headers)


@pytest.mark.one_server
async def test_a_retry_does_not_wait_for_the_first_request(
    connect: Connect, database: "asyncpg.Connection[asyncpg.Record]", user_id: str
) -> None:
    headers = {"Idempotency-Key": str(uuid4())}
    async with client_of(connect(), user_id) as here, client_of(connect(), user_id) as elsewhere:
        await here.post("/api/tasks", json=TASK)
        async with database.transaction():
            await database.execute("SELECT FROM users WHERE id = $1 FOR UPDATE", user_id)
            first = asyncio.create_task(here.post("/api/tasks", json=TASK, headers=headers))
            waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%users%'"
            while not await database.fetchval(waiting):
                await database.execute("SELECT pg_sleep(0.01), pg_stat_clear_snapshot()")
            for client in (here, elsewhere):
                copy = await client.post("/api/tasks", json=TASK, headers=headers)
                assert (copy.status_code, copy.json()["code"]) == (409, "idempotency-key-in-use")
        assert (await first).status_code == 201
        copy = await elsewhere.post("/api/tasks", json=TASK, headers=headers)
        assert (copy.content, copy.headers["idempotent-replayed"]) == ((await first).content, "true")
        assert len((await here.get("/api/tasks")).json()) == 2


@pytest.mark.parametrize("call", ["/api/tasks", "/api/tasks/batch"])
async def test_a_committed_edit_is_not_repeated(connect: Connect, proxy: Proxy, user_id: str, call: str) -> None:
    body = TASK if call == "/api/tasks" else {"operations": [{"op": "create", **TASK}]}
    headers = {"Idempotency-Key": str(uuid4())}
    async with client_of(connect(proxy.url), user_id) as client:
        await client.post("/api/tasks", json=TASK)
        proxy.unanswered = b"COMMIT;"
        answer = await client.post(call, json=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (503, "database-unavailable")
        proxy.unanswered = None
        answer = await client.post(call, json=body, headers=headers)
        assert answer.status_code in {200, 201}
        assert answer.headers["idempotent-replayed"] == "true"
        assert len((await client.get("/api/tasks")).json()) == 2


async def test_an_uncommitted_edit_is_retried(connect: Connect, proxy: Proxy, user_id: str) -> None:
    repository = connect(proxy.url).tasks
    task_id = uuid4()
    attempts = 0

    def decide(workspace: Workspace) -> bytes:
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            for connection in proxy.connections:
                connection.cancel()
        workspace.create(task_id, TaskChanges(title="Once"))
        return b"done"

    key = IdempotencyKey("k", b"request", codec=AsBytes())
    edited = await repository.edit(user_id, Selection.of(task_id), decide, now=NOW, new_id=uuid4, key=key)
    assert (attempts, edited.replayed) == (2, False)
    assert len((await repository.changes(user_id, SyncPoint(), 10)).tasks) == 1


async def test_a_lasting_outage_is_reported(connect: Connect, proxy: Proxy, user_id: str) -> None:
    repository = connect(proxy.url).tasks
    proxy.unanswered = b"BEGIN"
    with pytest.raises(RepositoryUnavailableError):
        await repository.edit(user_id, Selection(), lambda _: b"", now=NOW, new_id=uuid4)


async def test_a_cancelled_edit_leaves_nothing_behind(connect: Connect, user_id: str) -> None:
    service = connect(pool_size=1)
    repository = service.tasks

    def decide(workspace: Workspace) -> bytes:
        workspace.create(uuid4(), TaskChanges(title="Never"))
        current = asyncio.current_task()
        assert current
        current.cancel()
        return b""

    attempt = asyncio.create_task(repository.edit(user_id, Selection(), decide, now=NOW, new_id=uuid4))
    with pytest.raises(asyncio.CancelledError):
        await attempt
    assert (
        await repository.edit(user_id, Selection(), lambda _: b"next", now=later(1), new_id=uuid4)
    ).result == b"next"
    assert (await repository.changes(user_id, SyncPoint(), 10)).tasks == []
