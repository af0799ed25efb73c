"""Event streams: their cost while nothing changes, and the latency of an event."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import cast

from benchmarks.servers import Server

SETTLE = 2.0  # seconds until the cost of opening the streams has passed
PAUSE = 0.05  # seconds between two writes
EVENT_TIMEOUT = 5.0  # seconds until an event counts as lost


@dataclass(slots=True)
class StreamsSample:
    """CPU seconds while idle, and seconds from each response to its event."""

    idle_seconds: float = 0.0
    idle_cpu: float = 0.0
    latencies: list[float] = field(default_factory=list)
    errors: int = 0


@dataclass(frozen=True, slots=True)
class Reader:
    """A user's requests: the one that opens a stream, and those that write."""

    open: bytes
    write: Callable[[], bytes]


class _Stream(asyncio.Protocol):
    """One open stream, and the arrival times of its events."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self.opened: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.events: asyncio.Queue[float] = asyncio.Queue()
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's are not of that class
        self.transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if not self.opened.done():
            self.opened.set_result(data.startswith(b"HTTP/1.1 200 "))
        elif b"data: " in data:
            self.events.put_nowait(time.perf_counter())

    def connection_lost(self, _: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_result(False)
        self.closed.set_result(None)


async def measure_streams(
    server: Server, readers: Sequence[Reader], streams: int, seconds: float, writes: int
) -> StreamsSample:
    """Open the streams, measure them while they are idle, then write and measure the events."""
    sample = StreamsSample()
    opened = [await _open(server.port, readers[number % len(readers)]) for number in range(streams)]
    sample.errors = sum([not await stream.opened for stream in opened])
    await asyncio.sleep(SETTLE)

    before, start = server.cpu_seconds(), time.perf_counter()
    await asyncio.sleep(seconds)
    sample.idle_cpu, sample.idle_seconds = server.cpu_seconds() - before, time.perf_counter() - start

    connection = await asyncio.open_connection("127.0.0.1", server.port)
    for number in range(writes):
        turn = number % len(readers)
        await _write(connection, readers[turn], opened[turn :: len(readers)], sample)
        await asyncio.sleep(PAUSE)
    connection[1].close()
    for stream in opened:
        stream.transport.close()
    await asyncio.gather(*(stream.closed for stream in opened))  # the server waits for them when it stops
    return sample


async def _open(port: int, reader: Reader) -> _Stream:
    loop = asyncio.get_running_loop()
    _, stream = await loop.create_connection(lambda: _Stream(reader.open), "127.0.0.1", port)
    return stream


async def _write(
    connection: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    reader: Reader,
    streams: Sequence[_Stream],
    sample: StreamsSample,
) -> None:
    incoming, outgoing = connection
    outgoing.write(reader.write())
    head = await incoming.readuntil(b"\r\n\r\n")
    answered = time.perf_counter()
    sample.errors += not head.startswith(b"HTTP/1.1 201 ")
    _, _, length = head.lower().partition(b"content-length:")
    await incoming.readexactly(int(length.partition(b"\r\n")[0]))
    for stream in streams:
        heard = None
        with suppress(TimeoutError):
            heard = await asyncio.wait_for(stream.events.get(), EVENT_TIMEOUT)
        if heard is None:
            sample.errors += 1
        else:
            sample.latencies.append(max(0.0, heard - answered))
