"""Clients that write for many users in turn, so that the users of a server that is down do not hold up the others."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import uuid4

import httpx2
from tests.faults.load import PAUSE, Load
from tests.faults.programs import authorization

WRITERS = 8
USERS = 40
MOST = 300  # attempts to complete a write when the fault is over


@dataclass
class SpreadLoad(Load):
    """Each write is sent again under its key, in the next round, until it is acknowledged."""

    retry: bool = True
    users: list[str] = field(default_factory=lambda: [f"user-{uuid4()}" for _ in range(USERS)])
    owners: dict[str, str] = field(default_factory=dict)  # of the titles

    async def write_for(self, client: httpx2.AsyncClient, users: Collection[str]) -> None:
        headers = {user: authorization(user) for user in users}
        open_writes: dict[str, str] = {}  # titles, by user
        while not self._stopping:
            for user in users:
                title = open_writes.pop(user, None) or f"{uuid4()}"
                self.owners[title] = user
                if await self._send(client, headers[user], title) != 201:
                    open_writes[user] = title
                await asyncio.sleep(PAUSE)
        for user, title in open_writes.items():
            await self._complete(client, headers[user], title)

    async def _complete(self, client: httpx2.AsyncClient, headers: dict[str, str], title: str) -> None:
        for _ in range(MOST):
            if await self._send(client, headers, title) == 201:
                return
            await asyncio.sleep(PAUSE * 10)
        raise AssertionError("a write was never acknowledged")

    def statuses_of(self, users: Collection[str]) -> Counter[int]:
        return Counter(one.status for one in self.responses if self.owners[one.title] in users)

    def slowest_of(self, users: Collection[str]) -> float:
        return max(one.seconds for one in self.responses if self.owners[one.title] in users)

    async def until_all(self, users: Collection[str]) -> None:
        """Wait until a later write of each of these users has been acknowledged."""
        before = len(self.responses)
        async with asyncio.timeout(60):
            while not set(users) <= {*self._acknowledged_since(before)}:
                await self._told.wait()
                self._told.clear()

    def _acknowledged_since(self, count: int) -> Iterator[str]:
        return (self.owners[one.title] for one in self.responses[count:] if one.status == 201)


@asynccontextmanager
async def writing_for_many(url: str, clients: int = WRITERS) -> AsyncIterator[SpreadLoad]:
    """Let clients write for 40 users while the block runs, and complete what they have begun."""
    load = SpreadLoad(url)
    async with httpx2.AsyncClient(base_url=url, timeout=30) as client, asyncio.TaskGroup() as group:
        for number in range(clients):
            group.create_task(load.write_for(client, load.users[number::clients]))
        try:
            yield load
        finally:
            load.stop()
