"""The HTTP application: routes, middleware and exception handlers around the use cases."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.middleware import Middleware

from todo_api import __version__
from todo_api.adapters.http.documentation_pages import add_documentation_pages
from todo_api.adapters.http.errors import UnexpectedErrors, add_exception_handlers
from todo_api.adapters.http.hot_path import hot_handlers
from todo_api.adapters.http.middleware.cors import Cors
from todo_api.adapters.http.middleware.head import HeadAsGet
from todo_api.adapters.http.middleware.proxies import TrustedProxies
from todo_api.adapters.http.middleware.request_context import Observe, RequestContextMiddleware
from todo_api.adapters.http.openapi import DESCRIPTION, TAGS, customize_openapi, summarize
from todo_api.adapters.http.routes import (
    account,
    batch,
    changes,
    health,
    lists,
    moves,
    occurrences,
    overview,
    tasks,
    trash,
)
from todo_api.application.access import TokenVerifier
from todo_api.application.rates import NO_LIMITS, RateLimits
from todo_api.application.services import Services


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpConfig:
    """The settings of the application.

    Attributes:
        cors_origins: Web origins whose pages may call the API.
        cors_headers: Names of request headers that these pages may send, beside those that the API reads.
        max_body_bytes: The maximum length of a body; for an import, of each task.
        request_timeout: Seconds for a body to arrive; for an import, for each part of it.
        keep_alive: Seconds without changes after which an event stream sends a comment.
        trusted_proxies: Addresses and networks of proxies whose X-Forwarded headers are used.
        root_path: The prefix of all paths behind a proxy, without a slash at its end, unless the proxy sends it.
        rate_limits: Limits for users and for failed authentication.
        documentation: Whether `/docs`, `/redoc` and `/openapi.json` are served.
        access_log: Whether each request is logged.
        observe: Called after each request, for metrics.
        hot_path: Whether the most frequent endpoints read their arguments without FastAPI's dependency solver.
        telemetry: Whether OpenTelemetry exports traces and metrics, as configured by its environment variables.
    """

    cors_origins: tuple[str, ...] = ("http://localhost:3000",)
    cors_headers: tuple[str, ...] = ()
    max_body_bytes: int = 1024 * 1024
    request_timeout: float = 30.0
    keep_alive: float = 15.0
    trusted_proxies: tuple[str, ...] = ()
    root_path: str = ""
    rate_limits: RateLimits = NO_LIMITS
    documentation: bool = True
    access_log: bool = False
    observe: Observe | None = None
    hot_path: bool = True
    telemetry: bool = False


def create_http_app(
    services: Services,
    verifier: TokenVerifier,
    config: HttpConfig,
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[Mapping[str, Any]]] | None = None,
) -> FastAPI:
    """Return the application. Tests pass other adapters instead of overriding dependencies."""
    # Not include_router(): FastAPI matches included routes twice for each request.
    routers = (tasks, changes, batch, trash, moves, occurrences, overview, lists, account, health)
    app = FastAPI(
        title="todo-api",
        version=__version__,
        description=DESCRIPTION,
        openapi_tags=TAGS,
        lifespan=lifespan,
        routes=[summarize(route) for module in routers for route in module.router.routes],
        middleware=_middleware(config),
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json" if config.documentation else None,
        redirect_slashes=False,
        telemetry={
            "tracing": config.telemetry,
            "metrics": config.telemetry,
            "logs": False,  # logs would contain validation errors, and with them user data
            "auto_configure": config.telemetry,
        },
    )
    unknown_ids = [*tasks.unknown_ids.routes, *occurrences.unknown_ids.routes, *lists.unknown_ids.routes]
    app.router.default = APIRouter(routes=unknown_ids, redirect_slashes=False)
    app.state.services = services
    app.state.verifier = verifier
    app.state.config = config
    app.state.handlers = hot_handlers(app.routes) if config.hot_path else {}
    add_exception_handlers(app)
    customize_openapi(app)
    if config.documentation:
        add_documentation_pages(app)
    return app


def _middleware(config: HttpConfig) -> list[Middleware]:
    """Return the middleware, outermost first."""
    proxies = Middleware(TrustedProxies, trusted=config.trusted_proxies, root_path=config.root_path)
    return [
        *([proxies] if config.trusted_proxies or config.root_path else []),
        Middleware(RequestContextMiddleware, access_log=config.access_log, observe=config.observe),
        Middleware(Cors, origins=config.cors_origins, headers=config.cors_headers),
        Middleware(UnexpectedErrors),
        Middleware(HeadAsGet),
    ]
