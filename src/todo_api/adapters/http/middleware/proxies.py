"""The headers X-Forwarded-For, -Proto, -Host and -Prefix, from trusted proxies only."""

import re
from collections.abc import Sequence

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

_HOST = b"x-forwarded-host"
_PREFIX = b"x-forwarded-prefix"
_IPV4_IN_IPV6 = "::ffff:"  # the prefix of IPv4 clients on an IPv6 socket, as with HOST=::
_FORWARDED = {_HOST, b"x-forwarded-proto"}
# Unreserved characters (RFC 3986) in segments that do not begin with a dot. Before a prefix that begins as the paths of
# the service do, nobody could tell whether the proxy has removed it.
_PATH_PREFIX = re.compile(r"(?!/(?:api|docs|health|openapi\.json|redoc)(?:/|$))(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+")


def path_prefix(value: str) -> str | None:
    """Return the prefix without a slash at its end, "" for `/`, or None if it cannot be one."""
    prefix = value.strip().rstrip("/")
    return prefix if not prefix or _PATH_PREFIX.fullmatch(prefix) else None


class TrustedProxies:
    """Uvicorn's middleware, with support for X-Forwarded-Host and X-Forwarded-Prefix.

    The prefix is the `root_path` of the scope, and `path` includes it, as ASGI demands, whether the proxy has removed
    it or not.

    Args:
        app: The next application.
        trusted: Addresses and networks (such as 10.0.0.0/8) of the proxies; `*` trusts every client.
        root_path: The prefix of requests without an X-Forwarded-Prefix that counts.
    """

    def __init__(self, app: ASGIApp, trusted: Sequence[str], root_path: str = "") -> None:
        self._root_path = root_path
        self._app = ProxyHeadersMiddleware(app, list(trusted))  # type: ignore[arg-type] # uvicorn has its own ASGI types

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if client := scope.get("client"):
            client = scope["client"] = (client[0].removeprefix(_IPV4_IN_IPV6), client[1])
        if scope["type"] == "http":
            prefix = self._root_path
            if client and client[0] in self._app.trusted_hosts:
                scope["headers"] = _first_values(scope["headers"])
                prefix = _forwarded_prefix(scope["headers"]) or prefix
            if prefix:
                _set_prefix(scope, prefix)
        await self._app(scope, receive, send)  # type: ignore[arg-type] # as above


def _first_values(headers: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return the headers as the first proxy saw them: each proxy appends its own values."""
    firsts = [(name, value.partition(b",")[0].strip() if name in _FORWARDED else value) for name, value in headers]
    host = next((value for name, value in firsts if name == _HOST), None)
    if not host:
        return firsts
    return [(b"host", host), *(header for header in firsts if header[0] != b"host")]


def _forwarded_prefix(headers: Sequence[tuple[bytes, bytes]]) -> str | None:
    """Return what the proxies have removed from the path, the outermost proxy first."""
    values = b",".join(value for name, value in headers if name == _PREFIX).decode("latin-1")
    return path_prefix("".join(value.strip().rstrip("/") for value in values.split(",")))


def _set_prefix(scope: Scope, prefix: str) -> None:
    scope["root_path"] = prefix
    if not f"{scope['path']}/".startswith(f"{prefix}/"):
        scope["path"] = prefix + scope["path"]
