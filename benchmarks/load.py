"""A load generator: as many requests as N connections can have answered in a time, with a latency for each."""

import asyncio
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from benchmarks.servers import Server

WARM_UP = 0.25  # seconds


@dataclass(frozen=True, slots=True)
class Call:
    """A kind of request: what to send, made anew for each, and the status that is right."""

    name: str
    request: Callable[[], bytes]
    status: int
    unconditional: int | None = None  # the status that is right for who knows no conditions, where it is another
    is_new: bool = False  # the stack that was replaced has no such call


@dataclass(slots=True)
class Sample:
    """What was measured: seconds for each answer after the warm-up, how long they took together, and all answers.

    The server's processor time is that of all answers.
    """

    latencies: list[float] = field(default_factory=list)
    answered: int = 0
    errors: int = 0
    seconds: float = 0.0
    cpu: float = 0.0

    def add(self, other: "Sample") -> None:
        """Take in what was measured at another turn."""
        self.latencies += other.latencies
        self.answered += other.answered
        self.errors += other.errors
        self.seconds += other.seconds
        self.cpu += other.cpu

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.latencies) / self.seconds

    @property
    def cpu_per_request(self) -> float:
        """Seconds of the server's processor."""
        return self.cpu / self.answered

    def percentile(self, percent: int) -> float:
        """Seconds in which so many in a hundred were answered."""
        return statistics.quantiles(self.latencies, n=100, method="inclusive")[percent - 1]


class _Connection(asyncio.Protocol):
    """One keep-alive connection that sends the next request when the answer to the last one is complete."""

    def __init__(self, call: Call, status: int, sample: Sample, start: float, until: float) -> None:
        self._call, self._sample, self._start, self._until = call, sample, start, until
        self._expected = b"HTTP/1.1 %d " % status
        self._buffer = bytearray()
        self._missing = 0  # bytes of the answer, once its head has said how many there are
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
    """Send requests for so many seconds, the next on each connection when the last is answered.

    Those of the first quarter of a second, when all come at once and connections are new, are not counted.
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
