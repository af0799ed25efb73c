"""A retried request runs once, even if the first response was not read."""

import asyncio
import json
import random
import signal
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import uuid4

import httpx2
import pytest
from tests.e2e.programs import SECRET, Running, Start

from todo_api.dev.token import mint_token

COPIES = 50
CREATE = {"title": "Once"}


@pytest.fixture
def serving(start: Start, database_url: str) -> Running:
    """Two workers, which share only the database."""
    settings = {"DATABASE_URL": database_url, "BETTER_AUTH_SECRET": SECRET}
    return start("serve", "--workers", "2", until="serving on", **settings)


@pytest.fixture
def client(serving: Running, user_id: str) -> Iterator[httpx2.Client]:
    headers = {"Authorization": f"Bearer {mint_token(SECRET, user_id, timedelta(hours=1))}"}
    with httpx2.Client(base_url=serving.url, headers=headers, timeout=30) as client:
        yield client


async def send(address: str, message: bytes, hang_up_after: float | None) -> bytes:
    """Send a request on a new connection; return the response, or nothing without waiting."""
    parts = urlsplit(address)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        writer.write(message)
        await writer.drain()
        if hang_up_after is None:
            return await reader.read()
        await asyncio.sleep(hang_up_after)
        return b""
    finally:
        writer.close()


@pytest.mark.parametrize("readers", [COPIES // 2, 0])
def test_retries_after_disconnects_create_one_task(serving: Running, client: httpx2.Client, readers: int) -> None:
    request = client.build_request("POST", "/api/tasks", json=CREATE, headers={"Idempotency-Key": str(uuid4())})
    request.headers["Connection"] = "close"
    lines = [b"POST /api/tasks HTTP/1.1", *(b"%b: %b" % pair for pair in request.headers.raw), b"", request.read()]
    numbers = random.Random(readers)

    async def send_all() -> list[bytes]:
        timeouts = [None if copy < readers else numbers.uniform(0, 0.03) for copy in range(COPIES)]
        numbers.shuffle(timeouts)
        return await asyncio.gather(*(send(serving.url, b"\r\n".join(lines), seconds) for seconds in timeouts))

    responses = [response for response in asyncio.run(send_all()) if response]
    while (retried := client.send(request)).status_code == 409:
        assert retried.json()["code"] == "idempotency-key-in-use"

    assert (retried.status_code, retried.headers["Idempotent-Replayed"]) == (201, "true")
    assert client.get("/api/tasks").json() == [retried.json()]
    created = [response for response in responses if response.startswith(b"HTTP/1.1 201 ")]
    assert {response.partition(b"\r\n\r\n")[2] for response in created} <= {retried.content}
    assert len(created) + sum(response.startswith(b"HTTP/1.1 409 ") for response in responses) == readers
    status, log = serving.end(signal.SIGTERM)
    assert (status, {json.loads(line)["level"] for line in log.splitlines()}) == (0, {"info"})
