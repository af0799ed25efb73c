"""A load generator: as many requests as N connections can have answered in a time, with a latency for each."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Call:
    """A kind of request: what to send, made anew for each, and the status that is right."""

    name: str
    request: Callable[[], bytes]
    status: int


@dataclass(slots=True)
class Sample:
    """What was measured: seconds for each answer, errors, and how long it all took."""

    latencies: list[float] = field(default_factory=list)
    errors: int = 0
    seconds: float = 0.0


class _Connection(asyncio.Protocol):
    """One keep-alive connection that sends the next request when the answer to the last one is complete."""

    def __init__(self, call: Call, sample: Sample, until: float) -> None:
        self._call, self._sample, self._until = call, sample, until
        self._expected = b"HTTP/1.1 %d " % call.status
        self._buffer = b""
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, separator, body = self._buffer.partition(b"\r\n\r\n")
        if not separator or len(body) < _content_length(head):
            return
        self._sample.latencies.append(time.perf_counter() - self._sent)
        self._sample.errors += not head.startswith(self._expected)
        self._buffer = b""
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


async def run(call: Call, port: int, connections: int, seconds: float) -> Sample:
    """Send requests to 127.0.0.1 for so many seconds, the next on each connection when the last is answered."""
    loop, sample, start = asyncio.get_running_loop(), Sample(), time.perf_counter()
    made = [
        await loop.create_connection(lambda: _Connection(call, sample, start + seconds), "127.0.0.1", port)
        for _ in range(connections)
    ]
    await asyncio.wait_for(asyncio.gather(*(protocol.done for _, protocol in made)), seconds + 30)
    sample.seconds = time.perf_counter() - start
    return sample
