"""Live events without a network."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient
from tests.http.application import make_app, make_token
from tests.http.streams import Stream, opened
from tests.storages import Storage

from todo_api.adapters.http.app import HttpConfig
from todo_api.adapters.http.sync_tokens import encode_sync_token
from todo_api.adapters.memory.change_feed import InMemoryChangeFeed
from todo_api.application.services import Limits
from todo_api.domain.changes import SyncPoint

EVENTS = "/api/tasks/events"
CHANGES = "/api/tasks/changes"


@pytest.fixture
def feed() -> InMemoryChangeFeed:
    return InMemoryChangeFeed()


@pytest.fixture
def app(storage: Storage, feed: InMemoryChangeFeed) -> FastAPI:
    return make_app(
        storage.tasks, Limits(event_streams=2), feed=feed, lists=storage.lists, config=HttpConfig(keep_alive=0.05)
    )


@pytest.fixture
def token(user_id: str) -> str:
    return make_token(user_id)


async def add(client: AsyncClient, *titles: str) -> None:
    for title in titles:
        assert (await client.post("/api/tasks", json={"title": title})).status_code == 201


def milliseconds(block: str) -> int:
    name, _, value = block.partition(": ")
    assert name == "retry"
    return int(value)


async def test_a_stream_starts_with_all_tasks_and_continues_with_changes(
    app: FastAPI, client: AsyncClient, token: str, path: str
) -> None:
    async with opened(app, token) as stream:
        assert stream.status == 200
        assert stream.headers["content-type"].split(";")[0] == "text/event-stream"
        assert (stream.headers["cache-control"], stream.headers["x-accel-buffering"]) == ("no-store", "no")
        assert 1000 <= milliseconds(await stream.block() or "") <= 3000
        event = await stream.event()
        assert event.page == (await client.get(CHANGES)).json()
        assert event.page["next"] == event.id
        for call in (
            client.patch(path, json={"title": "Changed"}),
            client.delete(path),
            client.post(f"{path}/restore"),
        ):
            await call
            known, event = event, await stream.event()
            assert event.page == (await client.get(CHANGES, params={"since": known.id})).json()
            assert event.page["next"] == event.id


async def test_a_stream_resumes_after_the_last_event(app: FastAPI, client: AsyncClient, token: str) -> None:
    await add(client, "seen")
    async with opened(app, token) as stream:
        seen = await stream.event()
    await add(client, "missed", "missed too")
    async with opened(app, token, last_event_id=seen.id) as stream:
        missed = await stream.event()
        assert missed.titles == ["missed", "missed too"]
        await add(client, "new")
        assert (await stream.event()).titles == ["new"]
    for query, header in (
        ("since=" + seen.id, missed.id),
        ("since=" + missed.id, ""),
        (f"since={seen.id}&lastEventId={missed.id}", ""),
        ("lastEventId=" + seen.id, missed.id),
        (f"since={missed.id}&lastEventId=", ""),
    ):
        async with opened(app, token, query, last_event_id=header) as stream:
            assert (await stream.event()).titles == ["new"]
    async with opened(app, token, last_event_id="") as stream:
        assert (await stream.event()).titles == ["seen", "missed", "missed too", "new"]


async def test_an_event_has_a_hundred_changes_at_most(app: FastAPI, client: AsyncClient, token: str) -> None:
    operations = [{"op": "create", "title": str(number)} for number in range(100)]
    await client.post("/api/tasks/batch", json={"operations": operations})
    await add(client, "one more")
    async with opened(app, token) as stream:
        first = await stream.event()
        assert (len(first.titles), first.page["has_more"]) == (100, True)
    async with opened(app, token, last_event_id=first.id) as stream:
        rest = await stream.event()
        assert (rest.titles, rest.page["has_more"]) == (["one more"], False)


async def test_the_first_load_of_nothing_is_an_event_too(app: FastAPI, token: str) -> None:
    async with opened(app, token) as stream:
        event = await stream.event()
    nothing: dict[str, list[Any]] = {"tasks": [], "deleted": [], "lists": [], "deleted_lists": []}
    assert event.page == {**nothing, "next": event.id, "has_more": False}


async def test_lists_are_events_too(app: FastAPI, client: AsyncClient, token: str) -> None:
    async with opened(app, token) as stream:
        await stream.event()
        created = await client.post("/api/lists", json={"name": "Home"})
        event = await stream.event()
        assert (event.page["lists"], event.page["tasks"]) == ([created.json()], [])
        await client.delete(created.headers["location"])
        event = await stream.event()
        (gone,) = event.page["deleted_lists"]
        assert (gone["id"], event.page["lists"]) == (created.json()["id"], [])


async def test_a_stream_without_changes_sends_comments(app: FastAPI, client: AsyncClient, token: str) -> None:
    await add(client, "known")
    known = (await client.get(CHANGES)).json()["next"]
    async with opened(app, token, "since=" + known) as stream:
        milliseconds(await stream.block() or "")
        assert [await stream.block() for _ in range(3)] == [": ping"] * 3


async def refused(client: AsyncClient, **request: Any) -> tuple[int, str]:
    response = await client.get(EVENTS, **request)
    assert response.headers["content-type"] == "application/problem+json"
    return response.status_code, response.json()["code"]


async def test_an_unusable_token_is_refused_before_the_stream(
    client: AsyncClient, user_id: str, new_user_id: Callable[[], str]
) -> None:
    theirs = encode_sync_token(new_user_id(), SyncPoint())
    for text in ("x", theirs):
        assert await refused(client, params={"since": text}) == (400, "invalid-sync-token")
        assert await refused(client, headers={"Last-Event-ID": text}) == (400, "invalid-sync-token")
        assert await refused(client, params={"lastEventId": text}) == (400, "invalid-sync-token")
    assert await refused(client, params={"since": ""}) == (400, "invalid-sync-token")
    assert await refused(client, params={"limit": 5}) == (400, "invalid-request")
    forgotten = encode_sync_token(user_id, SyncPoint(123))
    assert await refused(client, params={"since": forgotten}) == (410, "sync-token-expired")
    assert await refused(client, headers={"Last-Event-ID": forgotten}) == (410, "sync-token-expired")


async def test_invalid_parameters_are_named(client: AsyncClient) -> None:
    response = await client.get(EVENTS, headers={"Last-Event-ID": "x"})
    (error,) = response.json()["errors"]
    assert (error["location"], error["field"]) == ("header", "Last-Event-ID")


async def test_streams_need_the_read_scope(as_user: Callable[..., AsyncClient], user_id: str) -> None:
    assert await refused(as_user(None)) == (401, "missing-token")
    assert await refused(as_user(user_id, scope="tasks:write")) == (403, "insufficient-scope")


async def test_streams_beyond_the_limit_are_refused(app: FastAPI, client: AsyncClient, token: str) -> None:
    async with opened(app, token) as first:
        await first.event()
        async with opened(app, token) as second:
            await second.event()
            response = await client.get(EVENTS)
            assert (response.status_code, response.json()["code"]) == (429, "too-many-streams")
            assert int(response.headers["retry-after"]) > 0
        async with opened(app, token) as third:
            assert third.status == 200


async def assert_it_ends(stream: Stream) -> None:
    *_, last = await stream.last_blocks()
    assert 1000 <= milliseconds(last) <= 3000


async def test_a_stream_ends_with_the_token_that_opened_it(app: FastAPI, user_id: str) -> None:
    end = int(time.time()) + 2
    async with opened(app, make_token(user_id, exp=end)) as stream:
        await assert_it_ends(stream)
    assert time.time() >= end


async def test_a_stream_ends_with_the_service(app: FastAPI, feed: InMemoryChangeFeed, token: str) -> None:
    async with opened(app, token) as stream:
        await stream.event()
        feed.close()
        await assert_it_ends(stream)
