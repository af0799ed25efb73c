"""A closed-loop load generator: N connections, each sends its next request when the last response is complete."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from benchmarks.servers import Server

WARM_UP = 0.25  # seconds


@dataclass(frozen=True, slots=True)
class Call:
    """A kind of request.

    Attributes:
        name: The name in the tables.
        request: Returns the next request to send.
        status: The expected status.
        unconditional: The expected status of programs that ignore conditions, where it differs.
        is_new: Whether the replaced stack lacks the call.
    """

    name: str
    request: Callable[[], bytes]
    status: int
    unconditional: int | None = None
    is_new: bool = False


@dataclass(slots=True)
class Sample:
    """One turn of one program.

    Attributes:
        latencies: Seconds from request to response, without the warm-up.
        answered: Responses, including the warm-up.
        errors: Responses with another status than expected, and broken connections.
        seconds: How long it took, without the warm-up.
        cpu: The server's CPU seconds, including the warm-up.
    """

    latencies: list[float] = field(default_factory=list)
    answered: int = 0
    errors: int = 0
    seconds: float = 0.0
    cpu: float = 0.0

    @property
    def rate(self) -> float:
        """Requests per second."""
        return len(self.latencies) / self.seconds

    @property
    def cpu_per_request(self) -> float:
        """The server's CPU seconds per request."""
        return self.cpu / self.answered


class _Connection(asyncio.Protocol):
    """One keep-alive connection."""

    def __init__(self, call: Call, status: int, sample: Sample, start: float, until: float) -> None:
        self._call, self._sample, self._start, self._until = call, sample, start, until
        self._expected = b"HTTP/1.1 %d " % status
        self._buffer = bytearray()
        self._missing = 0  # bytes of the response, known once its head is complete
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are not of that class
        self._send()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._missing:
            end = self._buffer.find(b"\r\n\r\n") + 4
            if end < 4:  # noqa: PLR2004 - not found
                return
            self._missing = end + _content_length(bytes(self._buffer[:end]))
        if len(self._buffer) < self._missing:
            return
        self._sample.answered += 1
        if self._sent >= self._start:
            self._sample.latencies.append(time.perf_counter() - self._sent)
        self._sample.errors += not self._buffer.startswith(self._expected)
        self._buffer.clear()
        self._missing = 0
        self._send()

    def connection_lost(self, _: Exception | None) -> None:
        if not self.done.done():
            self._sample.errors += 1
            self.done.set_result(None)

    def _send(self) -> None:
        self._sent = time.perf_counter()
        if self._sent < self._until:
            self._transport.write(self._call.request())
        else:
            self.done.set_result(None)
            self._transport.close()


def _content_length(head: bytes) -> int:
    _, _, rest = head.lower().partition(b"\r\ncontent-length:")
    return int(rest.partition(b"\r\n")[0] or 0)


async def run(call: Call, server: Server, connections: int, seconds: float) -> Sample:
    """Send requests for a number of seconds.

    The first quarter of a second, when all connections are new and arrive at once, is a warm-up and not counted.
    """
    loop, sample, start = asyncio.get_running_loop(), Sample(), time.perf_counter() + WARM_UP
    status = call.status if server.knows_conditions else call.unconditional or call.status
    before = server.cpu_seconds()

    def connect() -> _Connection:
        return _Connection(call, status, sample, start, start + seconds)

    made = [await loop.create_connection(connect, "127.0.0.1", server.port) for _ in range(connections)]
    await asyncio.wait_for(asyncio.gather(*(protocol.done for _, protocol in made)), seconds + 30)
    sample.seconds = time.perf_counter() - start
    sample.cpu = server.cpu_seconds() - before
    return sample
