"""What the server needs of the application, which hands it over in the state of its lifespan."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from starlette.responses import PlainTextResponse, Response

SERVER_HOOKS = "server_hooks"  # the key in the lifespan's state

Headers: TypeAlias = Iterable[tuple[bytes, bytes]]
Refuse: TypeAlias = Callable[[int, str, Headers], Response]


def refuse_in_plain_text(status: int, detail: str, headers: Headers) -> Response:  # noqa: ARG001 - part of `Refuse`
    return PlainTextResponse(detail, status)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerHooks:
    """Limits of each process, and its calls to the application.

    Attributes:
        max_connections: Connections that are open at a time.
        max_header_bytes: Bytes of a request line and its header fields.
        header_timeout: Seconds for a request line and its header fields to arrive.
        refuse: Makes the response to a request that does not reach the application, of a status (400, 408, 431 or
            503), a detail, and the header fields as far as they were read.
        end_streams: Ends all responses that would go on for ever; called when the server begins to stop.
    """

    max_connections: int = 12_000
    max_header_bytes: int = 32 * 1024
    header_timeout: float = 10.0
    refuse: Refuse = refuse_in_plain_text
    end_streams: Callable[[], None] = lambda: None
