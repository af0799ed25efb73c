"""The lines for nginx and Caddy in docs/operations.md, run with these proxies before the service."""

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx2
import pytest
from tests.e2e.programs import ROOT, Running, Start

LARGE = "What there is to say of it. " * 100
COMPRESSING = {"Accept-Encoding": "gzip"}


def lines(language: str) -> str:
    """Return the blocks of the page in this language."""
    page = (ROOT / "docs/operations.md").read_text()
    return "\n".join(re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL))


def nginx(port: int, documented: str, folder: Path) -> tuple[str, ...]:
    folders = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "proxy.conf").write_text(
        f"daemon off; master_process off; pid {folder}/pid; error_log stderr; events {{}}\n"
        f"http {{ access_log off; {folders} server {{ listen 127.0.0.1:{port};\n{documented}\n}} }}"
    )
    return ("nginx", "-p", str(folder), "-e", "stderr", "-c", str(folder / "proxy.conf"))


def caddy(port: int, documented: str, folder: Path) -> tuple[str, ...]:
    (folder / "proxy.conf").write_text(
        f"{{\nadmin off\nauto_https off\n}}\nhttp://127.0.0.1:{port} {{\n{documented}\n}}\n"
    )
    return ("caddy", "run", "--adapter", "caddyfile", "--config", str(folder / "proxy.conf"))


Proxy = Callable[[int, str, Path], tuple[str, ...]]


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def proxying(proxy: Proxy, running: Running, folder: Path) -> Iterator[str]:
    """Run the proxy with the documented lines; yield its URL."""
    name, port = proxy.__name__, free_port()
    documented = lines(name).replace("127.0.0.1:8000", running.url.removeprefix("http://"))
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(
            proxy(port, documented, folder), stderr=log, env={"PATH": os.environ["PATH"], "HOME": str(folder)}
        ) as process,
    ):
        try:
            while process.poll() is None and not answers(port):
                time.sleep(0.05)
            assert process.poll() is None, (folder / "log").read_text()
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionError:
        return False
    return True


@pytest.fixture(params=[nginx, caddy], ids=lambda proxy: proxy.__name__)
def client(request: pytest.FixtureRequest, start: Start, tmp_path: Path) -> Iterator[httpx2.Client]:
    if not shutil.which(request.param.__name__):
        pytest.skip(f"{request.param.__name__} is not installed")
    running = start("dev", TRUSTED_PROXIES="127.0.0.1")
    folder = tmp_path / "proxy"
    folder.mkdir()
    with (
        proxying(request.param, running, folder) as url,
        httpx2.Client(base_url=url, headers=running.headers | COMPRESSING) as client,
    ):
        yield client


def test_urls_and_the_tags_of_compressed_tasks_are_right_behind_the_documented_proxy(
    client: httpx2.Client,
) -> None:
    created = client.post("/todo/api/tasks", json={"title": "a", "description": LARGE})
    client.post("/todo/api/tasks", json={"title": "b"})
    first_page = client.get("/todo/api/tasks", params={"limit": 1})

    location = created.headers["Location"]
    assert location == client.base_url.join(f"/todo/api/tasks/{created.json()['id']}")
    assert client.get(first_page.links["next"]["url"]).json() == [created.json()]
    assert client.get("/todo/openapi.json").json()["servers"] == [{"url": "/todo"}]

    small, large, head = first_page, client.get(location), client.head(location)
    assert "Content-Encoding" not in small.headers
    assert (large.headers["Content-Encoding"], head.headers["Content-Encoding"]) == ("gzip", "gzip")
    assert "accept-encoding" in large.headers["Vary"].lower()
    assert large.headers["ETag"] == head.headers["ETag"]
    assert client.get(location, headers={"If-None-Match": large.headers["ETag"]}).status_code == 304
    changed = client.patch(location, json={"title": "c"}, headers={"If-Match": large.headers["ETag"]})
    assert changed.status_code == 200
    assert client.patch(location, json={"title": "d"}, headers={"If-Match": large.headers["ETag"]}).status_code == 412

    with client.stream("GET", "/todo/api/tasks/events") as events:
        assert "Content-Encoding" not in events.headers
