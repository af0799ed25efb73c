"""The edge of the application: what every answer has, whichever route or error it comes from.

A plain ASGI middleware around all others: the request's id, the security headers and a line in the log.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache
from hashlib import blake2b
from http import HTTPMethod
from time import perf_counter
from typing import Any, TypeAlias

import structlog
from opentelemetry import trace
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from todo_api.adapters.http.problems import RequestError, problem_response
from todo_api.adapters.http.request_id import name_request
from todo_api.adapters.http.requests import caller_of

_log = structlog.get_logger("todo_api.access")

# https://cheatsheetseries.owasp.org/cheatsheets/REST_Security_Cheat_Sheet.html#security-headers
_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
]
_API_HEADERS = [*_HEADERS, (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")]
_TLS_HEADER = (b"strict-transport-security", b"max-age=63072000; includeSubDomains")

_HUNG_UP = 499  # as nginx logs a client that did not wait for its answer


_ANSWER_HEADERS = "todo_api.answer_headers"


def add_answer_headers(scope: Scope, *headers: tuple[bytes, bytes]) -> None:
    """Have the answer to this request, whatever it will be, bear the headers."""
    scope[_ANSWER_HEADERS].extend(headers)


def refusal(error: RequestError, headers: Iterable[tuple[bytes, bytes]]) -> Response:
    """Return the answer to what reaches no application: named and guarded as all others are, and logged."""
    name = (b"x-request-id", name_request(headers).encode())
    answer = problem_response(error)
    answer.raw_headers += [name, *_API_HEADERS]
    _log.warning("refused", status=answer.status_code, code=error.problem.code)
    return answer


# Is told of each request: its method, the template of its path, the status of the answer, and the seconds that it took.
Observe: TypeAlias = Callable[[str, str, int, float], None]


class Edge:
    """Names requests, adds headers to answers, logs both, and tells who measures them."""

    def __init__(self, app: ASGIApp, *, access_log: bool, observe: Observe | None) -> None:
        """Take the application, whether each request is logged, and whom to tell of each."""
        self._app = app
        self._access_log = access_log
        self._observe = observe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the application does, and more."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["query_string"] and "fastapi.telemetry" in scope:
            trace.get_current_span().set_attribute("url.query", "REDACTED")  # it is what the user typed
        started = perf_counter()
        status = _HUNG_UP
        headers = scope[_ANSWER_HEADERS] = _headers_of(scope, name_request(scope["headers"]))

        async def send_more(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *headers]
            await send(message)

        try:
            await self._app(scope, receive, send_more)
        finally:
            seconds = perf_counter() - started
            if self._access_log:
                _log_request(scope, status, seconds)
            if self._observe:
                self._observe(_method(scope), _route(scope) or "", status, seconds)


def _headers_of(scope: Scope, request_id: str) -> list[tuple[bytes, bytes]]:
    # The pages at /docs and /redoc have a policy of their own, which lets their scripts run.
    headers = [
        (b"x-request-id", request_id.encode()),
        *(_API_HEADERS if scope["path"].startswith("/api") else _HEADERS),
    ]
    return [*headers, _TLS_HEADER] if scope["scheme"] == "https" else headers


def _log_request(scope: Scope, status: int, seconds: float) -> None:
    event: dict[str, Any] = {
        "method": scope["method"],
        "route": _route(scope),
        "status": status,
        "duration_ms": round(seconds * 1000, 3),
    }
    if caller := caller_of(scope):
        event["user"] = _digest(caller)
    _log.info("request", **event)


def _route(scope: Scope) -> str | None:
    """Return the template of the path: the path itself may name what is the user's own."""
    route: str | None = getattr(scope.get("route"), "path_format", None)
    return route


def _method(scope: Scope) -> str:
    """Return the method, if it is one: whoever makes methods up shall not make up metrics."""
    method: str = scope["method"]
    return method if method in HTTPMethod.__members__ else "OTHER"


@lru_cache(4096)
def _digest(user_id: str) -> str:
    """Return what tells users apart in the log without telling who they are."""
    return blake2b(user_id.encode(), digest_size=8).hexdigest()
