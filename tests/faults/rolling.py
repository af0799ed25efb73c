"""Transports to services that are stopped: directly, and through a proxy to several of them."""

from collections.abc import Sequence
from contextlib import suppress

import httpx2
from httpx2 import AsyncHTTPTransport, Limits


class Direct(httpx2.AsyncBaseTransport):
    """Counts refused connections, and accepted requests without a response."""

    def __init__(self, *, keep_alive: bool) -> None:
        self._transport = AsyncHTTPTransport(limits=Limits(max_keepalive_connections=None if keep_alive else 0))
        self.refused = 0
        self.broken: list[str] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        try:
            return await self._transport.handle_async_request(request)
        except httpx2.ConnectError:
            self.refused += 1
            raise
        except httpx2.TransportError as error:
            self.broken.append(repr(error))
            raise

    async def aclose(self) -> None:
        await self._transport.aclose()


class Proxy(Direct):
    """Behaves as nginx by default: round robin, the next server if it cannot connect, and no request twice.

    With `keep_alive` it keeps connections, as with `keepalive` in `upstream`.
    """

    def __init__(self, upstreams: Sequence[str], *, keep_alive: bool) -> None:
        super().__init__(keep_alive=keep_alive)
        self._upstreams = [httpx2.URL(upstream) for upstream in upstreams]

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self._upstreams.append(self._upstreams.pop(0))
        *others, last = self._upstreams
        for upstream in others:
            with suppress(httpx2.ConnectError):
                return await self._to(upstream, request)
        return await self._to(last, request)

    async def _to(self, upstream: httpx2.URL, request: httpx2.Request) -> httpx2.Response:
        request.url = request.url.copy_with(host=upstream.host, port=upstream.port)
        return await super().handle_async_request(request)
