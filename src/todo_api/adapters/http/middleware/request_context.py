"""Request ids, security headers, the access log and metrics, for every response of the application."""

from collections.abc import Callable, Iterable
from functools import lru_cache
from hashlib import blake2b
from http import HTTPMethod
from time import perf_counter
from typing import TypeAlias

import structlog
from opentelemetry import trace
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from todo_api.adapters.http.context import KEY, RequestContext, bind_request_id
from todo_api.adapters.http.errors import problem_response
from todo_api.adapters.http.problems import RequestError

_log = structlog.get_logger("todo_api.access")

# https://cheatsheetseries.owasp.org/cheatsheets/REST_Security_Cheat_Sheet.html#security-headers
_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
]
_API_HEADERS = [*_HEADERS, (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")]
_TLS_HEADER = (b"strict-transport-security", b"max-age=63072000; includeSubDomains")

_CLIENT_CLOSED_REQUEST = 499  # nginx's status for a client that disconnects before the response

# Called after each request with its method, the template of its path, the status of the response, and its seconds.
Observe: TypeAlias = Callable[[str, str, int, float], None]


def refusal(error: RequestError, headers: Iterable[tuple[bytes, bytes]]) -> Response:
    """Log and return the response to a request that the server refuses before it reaches the application."""
    request_id = (b"x-request-id", bind_request_id(headers).encode())
    response = problem_response(error)
    response.raw_headers += [request_id, *_API_HEADERS]
    _log.warning("refused", status=response.status_code, code=error.problem.code)
    return response


class RequestContextMiddleware:
    """Gives each request a `RequestContext`, adds headers to its response, logs and measures it."""

    def __init__(self, app: ASGIApp, *, access_log: bool, observe: Observe | None) -> None:
        self._app = app
        self._access_log = access_log
        self._observe = observe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["query_string"] and "fastapi.telemetry" in scope:
            trace.get_current_span().set_attribute("url.query", "REDACTED")  # it may contain user text
        started = perf_counter()
        context = RequestContext(_response_headers(scope, bind_request_id(scope["headers"])))
        scope[KEY] = context

        async def send_with_headers(message: Message) -> None:
            if message["type"] in {"http.response.start", "websocket.http.response.start"}:
                context.status = message["status"]
                message["headers"] = [*message["headers"], *context.response_headers]
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        finally:
            if scope["type"] == "http":
                self._report(scope, context, perf_counter() - started)

    def _report(self, scope: Scope, context: RequestContext, seconds: float) -> None:
        status = context.status or _CLIENT_CLOSED_REQUEST
        if self._access_log:
            user = {"user": _digest(context.user_id)} if context.user_id is not None else {}
            duration = round(seconds * 1000, 3)
            _log.info(
                "request", method=scope["method"], route=_route(scope), status=status, duration_ms=duration, **user
            )
        if self._observe:
            self._observe(_method(scope), _route(scope) or "", status, seconds)


def _response_headers(scope: Scope, request_id: str) -> list[tuple[bytes, bytes]]:
    # The pages /docs and /redoc set their own policy, so that their scripts can run.
    path = scope["path"].removeprefix(scope.get("root_path", ""))
    headers = [
        (b"x-request-id", request_id.encode()),
        *(_API_HEADERS if path.startswith("/api") else _HEADERS),
    ]
    return [*headers, _TLS_HEADER] if scope["scheme"] in {"https", "wss"} else headers


def _route(scope: Scope) -> str | None:
    """Return the template of the path: the path itself may contain private data."""
    route: str | None = getattr(scope.get("route"), "path_format", None)
    return route


def _method(scope: Scope) -> str:
    """Return the method, or OTHER for unknown ones, so that clients cannot create metrics without limit."""
    method: str = scope["method"]
    return method if method in HTTPMethod.__members__ else "OTHER"


@lru_cache(4096)
def _digest(user_id: str) -> str:
    """Return a digest that distinguishes users in the log without identifying them."""
    return blake2b(user_id.encode(), digest_size=8).hexdigest()
