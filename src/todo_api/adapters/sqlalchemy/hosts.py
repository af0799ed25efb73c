"""Several hosts in one URL, as in libpq: a primary and its replicas, which may change roles."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import asyncpg

Connect: TypeAlias = Callable[[str], Awaitable[Any]]

# Seconds before the next host is tried in parallel: a dead host may never respond.
_HEAD_START = 0.2

_FAILURES = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


class NoServerError(OSError):
    """None of the hosts can be used; the message gives the reason for each."""


def host_urls(url: str) -> list[str]:
    """Return a URL for each host of the URL, from its authority or its query."""
    parts = urlsplit(url)
    login, at, hosts = parts.netloc.rpartition("@")
    if hosts:
        return [urlunsplit(parts._replace(netloc=f"{login}{at}{host}")) for host in hosts.split(",")]
    query = dict(parse_qsl(parts.query))
    names = query.get("host", "").split(",")
    if len(names) == 1:
        return [url]
    ports = query.get("port", "5432").split(",")
    ports = ports if len(ports) > 1 else ports * len(names)
    queries = [{**query, "host": name, "port": port} for name, port in zip(names, ports, strict=True)]
    return [urlunsplit(parts._replace(query=urlencode(one, quote_via=quote))) for one in queries]


class Hosts:
    """Connects to the first usable host, starting with the one that was usable last time."""

    def __init__(self, urls: Sequence[str], connect: Connect) -> None:
        self._urls = list(urls)
        self._connect = connect

    async def connect(self) -> Any:
        """Return a connection.

        Raises:
            NoServerError: There are several hosts, and none can be used. With a single host, its own error is raised.
        """
        if len(self._urls) == 1:
            return await self._connect(self._urls[0])
        attempts: dict[asyncio.Task[Any], str] = {}
        try:
            winner = await self._race(attempts)
            url = attempts.pop(winner)
        finally:
            for attempt in attempts:
                attempt.cancel()
                attempt.add_done_callback(_terminate)
        self._urls.sort(key=lambda other: other != url)
        return winner.result()

    async def _race(self, attempts: "dict[asyncio.Task[Any], str]") -> "asyncio.Task[Any]":
        waiting, running = deque(self._urls), set[asyncio.Task[Any]]()
        while waiting or running:
            if waiting:
                url = waiting.popleft()
                attempt = asyncio.ensure_future(self._connect(url))
                attempts[attempt] = url
                running.add(attempt)
            pause = _HEAD_START if waiting else None
            done, running = await asyncio.wait(running, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
            for attempt in done:
                if not isinstance(attempt.exception(), _FAILURES):
                    return attempt
        raise NoServerError("; ".join(f"{_name(url)}: {_reason(attempt)}" for attempt, url in attempts.items()))


def _terminate(attempt: "asyncio.Task[Any]") -> None:
    if not attempt.cancelled() and attempt.exception() is None:
        attempt.result().terminate()


def _name(url: str) -> str:
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    return parts.netloc.rpartition("@")[2] or f"{query['host']}:{query['port']}"


def _reason(attempt: "asyncio.Task[Any]") -> str:
    error = attempt.exception()
    return " ".join(str(error).split()) or type(error).__name__
