"""The id of each request: the client's own `X-Request-ID` if it is safe to log, otherwise a random one.

It is in the response's `X-Request-ID`, in problem documents and in every line that is logged during the request.
"""

import re
from collections.abc import Iterable
from secrets import token_hex

from structlog.contextvars import bind_contextvars, get_contextvars

_HEADER = b"x-request-id"
_SAFE = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,128}")
_LOG_FIELD = "request_id"


def current_request_id() -> str | None:
    """Return the id of the current request, or None outside of requests."""
    request_id: str | None = get_contextvars().get(_LOG_FIELD)
    return request_id


def bind_request_id(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """Return the id for a request with these headers, and add it to everything logged in this context."""
    given = [value for name, value in headers if name == _HEADER]
    request_id = given[0].decode() if len(given) == 1 and _SAFE.fullmatch(given[0]) else token_hex(16)
    bind_contextvars(**{_LOG_FIELD: request_id})
    return request_id
