"""CORS: Starlette's middleware, with problem documents for refused preflight requests."""

from collections.abc import Iterable, Sequence

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from todo_api.adapters.http.context import context_of
from todo_api.adapters.http.errors import problem_response
from todo_api.adapters.http.problems import PreflightRefusedError

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_REQUEST_HEADERS = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "Last-Event-ID",
    "X-Request-ID",
    # What browsers add for telemetry: W3C Trace Context, W3C Baggage and Sentry.
    "baggage",
    "sentry-trace",
    "traceparent",
    "tracestate",
)
_EXPOSED_HEADERS = (
    "Content-Disposition",
    "ETag",
    "Idempotent-Replayed",
    "Link",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "WWW-Authenticate",
    "X-Request-ID",
)
_VARY = (b"vary", b"Origin")  # so that caches do not give a browser a response without CORS headers


def allow_origin(response: Response, request_headers: Iterable[tuple[bytes, bytes]], origins: Sequence[str]) -> None:
    """Let web pages of these origins read the response, which has not passed through the middleware.

    Without an Origin among the header fields of the request, nothing is allowed.
    """
    headers = Headers(raw=list(request_headers))
    cors = Cors(response, origins)
    if "Origin" in headers and cors.is_allowed_origin(headers["Origin"]):
        response.headers.update(cors.simple_headers)
        if not cors.allow_all_origins:
            cors.allow_explicit_origin(response.headers, headers["Origin"])


class Cors(CORSMiddleware):
    """Allows calls from web pages of these origins, with `headers` beside those that the API reads."""

    def __init__(self, app: ASGIApp, origins: Sequence[str], headers: Sequence[str] = ()) -> None:
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=_METHODS,
            allow_headers=(*_REQUEST_HEADERS, *headers),
            expose_headers=_EXPOSED_HEADERS,
            allow_private_network=True,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or any(name == b"origin" for name, _ in scope["headers"]):
            await super().__call__(scope, receive, send)
            return
        context_of(scope).response_headers.append(_VARY)
        await self.app(scope, receive, send)

    def preflight_response(self, request_headers: Headers) -> Response:
        response = super().preflight_response(request_headers)
        if response.status_code == 200:  # noqa: PLR2004
            return response
        problem = problem_response(
            PreflightRefusedError(f"{bytes(response.body).decode()}: see CORS_ORIGINS, CORS_HEADERS")
        )
        problem.headers.update({name: value for name, value in response.headers.items() if name.startswith("access-")})
        problem.headers["Vary"] = response.headers["Vary"]
        return problem
