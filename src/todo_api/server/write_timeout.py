"""The timeout for clients that do not read their response."""

import asyncio

WRITE_TIMEOUT = 30.0  # seconds


class WriteTimeout:
    """Aborts a connection whose write buffer is full and does not shrink for so many seconds."""

    __slots__ = ("_seconds", "_timer", "_transport")

    def __init__(self, transport: asyncio.Transport, seconds: float) -> None:
        self._transport = transport
        self._seconds = seconds
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        unread = self._transport.get_write_buffer_size()
        self._timer = asyncio.get_running_loop().call_later(self._seconds, self._abort_unless_less_than, unread)

    def cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _abort_unless_less_than(self, unread: int) -> None:
        if self._transport.get_write_buffer_size() < unread:
            self.start()
        else:
            self._transport.abort()
