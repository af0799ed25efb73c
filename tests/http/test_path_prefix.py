"""Behind a path prefix, every URL that the service returns is the one that the client must use."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from httpx2 import ASGITransport, AsyncClient
from pydantic import SecretStr
from tests.http.application import make_app, make_token

from todo_api.adapters.http.app import HttpConfig
from todo_api.adapters.memory.repository import InMemoryTaskRepository
from todo_api.main import create_app
from todo_api.settings import ConfigurationError, Settings

PROXY = ("10.1.2.3", 1)
BY_HEADER, BY_SETTING = HttpConfig(trusted_proxies=(PROXY[0],)), HttpConfig(root_path="/todo")
TODO = {"X-Forwarded-Prefix": "/todo"}


@asynccontextmanager
async def behind_proxy(config: HttpConfig, headers: dict[str, str] | None = None) -> AsyncIterator[AsyncClient]:
    app = make_app(InMemoryTaskRepository(), config=config)
    headers = {"Authorization": f"Bearer {make_token('u')}", "Host": "example.com", **(headers or {})}
    transport = ASGITransport(app=app, client=PROXY)
    async with AsyncClient(transport=transport, base_url="http://example.com", headers=headers) as client:
        yield client


@pytest.mark.parametrize("hot_path", [True, False])
@pytest.mark.parametrize("kept", ["", "/todo"], ids=["the proxy removes the prefix", "the proxy keeps the prefix"])
@pytest.mark.parametrize("by_header", [True, False], ids=["X-Forwarded-Prefix", "ROOT_PATH"])
async def test_locations_and_links_are_absolute_and_have_the_prefix(by_header: bool, kept: str, hot_path: bool) -> None:  # noqa: FBT001
    config = HttpConfig(
        trusted_proxies=(PROXY[0],) if by_header else (), root_path="" if by_header else "/todo", hot_path=hot_path
    )
    async with behind_proxy(config, TODO if by_header else {}) as client:
        created = await client.post(f"{kept}/api/tasks", json={"title": "a"})
        mine = f"{kept}/api/tasks/0b5a1c1e-3f0e-4f5e-9a51-8f5f6d1c2a30"
        put = await client.put(mine, json={"title": "b"}, headers={"If-None-Match": "*"})
        page = await client.get(f"{kept}/api/tasks", params={"limit": 1})
        for response in (created, put):
            await client.delete(f"{kept}/api/tasks/{response.json()['id']}")
        trash = await client.get(f"{kept}/api/tasks/trash", params={"limit": 1})

    for response in (created, put):
        assert response.headers["Location"] == f"http://example.com/todo/api/tasks/{response.json()['id']}"
    assert page.links["next"]["url"].startswith("http://example.com/todo/api/tasks?")
    assert trash.links["next"]["url"].startswith("http://example.com/todo/api/tasks/trash?")


@pytest.mark.parametrize("config", [BY_HEADER, BY_SETTING], ids=["X-Forwarded-Prefix", "ROOT_PATH"])
async def test_returned_urls_can_be_requested(config: HttpConfig) -> None:
    async with behind_proxy(config, TODO if config is BY_HEADER else {}) as client:
        first = await client.post("/api/tasks", json={"title": "a"})
        await client.post("/api/tasks", json={"title": "b"})
        page = await client.get("/api/tasks", params={"limit": 1})

        assert (await client.get(first.headers["Location"])).json() == first.json()
        assert (await client.get(page.links["next"]["url"])).json() == [first.json()]


async def test_with_a_malformed_host_location_and_link_are_relative_to_it() -> None:
    async with behind_proxy(BY_SETTING, {"Host": 'a>b"'}) as client:
        created = await client.post("/api/tasks", json={"title": "a"})
        await client.post("/api/tasks", json={"title": "b"})
        page = await client.get("/api/tasks", params={"limit": 1})
    assert created.headers["Location"] == f"/todo/api/tasks/{created.json()['id']}"
    assert page.links["next"]["url"].startswith("/todo/api/tasks?")


@pytest.mark.parametrize(
    ("value", "prefix"),
    [
        ("/todo", "/todo"),
        ("/todo/", "/todo"),
        ("/apps/todo-1.0", "/apps/todo-1.0"),
        ("/apps, /todo/", "/apps/todo"),  # each of two proxies has removed a part
        ("/", ""),
        ("", ""),
        ("todo", ""),
        ("//evil.example", ""),
        ("/../x", ""),
        ("/a b", ""),
        ("/a%2f", ""),
        ('/a>; rel="x"', ""),
        ("/<script>", ""),
        ("/\xe9", ""),
        ("/api", ""),  # is /api/tasks with the prefix, or without it?
        ("/apis", "/apis"),
    ],
)
async def test_a_prefix_that_is_not_one_is_ignored(value: str, prefix: str) -> None:
    async with behind_proxy(BY_HEADER) as client:
        headers = [(b"X-Forwarded-Prefix", value.encode("latin-1"))]
        created = await client.post("/api/tasks", json={"title": "a"}, headers=headers)
    assert created.headers["Location"] == f"http://example.com{prefix}/api/tasks/{created.json()['id']}"


async def test_the_prefix_of_an_untrusted_client_is_ignored() -> None:
    async with behind_proxy(HttpConfig(trusted_proxies=("10.9.9.9",), root_path="/todo")) as client:
        created = await client.post("/api/tasks", json={"title": "a"}, headers={"X-Forwarded-Prefix": "/evil"})
    assert created.headers["Location"].startswith("http://example.com/todo/api/tasks/")


async def test_the_prefix_of_a_trusted_proxy_comes_before_the_setting() -> None:
    async with behind_proxy(HttpConfig(trusted_proxies=(PROXY[0],), root_path="/todo")) as client:
        created = await client.post("/api/tasks", json={"title": "a"}, headers={"X-Forwarded-Prefix": "/other"})
    assert created.headers["Location"].startswith("http://example.com/other/api/tasks/")


@pytest.mark.parametrize("kept", ["", "/todo"])
async def test_the_documentation_has_the_prefix(kept: str) -> None:
    async with behind_proxy(BY_SETTING) as client:
        document = (await client.get(f"{kept}/openapi.json")).json()
        assert document["servers"] == [{"url": "/todo"}]
        for page in ("/docs", "/redoc"):
            html = (await client.get(f"{kept}{page}")).text
            assert "/todo/openapi.json" in html
            files = re.findall(r'(?:src|href)="(/[^"]+)"', html)
            assert files
            for file in files:
                assert file.startswith("/todo/docs/assets/")
                assert (await client.get(kept + file.removeprefix("/todo"))).status_code == 200
        assert "see /todo/docs" in (await client.get(f"{kept}/nowhere")).json()["detail"]


@pytest.mark.parametrize("kept", ["", "/todo"])
async def test_every_kind_of_path_is_found_behind_the_prefix(kept: str) -> None:
    async with behind_proxy(BY_SETTING) as client:
        assert (await client.get(f"{kept}/health")).status_code == 200
        assert (await client.get(f"{kept}/api/tasks/no-uuid")).json()["code"] == "task-not-found"
        assert (await client.put(f"{kept}/api/tasks")).headers["Allow"] == "GET, HEAD, POST"
        assert (await client.head(f"{kept}/api/tasks")).status_code == 200
        assert (await client.get("/todo")).json()["code"] == "not-found"


async def test_the_document_has_no_servers_without_a_prefix() -> None:
    async with behind_proxy(HttpConfig()) as client:
        assert "servers" not in (await client.get("/openapi.json")).json()


@pytest.mark.parametrize("path", ["/todo/api/tasks", "/todo/nowhere"])
async def test_security_headers_are_those_of_the_path_after_the_prefix(path: str) -> None:
    async with behind_proxy(BY_SETTING) as client:
        assert ("Content-Security-Policy" in (await client.get(path)).headers) == ("/api" in path)


async def test_a_retry_with_another_prefix_gets_the_location_that_the_first_request_got() -> None:
    async with behind_proxy(BY_HEADER, {"Idempotency-Key": "k"}) as client:
        first = await client.post("/api/tasks", json={"title": "a"}, headers=TODO)
        again = await client.post("/api/tasks", json={"title": "a"}, headers={"X-Forwarded-Prefix": "/new"})
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (
        again.headers["Location"]
        == first.headers["Location"]
        == (f"http://example.com/todo/api/tasks/{first.json()['id']}")
    )


@pytest.mark.parametrize("value", ["todo", "//todo", "/api", "/to do", "/.."])
def test_a_root_path_that_is_not_a_prefix_is_a_configuration_error(value: str) -> None:
    settings = Settings.model_validate(
        {"root_path": value, "database_url": SecretStr("postgresql:///d"), "better_auth_secret": SecretStr("x" * 32)}
    )
    with pytest.raises(ConfigurationError, match="ROOT_PATH"):
        create_app(settings)
