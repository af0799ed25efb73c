"""SIGTERM under load: accepted requests get a response, streams end properly, and a proxy uses other instances."""

import asyncio
import time
from urllib.parse import urlsplit

import pytest
from tests.faults.conftest import Figures, Serve
from tests.faults.load import BROKEN, outcome, writing
from tests.faults.postgres import Server
from tests.faults.programs import Service, authorization
from tests.faults.rolling import Direct, Proxy

from todo_api.cli.serve import GRACE

pytestmark = pytest.mark.faults

STREAMS = 20
BODY = b'{"title": "Late"}'

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def ask(service: Service, method: str, path: str, *more: str) -> Connection:
    """Send the header of a request on a connection of its own."""
    parts = urlsplit(service.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    fields = [f"{name}: {value}" for name, value in authorization("slow").items()]
    lines = [f"{method} {path} HTTP/1.1", f"Host: {parts.netloc}", *fields, *more, "", ""]
    writer.write("\r\n".join(lines).encode())
    await writer.drain()
    return reader, writer


async def rest_of(connection: Connection) -> bytes:
    """Read up to the end of the connection."""
    reader, writer = connection
    received = await reader.read()
    writer.close()
    return received


@pytest.mark.parametrize("keep_alive", [True, False], ids=["kept connections", "new connections"])
@pytest.mark.parametrize("workers", ["1", "2"])
async def test_accepted_requests_get_a_response(
    server: Server, serve: Serve, figures: Figures, workers: str, *, keep_alive: bool
) -> None:
    service = serve(server.url, WORKERS=workers, EVENT_STREAMS_PER_USER="100")
    transport = Direct(keep_alive=keep_alive)
    streams = [await ask(service, "GET", "/api/tasks/events") for _ in range(STREAMS)]
    begun = [await reader.readuntil(b"\n\n") for reader, _ in streams]
    late = await ask(service, "POST", "/api/tasks", "Content-Type: application/json", f"Content-Length: {len(BODY)}")
    late[1].write(BODY[:5])

    async with writing(service.url, transport=transport) as load:
        await load.until(300)
        asked = time.monotonic()
        stopped = asyncio.create_task(asyncio.to_thread(service.terminate))
        await asyncio.sleep(1)
        late[1].write(BODY[5:])
        response = await rest_of(late)
        status = await stopped
        took = time.monotonic() - asked

    ends = [await rest_of(stream) for stream in streams]
    result = await outcome(load, server, (201, BROKEN))
    figures(
        f"{workers} workers: {result}; without a response: connections refused: {transport.refused}, "
        f"broken: {len(transport.broken)}; {STREAMS} streams, stopped after {took:.2f} s with status {status}"
    )
    assert transport.broken == []
    assert load.statuses[BROKEN] == transport.refused
    assert result.lost == result.twice == 0
    assert response.startswith(b"HTTP/1.1 201 ")
    assert b"connection: close\r\n" in response
    assert all(head.startswith(b"HTTP/1.1 200 ") for head in begun)
    assert all(b"retry: " in end.rpartition(b"data: ")[2] and end.endswith(b"\r\n0\r\n\r\n") for end in ends), ends
    assert status == 0
    assert took < GRACE
    assert not service.logged("error")


@pytest.mark.parametrize("keep_alive", [True, False], ids=["kept connections", "new connections"])
@pytest.mark.parametrize("workers", ["1", "2"])
async def test_a_rolling_restart_loses_no_request(
    server: Server, serve: Serve, figures: Figures, workers: str, *, keep_alive: bool
) -> None:
    services = [serve(server.url, WORKERS=workers) for _ in range(2)]
    proxy = Proxy([service.url for service in services], keep_alive=keep_alive)

    async with writing(services[0].url, transport=proxy) as load:
        for service in services:
            await load.until(200)
            assert await asyncio.to_thread(service.terminate) == 0
            await load.until(50)
            await asyncio.to_thread(service.start)
        await load.until(200)

    result = await outcome(load, server, (201,))
    figures(f"2 restarts of {workers} workers: {result}; sent to the other instance: {proxy.refused}")
    assert proxy.broken == []
    assert proxy.refused > 0
    assert result.lost == result.twice == 0
