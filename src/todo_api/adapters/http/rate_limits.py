"""The RateLimit header fields of draft-ietf-httpapi-ratelimit-headers-10."""

from starlette.types import Scope

from todo_api.adapters.http.context import context_of
from todo_api.application.rates import Allowance


def add_allowance(scope: Scope, allowance: Allowance | None) -> None:
    """Add the headers to the response, whatever its status will be."""
    if allowance is None:
        return
    policy = f'"default";q={allowance.limit};w={allowance.window}'
    left = f'"default";r={allowance.remaining};t={allowance.reset}'
    context_of(scope).response_headers += [(b"ratelimit-policy", policy.encode()), (b"ratelimit", left.encode())]
