"""What the adapter keeps about a request while it is handled, in the request's ASGI scope."""

from dataclasses import dataclass

from starlette.types import Scope

from todo_api.application.access import Principal

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
