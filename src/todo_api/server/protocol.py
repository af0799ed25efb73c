"""What a connection may cost: uvicorn's HTTP protocol, with bounds on how many there are and how long they take."""

import asyncio
from contextvars import copy_context
from dataclasses import dataclass
from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from todo_api.adapters.http.middleware.request_context import refusal
from todo_api.adapters.http.problems import (
    HeaderTooLargeError,
    RequestError,
    RequestTimeoutError,
    TooManyConnectionsError,
)
from todo_api.adapters.http.routes.events import END_STREAMS

LONGEST_STALL = 30.0  # seconds in which a client may take nothing of what it is sent
LAST_CALL = 1.0  # seconds in which those who are connected may ask once more when the server stops

# The name in the lifespan's state under which the application gives its ConnectionLimits.
CONNECTION_LIMITS = "connection_limits"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """How many connections a process keeps, and in how many bytes and seconds the header of a request must arrive."""

    connections: int = 12_000
    header_bytes: int = 32 * 1024
    header_seconds: float = 10.0


class Protocol(HttpToolsProtocol):
    """One connection of a client."""

    _stall: asyncio.TimerHandle | None = None
    _patience: asyncio.TimerHandle | None = None
    _in_header = False
    _is_long = False
    _is_stopping = False
    _header_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # uvicorn's own
        """Takes the connection, unless there are too many."""
        super().connection_made(transport)
        self._limits: ConnectionLimits = self.app_state.get(CONNECTION_LIMITS) or ConnectionLimits()
        if len(self.connections) > self._limits.connections:
            self._refuse(TooManyConnectionsError("the server has as many connections as it can keep; come again later"))
        else:
            self._wait_for_header()

    def data_received(self, data: bytes) -> None:
        """Takes a part of a request; a header that takes too many of them, or too long, ends the connection.

        So does the rest of a request that has its answer already, or what is none, if it goes on for too long.
        """
        self._is_long = len(data) > self._limits.header_bytes
        super().data_received(data)
        if self._in_header:
            self._header_bytes += len(data)
            if self._header_bytes > self._limits.header_bytes:
                self._refuse_header()
                return
        if (self._in_header or self._is_idle) and not (self._patience or self.timeout_keep_alive_task):
            self._wait_for_header()

    def on_message_begin(self) -> None:
        """Begins a request."""
        super().on_message_begin()
        self._in_header = True
        self._header_bytes = 0

    def on_headers_complete(self) -> None:
        """Ends its header."""
        self._stop_waiting()
        if self._is_long and sum(len(name) + len(value) for name, value in self.headers) > self._limits.header_bytes:
            self._refuse_header()
            raise HeaderTooLargeError("")  # which ends the parsing
        self._in_header = False
        super().on_headers_complete()
        if self._is_stopping:
            self.cycle.keep_alive = False

    def on_message_complete(self) -> None:
        """Ends a request; if it had its answer before, the connection is idle from here on, which uvicorn overlooks."""
        super().on_message_complete()
        if self._is_idle and self.timeout_keep_alive_task is None:
            self._stop_waiting()
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def pause_writing(self) -> None:
        """Begins to watch a client that does not take what it is sent."""
        super().pause_writing()
        self._watch_what_is_left()

    def resume_writing(self) -> None:
        """Ends that."""
        super().resume_writing()
        self._stop_watching()

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends all waiting."""
        super().connection_lost(exc)
        self._stop_watching()
        self._stop_waiting()

    def shutdown(self) -> None:
        """Ends the streams of events, and the connection with its next answer.

        A proxy may be sending a request at this very moment on a connection that it takes for a good one, and many
        would not dare to send it again: one that is idle is not closed before it has had time to ask.
        """
        if end_streams := self.app_state.get(END_STREAMS):
            end_streams()
        self._is_stopping = True
        if self._is_idle:
            self.loop.call_later(LAST_CALL, self._close_if_idle)
        else:
            super().shutdown()

    def send_400_response(self, msg: str) -> None:
        """Answers what is no HTTP, and so reaches no application, as the application answers errors."""
        self._refuse(RequestError(msg))

    @property
    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete  # type: ignore[redundant-expr] # uvicorn's own

    def _close_if_idle(self) -> None:
        if self._is_idle:
            self.transport.close()

    def _refuse_header(self) -> None:
        most = f"{self._limits.header_bytes:,} bytes"
        self._refuse(HeaderTooLargeError(f"the request line and the header fields must have at most {most}"))

    def _refuse(self, error: RequestError) -> None:
        if self.transport.is_closing():
            return
        # The context is the connection's: the name is this one request's.
        answer = copy_context().run(refusal, error, self.headers if self._in_header else ())
        status = HTTPStatus(answer.status_code)
        head = [
            f"HTTP/1.1 {status.value} {status.phrase}".encode(),
            *(b": ".join(header) for header in answer.raw_headers),
            b"connection: close",
        ]
        self.transport.write(b"\r\n".join([*head, b"", bytes(answer.body)]))
        self.transport.close()

    def _wait_for_header(self) -> None:
        self._patience = self.loop.call_later(self._limits.header_seconds, self._lose_patience)

    def _lose_patience(self) -> None:
        if self._in_header:
            self._refuse(RequestTimeoutError("the header of the request did not arrive in time; send it at once"))
        else:  # it never asked for anything
            self.transport.close()

    def _watch_what_is_left(self) -> None:
        left = self.transport.get_write_buffer_size()
        self._stall = self.loop.call_later(LONGEST_STALL, self._cut_off_unless_less_than, left)

    def _cut_off_unless_less_than(self, left: int) -> None:
        """Hangs up on who has taken nothing since the last look; whoever is merely slow may go on."""
        if self.transport.get_write_buffer_size() < left:
            self._watch_what_is_left()
        else:
            self.transport.abort()

    def _stop_watching(self) -> None:
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
