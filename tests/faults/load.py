"""Clients that write under load, and the responses that they got."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import uuid4

import httpx2
from tests.faults.programs import authorization

CLIENTS = 16
MOST = 20_000  # writes, however long a test takes
PAUSE = 0.01  # seconds between two writes of a client, because other programs share the machine
BROKEN = 0  # the status of a write without a response


@dataclass(frozen=True)
class Result:
    """The result of a request, with the time of time.monotonic."""

    title: str
    status: int
    at: float
    seconds: float


@dataclass
class Load:
    """Writes tasks with unique titles."""

    url: str
    retry: bool = False  # send each write again, under its key, until it is acknowledged
    sent: int = 0
    responses: list[Result] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    users: list[str] = field(default_factory=lambda: [f"writer-{uuid4()}" for _ in range(CLIENTS)])
    _stopping: bool = False
    _told: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def acknowledged(self) -> list[str]:
        return [response.title for response in self.responses if response.status == 201]

    def slowest(self, *statuses: int) -> float:
        """The longest that a client has waited for one of these responses, or for any."""
        return max((one.seconds for one in self.responses if not statuses or one.status in statuses), default=0.0)

    def recovered_after(self, instant: float) -> float:
        """Return the seconds from a time to the next acknowledgement."""
        return min(one.at for one in self.responses if one.status == 201 and one.at > instant) - instant

    async def until(self, count: int, status: int = 201) -> None:
        """Wait until so many more writes have been acknowledged, or got another response."""
        goal = self.statuses[status] + count
        async with asyncio.timeout(60):
            while self.statuses[status] < goal:
                await self._told.wait()
                self._told.clear()

    async def write(self, client: httpx2.AsyncClient, user_id: str) -> None:
        headers = authorization(user_id)
        while not self._stopping and self.sent < MOST:
            title = f"{uuid4()}"
            while await self._send(client, headers, title) != 201 and self.retry:  # noqa: ASYNC110 - there is no event to wait for
                await asyncio.sleep(PAUSE * 10)
            await asyncio.sleep(PAUSE)

    async def _send(self, client: httpx2.AsyncClient, headers: dict[str, str], title: str) -> int:
        """Send a write, alternately in one statement and in a transaction."""
        self.sent += 1
        begun = time.monotonic()
        task = {"title": title}
        try:
            if self.retry or self.sent % 2:
                response = await client.post("/api/tasks", json=task, headers={**headers, "Idempotency-Key": title})
            else:
                response = await client.put(f"/api/tasks/{title}", json=task, headers={**headers, "If-None-Match": "*"})
            status = response.status_code
        except httpx2.TransportError:
            status = BROKEN
        at = time.monotonic()
        self.responses.append(Result(title, status, at, at - begun))
        self.statuses[status] += 1
        self._told.set()
        return status

    def stop(self) -> None:
        self._stopping = True


@dataclass(frozen=True)
class Outcome:
    """Compare the database with the acknowledged writes."""

    load: Load
    lost: int
    twice: int

    def __str__(self) -> str:
        load, statuses = self.load, self.load.statuses
        return (
            f"requests sent {load.sent:,}, acknowledged {statuses[201]:,}, refused 503: {statuses[503]:,}, "
            f"without a response: {statuses[BROKEN]:,}, lost: {self.lost}, twice: {self.twice}, "
            f"slowest response {load.slowest():.2f} s, slowest 503 {load.slowest(503):.2f} s"
        )


class Database(Protocol):
    """Runs a statement, and returns the first column of its result."""

    async def fetch(self, sql: str, *values: object) -> list[Any]: ...


@asynccontextmanager
async def writing(
    url: str, *, retry: bool = False, clients: int = CLIENTS, transport: httpx2.AsyncBaseTransport | None = None
) -> AsyncIterator[Load]:
    """Let clients write while the block runs, and wait for the last response."""
    load = Load(url, retry=retry)
    async with (
        httpx2.AsyncClient(base_url=url, timeout=30, transport=transport) as client,
        asyncio.TaskGroup() as group,
    ):
        for user_id in load.users[:clients]:
            group.create_task(load.write(client, user_id))
        try:
            yield load
        finally:
            load.stop()


async def outcome(load: Load, server: Database, allowed: Collection[int] = (201, 503, BROKEN)) -> Outcome:
    """Compare the database with the writes, and assert that there were no other statuses."""
    assert set(load.statuses) <= set(allowed), load.statuses
    written = Counter(await server.fetch("SELECT title FROM tasks WHERE user_id = ANY ($1)", load.users))
    return Outcome(load, len(set(load.acknowledged) - set(written)), sum(count > 1 for count in written.values()))
