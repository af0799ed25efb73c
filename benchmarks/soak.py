"""`make soak`: all kinds of requests at once, valid and invalid, while the memory of the service is watched.

The exit status is 1 if memory grows, if any response is a 5xx, or if none is successful. Everything runs on this
machine; callers with bad tokens use source addresses of their own (127.0.1.0/24, available on Linux).
"""

import argparse
import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx2
import psutil
from tests.e2e.programs import SECRET, migrate
from tests.faults.programs import Service
from tests.ports import unused_port

from todo_api.dev.postgres import open_server
from todo_api.dev.token import mint_token

CLIENTS = 16
USERS = 6000  # more than the token cache holds
MOST_TASKS = 20  # of each user
WARM_UP = 0.25  # of the time, until the caches are full
GROWTH = 0.05  # of the median of the first third, after the warm-up
GARBAGE = 8 * 1024 * 1024  # bytes of garbage before a collection, whose threshold main.py raises to 50,000
TOO_MANY_REQUESTS, SERVER_ERROR = 429, 500
MEBIBYTE = 1024 * 1024

JSON = {"Content-Type": "application/json"}
BAD_BODIES = [b"", b"{", b"[" * 50_000, b'{"title": 1}', b"\xff", b'{"title": "x", "unknown": 1}', b'{"title": NaN}']


@dataclass
class Tally:
    """Responses by status, failures, and the memory of the service each second."""

    responses: Counter[int] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    hung_up: int = 0
    memory: list[int] = field(default_factory=list)

    @property
    def server_errors(self) -> int:
        return sum(count for status, count in self.responses.items() if status >= SERVER_ERROR)

    @property
    def thirds(self) -> list[list[int]]:
        """The samples after the warm-up, in three parts."""
        kept = self.memory[int(len(self.memory) * WARM_UP) :]
        size = len(kept) // 3
        return [kept[:size], kept[size : 2 * size], kept[2 * size :]]

    @property
    def grows(self) -> bool:
        first, _, last = (statistics.median(part) for part in self.thirds)
        return last > first * (1 + GROWTH) + GARBAGE


class _RateLimitedError(Exception):
    """The user has sent too many requests; continue with another."""


class Client:
    """Runs random scenarios in sequence, each as another user."""

    def __init__(self, url: str, tally: Tally, number: int, users: list[tuple[str, str]]) -> None:
        parts = urlsplit(url)
        self._address = str(parts.hostname), int(parts.port or 0)
        self._tally = tally
        self._numbers = random.Random(number)
        self._users = users
        self._http = httpx2.AsyncClient(base_url=url, timeout=30)
        untrusted = (
            httpx2.AsyncHTTPTransport(local_address=f"127.0.1.{number + 1}") if sys.platform == "linux" else None
        )
        self._untrusted = httpx2.AsyncClient(base_url=url, timeout=30, transport=untrusted)
        self._scenarios: list[tuple[int, Callable[[], Awaitable[None]]]] = [
            (20, self._list),
            (20, self._create),
            (15, self._change),
            (5, self._batch),
            (8, self._sync),
            (3, self._follow),
            (3, self._account),
            (4, self._ask_for_missing),
            (4, self._send_malformed_bodies),
            (4, self._send_bad_tokens),
            (2, self._exceed_the_rate_limit),
            (4, self._hang_up),
            (3, self._send_malformed_http),
        ]

    async def run(self, until: float) -> None:
        weights, scenarios = zip(*self._scenarios, strict=True)
        async with self._http, self._untrusted:
            while time.monotonic() < until:
                [scenario] = self._numbers.choices(scenarios, weights)
                try:
                    with suppress(_RateLimitedError):
                        await scenario()
                except (httpx2.TransportError, OSError) as error:
                    self._tally.failures[f"{scenario.__name__}: {type(error).__name__}"] += 1

    async def _call(self, method: str, path: str, token: str, **request: Any) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {token}", "X-Request-ID": f"{uuid4()}"} | request.pop("headers", {})
        response = await self._http.request(method, path, headers=headers, **request)
        self._tally.responses[response.status_code] += 1
        if response.status_code == TOO_MANY_REQUESTS:
            raise _RateLimitedError
        return response

    @property
    def _token(self) -> str:
        return self._numbers.choice(self._users)[1]

    async def _list(self) -> None:
        token = self._token
        sort = self._numbers.choice(["created", "title", "due_date"])
        response = await self._call("GET", f"/api/tasks?limit=10&sort={sort}", token)
        if link := response.links.get("next"):
            await self._call("GET", str(link["url"]), token)
        await self._call("GET", "/api/tasks", token, headers={"If-None-Match": response.headers.get("etag", "*")})

    async def _create(self) -> None:
        token = self._token
        body = {"title": f"Task {self._numbers.random()}", "description": "x" * self._numbers.randint(0, 2000)}
        headers = {"Idempotency-Key": f"{uuid4()}"} if self._numbers.random() < 0.5 else {}  # noqa: PLR2004
        for _ in range(1 + len(headers)):
            await self._call("POST", "/api/tasks", token, json=body, headers=headers)

    async def _change(self) -> None:
        token = self._token
        tasks = (await self._call("GET", "/api/tasks", token)).json()
        for task in tasks[:2]:
            path = f"/api/tasks/{task['id']}"
            await self._call("GET", path, token)
            await self._call("PATCH", path, token, json={"title": "x"}, headers={"If-Match": f'"{task["revision"]}"'})
            await self._call("PATCH", f"{path}/complete", token)
        for task in tasks[MOST_TASKS // 2 :] if len(tasks) > MOST_TASKS else tasks[:1]:
            await self._call("DELETE", f"/api/tasks/{task['id']}", token)
            await self._call("POST", f"/api/tasks/{task['id']}/restore", token)
            await self._call("DELETE", f"/api/tasks/{task['id']}", token)
        await self._call("DELETE", "/api/tasks/trash", token)

    async def _batch(self) -> None:
        new = [{"op": "create", "id": f"{uuid4()}", "title": "x"} for _ in range(self._numbers.randint(1, 10))]
        gone = [{"op": "delete", "id": one["id"]} for one in new]
        await self._call("POST", "/api/tasks/batch", self._token, json={"operations": [*new, *gone]})

    async def _sync(self) -> None:
        token = self._token
        since = (await self._call("GET", "/api/tasks/changes", token)).json()["next"]
        await self._call("GET", f"/api/tasks/changes?since={since}", token)

    async def _follow(self) -> None:
        token = self._token
        async with self._http.stream(
            "GET", "/api/tasks/events", headers={"Authorization": f"Bearer {token}"}
        ) as response:
            self._tally.responses[response.status_code] += 1
            await anext(response.aiter_bytes())
            await self._call("POST", "/api/tasks", token, json={"title": "x"})
            await asyncio.sleep(self._numbers.uniform(0, 0.5))

    async def _account(self) -> None:
        token = self._token
        await self._call("GET", "/api/me", token)
        document = (await self._call("GET", "/api/me/export", token)).content
        await self._call("POST", "/api/me/import", token, content=document, headers=JSON)
        if self._numbers.random() < 0.2:  # noqa: PLR2004
            await self._call("DELETE", "/api/me", token)

    async def _ask_for_missing(self) -> None:
        for path in (f"/api/tasks/{uuid4()}", f"/{uuid4()}", f"/api/tasks?cursor={uuid4()}", f"/api/tasks?{uuid4()}"):
            await self._call(self._numbers.choice(["GET", "DELETE", "PUT"]), path, self._token)

    async def _send_malformed_bodies(self) -> None:
        body = self._numbers.choice(BAD_BODIES)
        for path in ("/api/tasks", "/api/tasks/batch", "/api/me/import"):
            await self._call("POST", path, self._token, content=body, headers=JSON)

    async def _send_bad_tokens(self) -> None:
        """Send missing, damaged and expired tokens, from a source address of its own."""
        good = self._token
        expired = mint_token(SECRET, f"{uuid4()}", timedelta(hours=-1))
        for token in ("x", f"{uuid4()}", good[:-4] + "AAAA", expired):
            response = await self._untrusted.get("/api/tasks", headers={"Authorization": f"Bearer {token}"})
            self._tally.responses[response.status_code] += 1

    async def _exceed_the_rate_limit(self) -> None:
        """Send everything as the same user, who soon gets 429."""
        for _ in range(10):
            await self._call("GET", "/api/tasks?limit=1", self._users[0][1])

    async def _hang_up(self) -> None:
        """Close the connection within the header, within the body, or before the response."""
        head = f"POST /api/tasks HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self._token}\r\n"
        whole = f'{head}Content-Type: application/json\r\nContent-Length: 14\r\n\r\n{{"title": "x"}}'.encode()
        await self._send(whole[: self._numbers.randint(1, len(whole))], wait=False)

    async def _send_malformed_http(self) -> None:
        await self._send(self._numbers.randbytes(200), wait=True)

    async def _send(self, message: bytes, *, wait: bool) -> None:
        reader, writer = await asyncio.open_connection(*self._address)
        writer.write(message)
        await asyncio.sleep(self._numbers.uniform(0, 0.02))
        if wait:
            with suppress(TimeoutError):
                await asyncio.wait_for(reader.read(), 0.1)
        writer.close()
        self._tally.hung_up += 1


async def sample(process: psutil.Process, tally: Tally, until: float) -> None:
    while time.monotonic() < until:
        tally.memory.append(process.memory_info().rss)
        await asyncio.sleep(1)


async def soak(service: Service, seconds: float) -> Tally:
    assert service.process
    names = [f"user-{number}" for number in range(USERS)]
    users = [(name, mint_token(SECRET, name, timedelta(hours=2))) for name in names]
    tally, until = Tally(), time.monotonic() + seconds
    async with asyncio.TaskGroup() as group:
        group.create_task(sample(psutil.Process(service.process.pid), tally, until))
        for number in range(CLIENTS):
            group.create_task(Client(service.url, tally, number, users).run(until))
    return tally


def report(tally: Tally, seconds: float, status: int) -> None:
    first, second, third = (statistics.median(part) / MEBIBYTE for part in tally.thirds)
    warm = tally.memory[int(len(tally.memory) * WARM_UP)] / MEBIBYTE
    responses = ", ".join(f"{status}: {count:,}" for status, count in sorted(tally.responses.items()))
    print(f"{tally.responses.total():,} requests in {seconds:,.0f} s, and {tally.hung_up:,} connections hung up early")
    print(f"responses by status {responses}")
    print(f"no response         {dict(tally.failures) or 0}")
    print(f"memory in MiB       at the start {tally.memory[0] / MEBIBYTE:.1f}, after the warm-up {warm:.1f}")
    print(f"  median of thirds  {first:.1f}, {second:.1f}, {third:.1f}; at the end {tally.memory[-1] / MEBIBYTE:.1f}")
    print(f"5xx: {tally.server_errors}; the memory {'GROWS' if tally.grows else 'stays flat'}; exit status {status}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make soak", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=300, help="for how long (default 300; at least 20)")
    seconds = max(20.0, parser.parse_args().seconds)
    limits = {"RATE_LIMIT": "300/minute", "RATE_LIMIT_FAILED": "60/minute" if sys.platform == "linux" else "off"}
    with tempfile.TemporaryDirectory(prefix="todo-api-soak-") as directory:
        log = Path(directory) / "service.log"
        with open_server(Path(directory) / "postgres", durable=False) as url:
            migrate(url)
            service = Service(log, unused_port(), {"DATABASE_URL": url, "ACCESS_LOG": "true", **limits})
            try:
                service.start()
                tally = asyncio.run(soak(service, seconds))
                status = service.terminate()
            finally:
                service.kill()
        report(tally, seconds, status)
        for line in service.logged("error")[:5]:
            print(line)
    return int(tally.grows or bool(tally.server_errors) or status != 0 or not tally.responses[200])


if __name__ == "__main__":
    sys.exit(main())
