"""uvicorn's HTTP protocol with limits: the number of connections, and the duration of each step."""

import asyncio
from collections.abc import Callable, Iterable
from contextvars import copy_context
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeAlias

from starlette.responses import PlainTextResponse, Response
from starlette.types import Message, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from todo_api.server.sockets import WRITE_TIMEOUT

SERVER_HOOKS = "server_hooks"  # the key in the state of the application's lifespan
SHUTDOWN_DELAY = 1.0  # seconds for which an idle connection is kept when the server stops

Headers: TypeAlias = Iterable[tuple[bytes, bytes]]
Refuse: TypeAlias = Callable[[int, str, Headers], Response]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerHooks:
    """Limits of each process, and its calls to the application.

    Attributes:
        max_connections: Connections that are open at a time.
        max_header_bytes: Bytes of a request line and its header fields.
        header_timeout: Seconds for a request line and its header fields to arrive.
        refuse: Creates the response to a request that does not reach the application, from a status (400, 408, 431 or
            503), a detail, and the header fields that were read.
        end_streams: Ends all endless responses; called when the server begins to stop.
    """

    max_connections: int = 12_000
    max_header_bytes: int = 32 * 1024
    header_timeout: float = 10.0
    refuse: Refuse = lambda status, detail, _: PlainTextResponse(detail, status)
    end_streams: Callable[[], None] = lambda: None


_DEFAULT_HOOKS = ServerHooks()


class _SendWithoutChunks:
    """Sends a response to an HTTP/1.0 client, which does not know chunks (RFC 9112, section 7.1).

    The end of the connection is the end of a body without a Content-Length.
    """

    def __init__(self, cycle: RequestResponseCycle) -> None:
        self._cycle = cycle
        self._send: Send = cycle.send  # type: ignore[assignment] # uvicorn has its own ASGI types
        self._has_length = True

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._has_length = any(name.lower() == b"content-length" for name, _ in message.get("headers", ()))
            if not self._has_length:
                self._cycle.chunked_encoding = False
        elif not self._has_length:
            self._cycle.expected_content_length = len(message.get("body", b""))  # uvicorn checks it
        await self._send(message)


class HttpProtocol(HttpToolsProtocol):
    """One connection of a client."""

    write_timeout = WRITE_TIMEOUT  # seconds in which a full write buffer must shrink

    _header_timer: asyncio.TimerHandle | None = None
    _write_timer: asyncio.TimerHandle | None = None
    _reads_header = False
    _header_size = 0
    _is_large_read = False
    _is_stopping = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # uvicorn's own
        super().connection_made(transport)
        self._hooks: ServerHooks = self.app_state.get(SERVER_HOOKS, _DEFAULT_HOOKS)
        if len(self.connections) > self._hooks.max_connections:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "the server has too many connections; try again later")
        else:
            self._start_header_timer()

    def data_received(self, data: bytes) -> None:
        self._is_large_read = len(data) > self._hooks.max_header_bytes
        super().data_received(data)
        if self._reads_header:
            self._header_size += len(data)
            if self._header_size > self._hooks.max_header_bytes:
                self._refuse_header()
                return
        # Also for the rest of a request that already has its response, and for bytes that are not a request.
        if (self._reads_header or self._is_idle) and not (self._header_timer or self.timeout_keep_alive_task):
            self._start_header_timer()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._reads_header = True
        self._header_size = 0

    def on_headers_complete(self) -> None:
        self._cancel_header_timer()
        # Only if the last read was large: data_received counts the reads of a header.
        if self._is_large_read and sum(len(name) + len(value) for name, value in self.headers) > (
            self._hooks.max_header_bytes
        ):
            self._refuse_header()
            raise ValueError("the header is too large")  # ends the parsing
        self._reads_header = False
        super().on_headers_complete()
        if self._is_stopping:
            self.cycle.keep_alive = False
        if self.scope["http_version"] == "1.0":
            self.cycle.send = _SendWithoutChunks(self.cycle)  # type: ignore[method-assign, assignment]

    def on_message_complete(self) -> None:
        super().on_message_complete()
        # uvicorn starts this timeout with the response, which was sent before the request was read completely.
        if self._is_idle and self.timeout_keep_alive_task is None:
            self._cancel_header_timer()
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def pause_writing(self) -> None:
        super().pause_writing()
        self._start_write_timer()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._cancel_write_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._cancel_write_timer()
        self._cancel_header_timer()

    def shutdown(self) -> None:
        """End streams, and close the connection with its next response.

        An idle connection is kept for another second: a proxy may be sending a request on it, and must not
        retry a request that is not idempotent.
        """
        self._hooks.end_streams()
        self._is_stopping = True
        if self._is_idle:
            self.loop.call_later(SHUTDOWN_DELAY, self._close_if_idle)
        else:
            super().shutdown()

    def send_400_response(self, msg: str) -> None:
        self._refuse(HTTPStatus.BAD_REQUEST, msg)

    @property
    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete  # type: ignore[redundant-expr] # uvicorn's own

    def _close_if_idle(self) -> None:
        if self._is_idle:
            self.transport.close()

    def _start_header_timer(self) -> None:
        self._header_timer = self.loop.call_later(self._hooks.header_timeout, self._on_header_timeout)

    def _cancel_header_timer(self) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None

    def _start_write_timer(self) -> None:
        unread = self.transport.get_write_buffer_size()
        self._write_timer = self.loop.call_later(self.write_timeout, self._abort_unless_less_than, unread)

    def _abort_unless_less_than(self, unread: int) -> None:
        if self.transport.get_write_buffer_size() < unread:
            self._start_write_timer()
        else:
            self.transport.abort()

    def _cancel_write_timer(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def _on_header_timeout(self) -> None:
        if self._reads_header:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, "the header of the request did not arrive in time")
        else:
            self.transport.close()

    def _refuse_header(self) -> None:
        self._refuse(
            HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
            f"the request line and the header fields must have at most {self._hooks.max_header_bytes:,} bytes",
        )

    def _refuse(self, status: HTTPStatus, detail: str) -> None:
        if self.transport.is_closing():
            return
        is_of_a_request = self._reads_header or not self._is_idle
        headers = self.headers if is_of_a_request else ()
        # In a new context, because the hook may bind the request's id, and this context belongs to the connection.
        response = copy_context().run(self._hooks.refuse, status, detail, headers)
        head = [
            f"HTTP/1.1 {status.value} {status.phrase}".encode(),
            *(b": ".join(field) for field in response.raw_headers),
            b"connection: close",
        ]
        is_head = is_of_a_request and self.parser.get_method() == b"HEAD"
        self.transport.write(b"\r\n".join([*head, b"", b"" if is_head else bytes(response.body)]))
        self.transport.close()
