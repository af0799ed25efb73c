"""The state of a request while it is handled, in its ASGI scope and in the context of the log."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from secrets import token_hex

from starlette.types import Scope
from structlog.contextvars import bind_contextvars

from todo_api.application.access import Principal
from todo_api.application.rates import Allowance

_SAFE_ID = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,128}")
KEY = "todo_api.context"


@dataclass(slots=True)
class RequestContext:
    """The state of one request.

    Attributes:
        response_headers: Headers to add to the response, including error responses.
        user_id: The user of the verified token, for the log.
        principal: The caller; None until authentication, rate limits and scope have been checked.
        status: The status of the response; None until it starts.
    """

    response_headers: list[tuple[bytes, bytes]]
    user_id: str | None = None
    principal: Principal | None = None
    status: int | None = None


def context_of(scope: Scope) -> RequestContext:
    context: RequestContext = scope[KEY]
    return context


def add_allowance(scope: Scope, allowance: Allowance | None) -> None:
    """Add RateLimit headers to the response (draft-ietf-httpapi-ratelimit-headers-10)."""
    if allowance is None:
        return
    policy = f'"default";q={allowance.limit};w={allowance.window}'
    left = f'"default";r={allowance.remaining};t={allowance.reset}'
    context_of(scope).response_headers += [(b"ratelimit-policy", policy.encode()), (b"ratelimit", left.encode())]


def bind_request_id(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """Return the id of the request, and bind it to the context of the log.

    It is the client's own `X-Request-ID` if that is safe to log, otherwise a random one.
    """
    given = [value for name, value in headers if name == b"x-request-id"]
    request_id = given[0].decode() if len(given) == 1 and _SAFE_ID.fullmatch(given[0]) else token_hex(16)
    bind_contextvars(request_id=request_id)
    return request_id
