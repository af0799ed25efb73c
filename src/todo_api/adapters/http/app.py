"""The application: routes, error answers and CORS around the use cases."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Response
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from todo_api import __version__
from todo_api.adapters.http.account import AccountRoutes
from todo_api.adapters.http.batch import BatchRoutes
from todo_api.adapters.http.dispatch import Dispatch
from todo_api.adapters.http.documentation import add_documentation
from todo_api.adapters.http.edge import Edge, Observe, add_answer_headers
from todo_api.adapters.http.events import EventRoutes
from todo_api.adapters.http.health import HealthRoutes
from todo_api.adapters.http.problems import (
    PreflightRefusedError,
    problem_response,
)
from todo_api.adapters.http.proxies import TrustedProxies
from todo_api.adapters.http.sync import SyncRoutes
from todo_api.adapters.http.tasks import TaskRoutes
from todo_api.adapters.http.trash import TrashRoutes
from todo_api.application.access import TokenVerifier
from todo_api.application.rates import NO_LIMITS, RateLimits
from todo_api.application.services import Services

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_REQUEST_HEADERS = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "Last-Event-ID",
    "X-Request-ID",
    "traceparent",
)
_EXPOSED_HEADERS = (
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

_VARY = (b"vary", b"Origin")  # lest a cache gives a page what it kept for another program


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpConfig:
    """How the application meets the world.

    Attributes:
        cors_origins: Which web origins may call from a browser.
        max_body_bytes: How many bytes a body may have.
        request_timeout: How many seconds to wait for a body; of an import, for each part of it.
        keep_alive: After how many seconds without news a stream of events tells that it is still there.
        trusted_proxies: Addresses and networks of those whose word on the caller is taken.
        rate_limits: How often somebody may call.
        documentation: Whether `/docs`, `/redoc` and `/openapi.json` are served.
        access_log: Whether each request is logged.
        observe: Whom to tell of each request.
        telemetry: Whether OpenTelemetry gets traces and metrics, as its variables in the environment say.
    """

    cors_origins: tuple[str, ...] = ("http://localhost:3000",)
    max_body_bytes: int = 1024 * 1024
    request_timeout: float = 30.0
    keep_alive: float = 15.0
    trusted_proxies: tuple[str, ...] = ()
    rate_limits: RateLimits = NO_LIMITS
    documentation: bool = True
    access_log: bool = False
    observe: Observe | None = None
    telemetry: bool = False


def create_http_app(
    services: Services,
    verifier: TokenVerifier,
    config: HttpConfig,
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[Mapping[str, Any]]] | None = None,
) -> FastAPI:
    """Return the application. Tests call this with adapters of their own; nothing is overridden."""
    cors = Middleware(
        _Cors,
        allow_origins=config.cors_origins,
        allow_methods=_METHODS,
        allow_headers=_REQUEST_HEADERS,
        expose_headers=_EXPOSED_HEADERS,
    )
    proxies = [Middleware(TrustedProxies, trusted=config.trusted_proxies)] if config.trusted_proxies else []
    app = _Application(
        title="todo-api",
        version=__version__,
        lifespan=lifespan,
        middleware=[*proxies, Middleware(Edge, access_log=config.access_log, observe=config.observe), cors],
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json" if config.documentation else None,
        redirect_slashes=False,
        telemetry={
            "tracing": config.telemetry,
            "metrics": config.telemetry,
            "logs": False,  # these tell what errors say
            "auto_configure": config.telemetry,
        },
    )
    app.state.verifier = verifier
    app.state.max_body_bytes = config.max_body_bytes
    app.state.request_timeout = config.request_timeout
    app.state.rate_limits = config.rate_limits
    TaskRoutes(services.tasks, services.batches, services.new_id).register(app)
    SyncRoutes(services.tasks).register(app)
    EventRoutes(services.events, config.keep_alive).register(app)
    TrashRoutes(services.tasks, services.batches).register(app)
    BatchRoutes(services.batches, services.new_id).register(app)
    AccountRoutes(services.accounts, services.limits, config.max_body_bytes).register(app)
    HealthRoutes(services.repository).register(app)
    if config.documentation:
        add_documentation(app)
    return app


class _Application(FastAPI):
    """FastAPI without the middleware that answers what routes leave unanswered: ours leave nothing, and it costs."""

    def build_middleware_stack(self) -> ASGIApp:
        """Return the routes within our own middleware."""
        stack: ASGIApp = Dispatch(self.router)
        for middleware, arguments, options in reversed(self.user_middleware):
            stack = middleware(stack, *arguments, **options)
        return stack


class _Cors(CORSMiddleware):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let pass what no browser sent from another origin."""
        if scope["type"] != "http" or any(name == b"origin" for name, _ in scope["headers"]):
            await super().__call__(scope, receive, send)
            return
        add_answer_headers(scope, _VARY)
        await self.app(scope, receive, send)

    def preflight_response(self, request_headers: Headers) -> Response:
        """Return Starlette's answer, or the problem that it has with the request."""
        response = super().preflight_response(request_headers)
        if response.status_code == HTTPStatus.OK:
            return response
        problem = problem_response(PreflightRefusedError(f"{bytes(response.body).decode()}: see CORS_ORIGINS"))
        problem.headers.update({name: value for name, value in response.headers.items() if name.startswith("access-")})
        problem.headers["Vary"] = response.headers["Vary"]
        return problem
