"""Random requests of all kinds, valid and invalid, for `make soak`."""

import asyncio
import random
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx2
from tests.e2e.programs import SECRET

from todo_api.dev.token import mint_token

MOST_TASKS = 20  # of each user
MOST_LISTS = 3
TOO_MANY_REQUESTS, SERVER_ERROR = 429, 500

JSON = {"Content-Type": "application/json"}
BAD_BODIES = [b"", b"{", b"[" * 50_000, b'{"title": 1}', b"\xff", b'{"title": "x", "unknown": 1}', b'{"title": NaN}']
RULES = ["FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,TH", "FREQ=MONTHLY;BYMONTHDAY=-1", "FREQ=YEARLY"]


@dataclass
class Tally:
    """Responses by status, failures by scenario, and connections that were closed early."""

    responses: Counter[int] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    hung_up: int = 0

    @property
    def server_errors(self) -> int:
        return sum(count for status, count in self.responses.items() if status >= SERVER_ERROR)


class _RefusedError(Exception):
    """The response was 429, because the user has sent too many requests, or a 5xx; continue with another user."""


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
            (10, self._organise),
            (5, self._repeat),
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
                    with suppress(_RefusedError):
                        await scenario()
                except (httpx2.TransportError, OSError) as error:
                    self._tally.failures[f"{scenario.__name__}: {type(error).__name__}"] += 1

    async def _call(self, method: str, path: str, token: str, **request: Any) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {token}", "X-Request-ID": f"{uuid4()}"} | request.pop("headers", {})
        response = await self._http.request(method, path, headers=headers, **request)
        self._tally.responses[response.status_code] += 1
        if response.status_code == TOO_MANY_REQUESTS or response.status_code >= SERVER_ERROR:
            raise _RefusedError
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

    async def _organise(self) -> None:
        """Put a task into a list, with tags, and find it again; delete lists when there are many."""
        token = self._token
        new = await self._call("POST", "/api/lists", token, json={"name": f"List {self._numbers.random()}"})
        body = {"title": "Buy bread", "tags": ["shop", f"tag-{self._numbers.randint(0, 5)}"], "priority": "high"}
        task = (await self._call("POST", "/api/tasks", token, json=body)).json()["id"]
        await self._call("POST", f"/api/tasks/{task}/move", token, json={"to": "start", "list_id": new.json()["id"]})
        for query in ("q=bre", "tag=shop&sort=position", "due=any&priority=high", "status=pending&sort=priority"):
            await self._call("GET", f"/api/tasks?limit=10&{query}", token)
        for path in ("/api/tasks/counts", "/api/tags"):
            await self._call("GET", path, token)
        lists = (await self._call("GET", "/api/lists", token)).json()
        for each in lists if len(lists) > MOST_LISTS else ():
            await self._call("DELETE", f"/api/lists/{each['id']}", token)

    async def _repeat(self) -> None:
        """Complete and skip tasks of a series."""
        token = self._token
        body = {"title": "Repeat", "due_date": "2026-11-30", "recurrence": {"rule": self._numbers.choice(RULES)}}
        path = f"/api/tasks/{(await self._call('POST', '/api/tasks', token, json=body)).json()['id']}"
        await self._call("GET", f"{path}/occurrences?count=5", token)
        await self._call("POST", f"{path}/skip", token)
        await self._call("PATCH", f"{path}/complete", token)
        await self._call("DELETE", path, token)

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
