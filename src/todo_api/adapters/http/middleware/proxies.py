"""The headers X-Forwarded-For, X-Forwarded-Proto and X-Forwarded-Host, from trusted proxies only."""

from collections.abc import Sequence

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

_HOST = b"x-forwarded-host"
_IPV4_IN_IPV6 = "::ffff:"  # the prefix of IPv4 clients on an IPv6 socket, as with HOST=::
_FORWARDED = {_HOST, b"x-forwarded-proto"}


class TrustedProxies:
    """Uvicorn's middleware, with support for X-Forwarded-Host.

    Args:
        app: The next application.
        trusted: Addresses and networks (such as 10.0.0.0/8) of the proxies; `*` trusts every client.
    """

    def __init__(self, app: ASGIApp, trusted: Sequence[str]) -> None:
        self._app = ProxyHeadersMiddleware(app, list(trusted))  # type: ignore[arg-type] # uvicorn has its own ASGI types

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if client := scope.get("client"):
            client = scope["client"] = (client[0].removeprefix(_IPV4_IN_IPV6), client[1])
        if scope["type"] == "http" and client and client[0] in self._app.trusted_hosts:
            scope["headers"] = _first_values(scope["headers"])
        await self._app(scope, receive, send)  # type: ignore[arg-type] # as above


def _first_values(headers: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return the headers as the first proxy saw them: each proxy appends its own values."""
    firsts = [(name, value.partition(b",")[0].strip() if name in _FORWARDED else value) for name, value in headers]
    host = next((value for name, value in firsts if name == _HOST), None)
    if not host:
        return firsts
    return [(b"host", host), *(header for header in firsts if header[0] != b"host")]
