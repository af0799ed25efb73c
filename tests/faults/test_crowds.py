"""Thousands of idle connections and hundreds of slow clients: other clients are served."""

import asyncio
import resource
import statistics
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from itertools import cycle
from urllib.parse import urlsplit

import httpx2
import psutil
import pytest
from tests.faults.conftest import Figures, Serve
from tests.faults.postgres import Server
from tests.faults.programs import Service, authorization

from todo_api.server.process import raise_open_files_limit

pytestmark = pytest.mark.faults

IDLE = 10_000
NEEDED = IDLE + 1000  # files, of the service and of the test
AT_ONCE = 100  # connections that are being made
DRIPPERS = 80  # of each kind
TIMEOUT = 2  # seconds that the service has with each
DRIP = 0.1  # seconds between two bytes
ASKED = 300  # requests whose latency is measured
KIBIBYTE = 1024

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]

HEALTH = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def many_files() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    if before[1] < NEEDED:
        pytest.skip(f"the hard limit of open files (ulimit -Hn) is {before[1]:,}, and {NEEDED:,} are needed")
    raise_open_files_limit()
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


async def connect(service: Service, number: int) -> Connection:
    """Connect from one of several addresses of this machine, each with some 28,000 ports."""
    parts = urlsplit(service.url)
    source = (f"127.0.2.{number % 4 + 1}", 0) if sys.platform == "linux" else None
    return await asyncio.open_connection(parts.hostname, parts.port, local_addr=source)


@asynccontextmanager
async def connected(service: Service, count: int) -> AsyncIterator[list[Connection]]:
    """Open connections, each with one request."""
    turns, connections = asyncio.Semaphore(AT_ONCE), []

    async def one(number: int) -> None:
        async with turns:
            reader, writer = await connect(service, number)
            connections.append((reader, writer))
            writer.write(HEALTH)
            assert b"200 OK" in await reader.readuntil(b"}")

    try:
        await asyncio.gather(*(one(number) for number in range(count)))
        yield connections
    finally:
        for _, writer in connections:
            writer.close()


async def latencies(service: Service) -> list[float]:
    """Return latencies of an ordinary client in milliseconds."""
    measured = []
    async with httpx2.AsyncClient(base_url=service.url, headers=authorization("good"), timeout=30) as client:
        for number in range(ASKED):
            begun = time.perf_counter()
            request = client.post("/api/tasks", json={"title": "x"}) if number % 5 == 0 else client.get("/api/tasks")
            response = await request
            assert response.is_success, response.text
            measured.append((time.perf_counter() - begun) * 1000)
    return measured


def summary(measured: list[float]) -> str:
    return f"p50 {statistics.median(measured):.1f} ms, p99 {statistics.quantiles(measured, n=100)[98]:.1f} ms"


@pytest.mark.usefixtures("many_files")
async def test_ten_thousand_idle_connections_cost_little(server: Server, serve: Serve, figures: Figures) -> None:
    service = serve(server.url)
    assert service.process
    process = psutil.Process(service.process.pid)
    alone = await latencies(service)
    before = process.memory_info().rss

    async with connected(service, IDLE) as connections:
        each = (process.memory_info().rss - before) / IDLE / KIBIBYTE
        in_the_crowd = await latencies(service)
        open_files = process.num_fds()
        hung_up = sum(reader.at_eof() for reader, _ in connections)
    for _ in range(100):
        if process.num_fds() < IDLE // 10:
            break
        await asyncio.sleep(0.1)

    figures(
        f"{len(connections):,} idle connections, {hung_up} closed, {each:.1f} KiB each; "
        f"others: {summary(in_the_crowd)}, and without them {summary(alone)}"
    )
    assert open_files > IDLE
    assert hung_up == 0
    assert each < 40
    assert statistics.median(in_the_crowd) < 2 * statistics.median(alone) + 5
    assert process.num_fds() < IDLE // 10
    assert not service.logged("error")


GET, POST = b"GET /api/tasks HTTP/1.1\r\nHost: x\r\n", b"POST /api/tasks HTTP/1.1\r\nHost: x\r\n"
BODY = b"Content-Type: application/json\r\nContent-Length: 10000\r\n\r\n"
TOKEN = "".join(f"{name}: {value}\r\n" for name, value in authorization("slow").items()).encode()
KINDS = {  # what they send first, what they then send byte by byte, and the response
    "header": (GET, b"X-Drop: 1\r\n", b" 408 "),
    "second header": (HEALTH + GET, b"X-Drop: 1\r\n", b" 408 "),
    "body": (POST + TOKEN + BODY, b" ", b" 408 "),
    "body after the response": (POST + BODY, b" ", b" 401 "),
    "lines after the response": (HEALTH, b"\r\n", b" 200 "),
    "nothing": (b"", b"", b""),
}


async def drip(service: Service, kind: str, number: int) -> tuple[float, bytes]:
    """Send as slowly as possible; return the seconds until the connection was closed, and what was received."""
    begun = time.monotonic()
    first, drops, _ = KINDS[kind]
    reader, writer = await connect(service, number)
    writer.write(first)
    response = asyncio.create_task(_all_of(reader))
    for drop in cycle([drops[place : place + 1] for place in range(len(drops))] or [b""]):
        await asyncio.wait({response}, timeout=DRIP)
        if response.done():
            break
        assert time.monotonic() - begun < 10 * TIMEOUT, "it was never disconnected"
        writer.write(drop)
    writer.close()
    return time.monotonic() - begun, await response


async def _all_of(reader: asyncio.StreamReader) -> bytes:
    """Read up to the end, which is a reset if the service had not read the last byte."""
    received = bytearray()
    with suppress(ConnectionError):
        while part := await reader.read(KIBIBYTE):
            received += part
    return bytes(received)


async def test_slow_clients_are_disconnected(server: Server, serve: Serve, figures: Figures) -> None:
    service = serve(server.url, HEADER_TIMEOUT=f"{TIMEOUT}", REQUEST_TIMEOUT=f"{TIMEOUT}")
    alone = await latencies(service)
    async with asyncio.TaskGroup() as group:
        tasks = {kind: [group.create_task(drip(service, kind, number)) for number in range(DRIPPERS)] for kind in KINDS}
        meanwhile = await latencies(service)

    came = {kind: [task.result() for task in some] for kind, some in tasks.items()}
    slowest = {kind: max(seconds for seconds, _ in some) for kind, some in came.items()}
    ends = ", ".join(f"{seconds:.1f} s ({kind})" for kind, seconds in slowest.items())
    figures(
        f"{DRIPPERS} of each kind, the last cut off after {ends}; "
        f"others: {summary(meanwhile)}, and without them {summary(alone)}"
    )
    for kind, some in came.items():
        assert all(KINDS[kind][2] in said for _, said in some), kind
        assert slowest[kind] < 2 * TIMEOUT + 1
    assert statistics.median(meanwhile) < 3 * statistics.median(alone) + 20
    assert not service.logged("error")
