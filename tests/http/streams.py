"""A client for streams: httpx2's ASGI transport waits for the end of each response."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.types import Message


@dataclass(frozen=True)
class Event:
    id: str
    page: dict[str, Any]

    @property
    def titles(self) -> list[str]:
        return [task["title"] for task in self.page["tasks"]]


class Stream:
    """The blocks that a client has received."""

    def __init__(self) -> None:
        self.status = 0
        self.headers = Headers()
        self.started = asyncio.Event()
        self._sent: asyncio.Queue[str | None] = asyncio.Queue()
        self._asked = False
        self._hung_up = asyncio.Event()

    async def block(self) -> str | None:
        """The next lines up to an empty one, without it; None at the end of the response."""
        async with asyncio.timeout(10):
            return await self._sent.get()

    async def event(self) -> Event:
        """The next event; comments and `retry` fields are skipped."""
        while True:
            block = await self.block()
            assert block is not None, "the stream has ended"
            if block.startswith("data: "):
                data, last = block.split("\n")
                return Event(last.removeprefix("id: "), json.loads(data.removeprefix("data: ")))

    async def last_blocks(self) -> list[str]:
        """Return all remaining blocks."""
        blocks = []
        while (block := await self.block()) is not None:
            blocks.append(block)
        return blocks

    def hang_up(self) -> None:
        self._hung_up.set()

    async def receive(self) -> Message:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._hung_up.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], Headers(raw=message["headers"])
            self.started.set()
            return
        *blocks, rest = message["body"].decode().split("\n\n")
        assert not rest, "an event was cut in two"
        for block in blocks:
            self._sent.put_nowait(block)
        if not message.get("more_body"):
            self._sent.put_nowait(None)


@asynccontextmanager
async def opened(app: FastAPI, token: str, query: str = "", **headers: str) -> AsyncIterator[Stream]:
    """Open a stream of `/api/tasks/events`, and disconnect at the end of the block."""
    stream = Stream()
    sent = {"authorization": f"Bearer {token}", **{name.replace("_", "-"): value for name, value in headers.items()}}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "scheme": "http",
        "method": "GET",
        "path": "/api/tasks/events",
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
    }
    running = asyncio.create_task(app(scope, stream.receive, stream.send))
    try:
        async with asyncio.timeout(10):
            await stream.started.wait()
        yield stream
    finally:
        stream.hang_up()
        async with asyncio.timeout(10):
            await running
