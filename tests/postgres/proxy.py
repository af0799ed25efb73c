"""A TCP proxy to the server that counts round trips, also for programs that cannot use the server's socket."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit, urlunsplit

CHUNK = 65_536


@dataclass
class Proxy:
    """Listens on a port of this machine and passes everything on to the server of a URL."""

    upstream: str
    port: int = 0
    round_trips: int = 0
    unanswered: bytes | None = None  # after a message with this text, the connection is closed instead of responding
    connections: set["asyncio.Task[None]"] = field(default_factory=set)

    @property
    def url(self) -> str:
        parts = urlsplit(self.upstream)
        login = parts.netloc.rpartition("@")[0] or "postgres"
        return urlunsplit(parts._replace(netloc=f"{login}@127.0.0.1:{self.port}", query="sslmode=disable"))

    @contextmanager
    def counted(self, expected: int) -> Iterator[None]:
        """Assert the number of round trips in the block."""
        before = self.round_trips
        yield
        assert self.round_trips - before == expected

    async def hang_up(self) -> None:
        for connection in self.connections:
            connection.cancel()
        await asyncio.gather(*self.connections, return_exceptions=True)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.current_task()
        assert connection
        self.connections.add(connection)
        connection.add_done_callback(self.connections.discard)
        server_reader, server_writer = await self._connect()
        sender: list[str] = ["server"]

        def from_client(data: bytes) -> bool:
            self.round_trips += sender[0] == "server"
            sender[0] = "unlucky client" if self.unanswered is not None and self.unanswered in data else "client"
            return True

        def from_server(_: bytes) -> bool:
            unlucky = sender[0] == "unlucky client"
            sender[0] = "server"
            return not unlucky

        await asyncio.gather(
            _pump(reader, server_writer, from_client), _pump(server_reader, writer, from_server), return_exceptions=True
        )

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        parts = urlsplit(self.upstream)
        query = parse_qs(parts.query)
        port = int(query.get("port", [parts.port or 5432])[0])
        if "host" in query:
            return await asyncio.open_unix_connection(f"{query['host'][0]}/.s.PGSQL.{port}")
        return await asyncio.open_connection(parts.hostname, port)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, passes: Callable[[bytes], bool]) -> None:
    try:
        while (data := await reader.read(CHUNK)) and passes(data):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()


@asynccontextmanager
async def open_proxy(upstream: str, port: int = 0) -> AsyncIterator[Proxy]:
    """Serve while the block runs, then close all connections."""
    proxy = Proxy(upstream)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", port)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        async with server:
            yield proxy
    finally:
        await proxy.hang_up()
