"""Live events between real processes, with clients that misbehave."""

import json
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from alembic import command
from tests.conftest import alembic_config
from tests.e2e.programs import ROOT, SECRET, Eventually, Running, Start
from tests.http.application import make_token

from todo_api.dev.token import mint_token
from todo_api.server.sockets import WRITE_TIMEOUT, listening

TIMEOUT = 20
HEADERS = {"Authorization": f"Bearer {mint_token(SECRET, 'ada', timedelta(hours=1))}"}
HASTY_HEADERS = {"Authorization": f"Bearer {make_token('ada')}"}


@pytest.fixture
def settings(fresh_database: str) -> dict[str, str]:
    """Settings of servers that share a database."""
    command.upgrade(alembic_config(fresh_database), "head")
    return {"DATABASE_URL": fresh_database, "BETTER_AUTH_SECRET": SECRET}


@pytest.fixture
def hasty(start: Start) -> Running:
    server = ROOT / "tests" / "e2e" / "hasty_server.py"
    return start(
        command=(sys.executable, str(server)), until="serving on", PYTHONPATH=f"{ROOT}{os.pathsep}{ROOT / 'src'}"
    )


class Client:
    """Reads a stream of events line by line."""

    def __init__(self, response: httpx2.Response) -> None:
        self.response = response
        self._lines = response.iter_lines()

    def titles(self) -> list[str]:
        """Return the titles of the tasks in the next event."""
        page: dict[str, Any] = json.loads(self.line("data: "))
        return [task["title"] for task in page["tasks"]]

    def line(self, start: str) -> str:
        """Return the rest of the next line with this start."""
        end = time.monotonic() + TIMEOUT
        for line in self._lines:
            assert time.monotonic() < end, "it never came"
            if line.startswith(start):
                return line.removeprefix(start)
        raise AssertionError("the stream has ended")

    def rest(self) -> list[str]:
        """Return the lines until the end of a complete response."""
        return [line for line in self._lines if line]


@contextmanager
def following(url: str, headers: dict[str, str] = HEADERS) -> Iterator[Client]:
    with httpx2.stream("GET", f"{url}/api/tasks/events", headers=headers, timeout=TIMEOUT) as response:
        assert response.status_code == 200
        yield Client(response)


def add(url: str, title: str) -> None:
    response = httpx2.post(f"{url}/api/tasks", headers=HEADERS, json={"title": title}, timeout=TIMEOUT)
    assert response.status_code == 201


def test_events_of_one_process_reach_the_streams_of_another(start: Start, settings: dict[str, str]) -> None:
    writer, teller = (start("serve", until="serving on", **settings).url for _ in range(2))
    with following(teller) as stream, following(writer) as own:
        assert stream.titles() == own.titles() == []
        for number in range(3):
            add(writer, str(number))
            assert stream.titles() == own.titles() == [str(number)]


@pytest.mark.parametrize("arguments", [("dev",), ("serve",), ("serve", "--workers", "2")], ids=" ".join)
def test_streams_end_with_the_server_and_say_when_to_reconnect(
    start: Start, settings: dict[str, str], arguments: tuple[str, ...]
) -> None:
    running = start(*arguments, until="serving on", **settings)
    with ExitStack() as stack, ThreadPoolExecutor() as readers:
        streams = [stack.enter_context(following(running.url)) for _ in range(6)]
        for stream in streams:
            assert stream.titles() == []
        rest = [readers.submit(stream.rest) for stream in streams]
        status, last_words = running.end(signal.SIGTERM)
        assert status == 0
        assert "timeout graceful shutdown exceeded" not in last_words
        for read in rest:
            assert read.result()[-1].startswith("retry: ")


def test_a_disconnected_client_frees_its_stream(start: Start, settings: dict[str, str], eventually: Eventually) -> None:
    url = start("serve", until="serving on", EVENT_STREAMS_PER_USER="1", **settings).url

    def is_free() -> bool:
        with httpx2.stream("GET", f"{url}/api/tasks/events", headers=HEADERS, timeout=TIMEOUT) as response:
            return response.status_code == 200

    with following(url) as stream:
        assert stream.titles() == []
        assert not is_free()
    eventually(is_free)


def test_a_quiet_stream_sends_comments(hasty: Running) -> None:
    with following(hasty.url, HASTY_HEADERS) as stream:
        assert [stream.line(": ") for _ in range(3)] == ["ping"] * 3


PAGES = 3


@pytest.fixture
def laden(hasty: Running) -> Running:
    """A server with more tasks than the buffers of a connection can hold."""
    for _ in range(PAGES):
        operations = [{"op": "create", "title": "x", "description": "x" * 9000} for _ in range(100)]
        httpx2.post(
            f"{hasty.url}/api/tasks/batch", headers=HASTY_HEADERS, json={"operations": operations}, timeout=TIMEOUT
        ).raise_for_status()
    return hasty


@contextmanager
def small_buffer(url: str) -> Iterator[socket.socket]:
    """Open a stream with a small receive buffer."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
        client.settimeout(TIMEOUT)
        client.connect(("127.0.0.1", urlsplit(url).port))
        head = ["GET /api/tasks/events HTTP/1.1", "Host: x", f"Authorization: {HASTY_HEADERS['Authorization']}"]
        client.sendall("\r\n".join([*head, "", ""]).encode())
        yield client


def test_a_client_that_reads_nothing_is_disconnected(laden: Running, eventually: Eventually) -> None:
    def status() -> int:
        with httpx2.stream("GET", f"{laden.url}/api/tasks/events", headers=HASTY_HEADERS, timeout=TIMEOUT) as response:
            return response.status_code

    with small_buffer(laden.url) as client:
        taken = client.recv(100)
        assert taken.startswith(b"HTTP/1.1 200 ")
        assert status() == 429
        eventually(lambda: status() == 200)
        with suppress(ConnectionResetError):
            while some := client.recv(65_536):
                taken += some
        assert taken.count(b"data: ") < PAGES


def test_a_slow_client_gets_everything(laden: Running) -> None:
    with small_buffer(laden.url) as client:
        taken = b""
        while taken.count(b"data: ") < PAGES:
            some = client.recv(16_384)
            assert some, "it was cut off"
            taken += some
            time.sleep(0.02)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems give up after minutes")
def test_a_vanished_client_is_disconnected() -> None:
    with listening("127.0.0.1", 0) as [server], socket.create_connection(server.getsockname()):
        accepted, _ = server.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == WRITE_TIMEOUT * 1000
