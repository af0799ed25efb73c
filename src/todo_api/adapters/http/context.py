"""What the adapter keeps about a request while it is handled, in the request's ASGI scope."""

from dataclasses import dataclass

from starlette.types import Scope

from todo_api.application.access import Principal
from todo_api.application.rates import Allowance

_KEY = "todo_api.context"


@dataclass(slots=True)
class RequestContext:
    """The state of one request.

    Attributes:
        response_headers: Headers to add to the response, including error responses.
        principal: The verified caller; None until the request is authenticated.
        status: The status of the response; None until it starts.
    """

    response_headers: list[tuple[bytes, bytes]]
    principal: Principal | None = None
    status: int | None = None


def set_context(scope: Scope, context: RequestContext) -> None:
    scope[_KEY] = context


def context_of(scope: Scope) -> RequestContext:
    context: RequestContext = scope[_KEY]
    return context


def add_allowance(scope: Scope, allowance: Allowance | None) -> None:
    """Add RateLimit headers to the response (draft-ietf-httpapi-ratelimit-headers-10)."""
    if allowance is None:
        return
    policy = f'"default";q={allowance.limit};w={allowance.window}'
    left = f'"default";r={allowance.remaining};t={allowance.reset}'
    context_of(scope).response_headers += [(b"ratelimit-policy", policy.encode()), (b"ratelimit", left.encode())]
