"""What proxies say of the request that they pass on: believed of those that the operator trusts, and of nobody else."""

from collections.abc import Sequence

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

_HOST = b"x-forwarded-host"
_IPV4_IN_IPV6 = "::ffff:"  # before the addresses of those who call an IPv6 socket by IPv4, as with HOST=::
_FORWARDED = {_HOST, b"x-forwarded-proto"}


class TrustedProxies:
    """Uvicorn's middleware for X-Forwarded-For and X-Forwarded-Proto, and X-Forwarded-Host besides."""

    def __init__(self, app: ASGIApp, trusted: Sequence[str]) -> None:
        """Take the addresses and networks (such as 10.0.0.0/8) of the proxies; `*` trusts everybody."""
        self._believing = ProxyHeadersMiddleware(app, list(trusted))  # type: ignore[arg-type] # uvicorn's own types

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application see the request as it reached the first of the proxies."""
        if client := scope.get("client"):
            client = scope["client"] = (client[0].removeprefix(_IPV4_IN_IPV6), client[1])
        if scope["type"] == "http" and client and client[0] in self._believing.trusted_hosts:
            scope["headers"] = _as_the_first_proxy_saw_them(scope["headers"])
        await self._believing(scope, receive, send)  # type: ignore[arg-type] # as above


def _as_the_first_proxy_saw_them(headers: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return the headers with the Host that the client asked for; each proxy adds what it saw at the end."""
    firsts = [(name, value.partition(b",")[0].strip() if name in _FORWARDED else value) for name, value in headers]
    host = next((value for name, value in firsts if name == _HOST), None)
    if not host:
        return firsts
    return [(b"host", host), *(header for header in firsts if header[0] != b"host")]
