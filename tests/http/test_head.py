"""HEAD: the status and the header of GET, without its body."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.responses import StreamingResponse
from fastapi.routing import APIRoute
from httpx2 import ASGITransport, AsyncClient, Response
from structlog.testing import capture_logs
from tests.http.application import make_app, make_token

from todo_api.adapters.http.app import HttpConfig
from todo_api.adapters.memory.repository import InMemoryTaskRepository
from todo_api.application.services import Limits
from todo_api.domain.ports import TaskRepository

PAGES = ["/docs", "/redoc", "/openapi.json", "/docs/assets/favicon.png"]
VARIANTS = ["/api/tasks?limit=1", "/api/tasks?due=upcoming", "/api/tasks?limit=0", "/nowhere"]
STREAM = "/api/tasks/events"
READS = [
    route.path_format
    for route in make_app(InMemoryTaskRepository()).routes
    if isinstance(route, APIRoute) and "GET" in (route.methods or ()) and route.path_format != STREAM
]
assert len(READS) > 10


def header(response: Response) -> list[tuple[str, str]]:
    return sorted((name, value) for name, value in response.headers.items() if name != "x-request-id")


@pytest.mark.parametrize("address", [*PAGES, *READS, *VARIANTS])
async def test_head_has_the_status_and_the_header_of_get(client: AsyncClient, path: str, address: str) -> None:
    await client.post("/api/tasks", json={"title": "second"})
    place = (await client.post("/api/lists", json={"name": "x"})).headers["location"].removeprefix("http://test")
    address = address.replace("/api/tasks/{task_id}", path).replace("/api/lists/{list_id}", place)
    read = await client.get(address)
    assert read.content
    head = await client.head(address)
    assert (head.status_code, head.content) == (read.status_code, b"")
    assert header(head) == header(read)


async def test_head_answers_preconditions(client: AsyncClient, path: str) -> None:
    etag = (await client.head(path)).headers["ETag"]
    response = await client.head(path, headers={"If-None-Match": etag})
    assert (response.status_code, response.headers["ETag"]) == (304, etag)


async def test_head_needs_a_token_too(as_user: Callable[..., AsyncClient]) -> None:
    response = await as_user(None).head("/api/tasks")
    assert (response.status_code, response.content) == (401, b"")


async def test_head_of_an_event_stream_ends_and_leaves_its_place(repository: TaskRepository, user_id: str) -> None:
    app = make_app(repository, Limits(event_streams=1))
    headers = {"Authorization": f"Bearer {make_token(user_id)}"}
    async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test", headers=headers) as client:
        for _ in range(3):
            async with asyncio.timeout(10):
                response = await client.head(STREAM)
            assert (response.status_code, response.content) == (200, b"")
            assert response.headers["content-type"].startswith("text/event-stream")


async def test_a_streamed_response_is_not_read_further(client: AsyncClient, app: FastAPI) -> None:
    parts: list[int] = []

    async def content() -> Any:
        for number in range(1000):
            parts.append(number)
            yield b"x"

    router = APIRouter()

    @router.get("/streamed")
    async def streamed() -> StreamingResponse:
        return StreamingResponse(content())

    app.include_router(router)
    response = await client.head("/streamed")
    assert (response.status_code, response.content) == (200, b"")
    assert len(parts) <= 1


async def test_head_is_head_in_the_access_log() -> None:
    app = make_app(InMemoryTaskRepository(), config=HttpConfig(access_log=True))
    async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test") as client:
        with capture_logs() as logs:
            await client.head("/health/live")
    assert [(log["method"], log["route"], log["status"]) for log in logs if log["event"] == "request"] == [
        ("HEAD", "/health/live", 200)
    ]


async def test_head_of_an_address_without_get_is_refused(client: AsyncClient) -> None:
    assert (await client.head("/api/tasks/batch")).status_code == 405
