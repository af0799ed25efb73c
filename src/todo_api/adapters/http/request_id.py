"""The name of each request: the client's own, if it is harmless, or one that is made here.

It is in the answer's `X-Request-ID`, in problem documents and in the log, so that a report of one finds the others.
"""

import re
from collections.abc import Iterable
from secrets import token_hex

from structlog.contextvars import bind_contextvars, get_contextvars

_HEADER = b"x-request-id"
_HARMLESS = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,128}")

_NAME = "request_id"  # in the log


def current_request_id() -> str | None:
    """Return the id of the request that is being answered; None outside of requests."""
    request_id: str | None = get_contextvars().get(_NAME)
    return request_id


def name_request(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """Return the id of the request with these headers, and log it with everything that is logged from here on."""
    given = [value for name, value in headers if name == _HEADER]
    request_id = given[0].decode() if len(given) == 1 and _HARMLESS.fullmatch(given[0]) else token_hex(16)
    bind_contextvars(**{_NAME: request_id})
    return request_id
