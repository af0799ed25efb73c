"""The page at `/`, which development alone has."""

import re
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from importlib.resources import files

import pytest
from httpx2 import ASGITransport, AsyncClient
from pydantic import SecretStr
from tests.http.application import make_app

from todo_api.adapters.http.app import HttpConfig
from todo_api.adapters.memory.repository import InMemoryTaskRepository
from todo_api.dev.start_page import add_start_page
from todo_api.main import create_app
from todo_api.settings import Settings

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
TOKEN = "a-token-of-the-page"
HERE, ELSEWHERE = ("127.0.0.1", 1), ("192.0.2.7", 1)


@asynccontextmanager
async def development(
    config: HttpConfig | None = None, *, host: str = "localhost:8000", client: tuple[str, int] = HERE
) -> AsyncIterator[AsyncClient]:
    app = make_app(InMemoryTaskRepository(), config=config)
    add_start_page(app, lambda: TOKEN)
    async with AsyncClient(transport=ASGITransport(app=app, client=client), base_url=f"http://{host}") as http:
        yield http


async def test_a_browser_gets_a_page_with_the_token() -> None:
    async with development() as client:
        response = await client.get("/", headers=BROWSER)
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    assert f'value="{TOKEN}"' in response.text
    assert "{{" not in response.text


@pytest.mark.parametrize(
    "accept", ["application/json", "*/*", "", "text/html;q=0", "text/html;q=0.5, application/json", "text/html;q=x"]
)
async def test_a_program_gets_links_as_json(accept: str) -> None:
    async with development() as client:
        response = await client.get("/", headers={"Accept": accept})
        assert response.headers["content-type"] == "application/json"
        assert TOKEN not in response.text
        links = response.json()["links"]
        assert links["tasks"] == "http://localhost:8000/api/tasks"
        assert {(await client.get(url)).status_code for name, url in links.items() if name != "tasks"} == {200}


async def test_json_is_the_answer_without_an_accept_header() -> None:
    async with development() as client:
        del client.headers["Accept"]
        assert (await client.get("/")).headers["content-type"] == "application/json"


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
async def test_both_kinds_answer_head(accept: str) -> None:
    async with development() as client:
        read, head = [await call("/", headers={"Accept": accept}) for call in (client.get, client.head)]
    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-type", "content-length", "vary"):
        assert head.headers[name] == read.headers[name]
    assert "Accept" in head.headers["vary"]


async def test_the_policy_allows_the_page_s_own_script_and_style_alone() -> None:
    async with development() as client:
        response = await client.get("/", headers=BROWSER)
    policy = dict(part.strip().split(" ", 1) for part in response.headers["content-security-policy"].split(";"))
    for directive, pattern in (("script-src", "<script>(.*?)</script>"), ("style-src", "<style>(.*?)</style>")):
        (text,) = re.findall(pattern, response.text, re.DOTALL)
        assert policy[directive] == f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
    assert policy["default-src"] == "'none'"
    assert policy["connect-src"] == "'self'"
    assert "style=" not in response.text


async def test_the_page_names_no_other_address() -> None:
    async with development() as client:
        page = (await client.get("/", headers=BROWSER)).text
        assert "//" not in re.sub(r"^\s*//.*| // .*", "", page, flags=re.MULTILINE)  # without comments
        links = re.findall(r'href="([^":]+)"', page)
        assert links == ["docs", "redoc", "openapi.json"]
        for link in links:
            assert (await client.get(f"/{link}")).status_code == 200


@pytest.mark.parametrize("kept", ["", "/todo"])
async def test_behind_a_prefix(kept: str) -> None:
    async with development(HttpConfig(root_path="/todo")) as client:
        assert (await client.get(f"{kept}/", headers=BROWSER)).headers["content-type"].startswith("text/html")
        links = (await client.get(f"{kept}/")).json()["links"]
    assert links["docs"] == "http://localhost:8000/todo/docs"


async def test_there_are_no_links_to_documentation_that_is_not_served() -> None:
    async with development(HttpConfig(documentation=False)) as client:
        assert '<nav aria-label="Documentation" hidden>' in (await client.get("/", headers=BROWSER)).text
        assert set((await client.get("/")).json()["links"]) == {"tasks", "health"}


@pytest.mark.parametrize(
    ("host", "client"),
    [("localhost", ELSEWHERE), ("rebound.example", HERE), ("192.0.2.1", HERE), ("127.evil.example", HERE)],
)
async def test_others_get_the_page_without_the_token(host: str, client: tuple[str, int]) -> None:
    async with development(host=host, client=client) as http:
        response = await http.get("/", headers=BROWSER)
    assert response.status_code == 200
    assert TOKEN not in response.text


@pytest.mark.parametrize("host", ["localhost", "todo.localhost:8000", "127.0.0.2:1", "[::1]:8000"])
@pytest.mark.parametrize("client", [HERE, ("::1", 1), ("::ffff:127.0.0.1", 1)])
async def test_this_machine_gets_the_token_by_each_of_its_names(host: str, client: tuple[str, int]) -> None:
    async with development(host=host, client=client) as http:
        assert TOKEN in (await http.get("/", headers=BROWSER)).text


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
async def test_production_has_no_page(accept: str) -> None:
    settings = {"database_url": SecretStr("postgresql:///d"), "better_auth_secret": SecretStr("x" * 32)}
    app = create_app(Settings.model_validate(settings))
    async with AsyncClient(transport=ASGITransport(app=app, client=HERE), base_url="http://localhost") as client:
        response = await client.get("/", headers={"Accept": accept})
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["code"] == "not-found"


@pytest.mark.parametrize("name", ["page.html", "page.css", "page.js"])
def test_the_page_is_made_of_files_of_the_package(name: str) -> None:
    assert (files("todo_api.dev.start_page") / name).is_file()
