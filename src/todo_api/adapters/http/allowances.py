"""The RateLimit header fields of draft-ietf-httpapi-ratelimit-headers-10."""

from starlette.requests import Request

from todo_api.adapters.http.edge import add_answer_headers
from todo_api.application.rates import Allowance


def tell_allowance(request: Request, allowance: Allowance | None) -> None:
    """Add to the answer, whatever it will be, what is left of a limit."""
    if allowance is None:
        return
    policy = f'"default";q={allowance.limit};w={allowance.window}'
    left = f'"default";r={allowance.remaining};t={allowance.reset}'
    add_answer_headers(request.scope, (b"ratelimit-policy", policy.encode()), (b"ratelimit", left.encode()))
