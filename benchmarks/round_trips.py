"""Counts round trips to PostgreSQL on the wire: a proxy on a Unix socket that reads what the clients send."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path


class RoundTrips:
    """How often the clients waited for the server: once for each Sync and each simple Query.

    The messages are those of "Message Formats" in the chapter "Frontend/Backend Protocol" of PostgreSQL's manual.
    """

    def __init__(self) -> None:
        self.count = 0

    async def forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on what a client sends, and count."""
        try:
            size = await reader.readexactly(4)
            writer.write(size + await reader.readexactly(int.from_bytes(size) - 4))  # the start-up has no type
            while True:
                head = await reader.readexactly(5)
                writer.write(head + await reader.readexactly(int.from_bytes(head[1:]) - 4))
                self.count += head[:1] in {b"S", b"Q"}
        except asyncio.IncompleteReadError:
            writer.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
    writer.close()


@asynccontextmanager
async def counting_proxy(server: Path, directory: Path) -> AsyncIterator[RoundTrips]:
    """Listen on a socket in `directory` and pass everything on to the PostgreSQL whose socket is `server`."""
    counted = RoundTrips()
    tasks: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_unix_connection(server)
        for way in (counted.forward(reader, server_writer), _pass_on(server_reader, writer)):
            task = asyncio.ensure_future(way)
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    listener = await asyncio.start_unix_server(accept, directory / server.name)
    try:
        yield counted
    finally:
        listener.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
