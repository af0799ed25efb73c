"""Live events between real processes: from one to the other, to the end, and with clients that misbehave."""

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
from todo_api.server.sockets import listening
from todo_api.server.write_timeout import WRITE_TIMEOUT

PATIENCE = 20
HEADERS = {"Authorization": f"Bearer {mint_token(SECRET, 'ada', timedelta(hours=1))}"}
HASTY_HEADERS = {"Authorization": f"Bearer {make_token('ada')}"}


@pytest.fixture
def settings(fresh_database: str) -> dict[str, str]:
    """Those of servers that share a database."""
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

    def __init__(self, answer: httpx2.Response) -> None:
        self.answer = answer
        self._lines = answer.iter_lines()

    def titles(self) -> list[str]:
        """Those of the tasks in the next event."""
        page: dict[str, Any] = json.loads(self.line("data: "))
        return [task["title"] for task in page["tasks"]]

    def line(self, start: str) -> str:
        """The rest of the next line that starts so."""
        end = time.monotonic() + PATIENCE
        for line in self._lines:
            assert time.monotonic() < end, "it never came"
            if line.startswith(start):
                return line.removeprefix(start)
        raise AssertionError("the stream has ended")

    def rest(self) -> list[str]:
        """What comes until the end, which must be a proper one."""
        return [line for line in self._lines if line]


@contextmanager
def following(url: str, headers: dict[str, str] = HEADERS) -> Iterator[Client]:
    with httpx2.stream("GET", f"{url}/api/tasks/events", headers=headers, timeout=PATIENCE) as answer:
        assert answer.status_code == 200
        yield Client(answer)


def add(url: str, title: str) -> None:
    answer = httpx2.post(f"{url}/api/tasks", headers=HEADERS, json={"title": title}, timeout=PATIENCE)
    assert answer.status_code == 201


def test_what_one_process_writes_is_told_by_another(start: Start, settings: dict[str, str]) -> None:
    writer, teller = (start("serve", until="serving on", **settings).url for _ in range(2))
    with following(teller) as stream, following(writer) as own:
        assert stream.titles() == own.titles() == []
        for number in range(3):
            add(writer, str(number))
            assert stream.titles() == own.titles() == [str(number)]


@pytest.mark.parametrize("arguments", [("dev",), ("serve",), ("serve", "--workers", "2")], ids=" ".join)
def test_streams_end_with_the_server_and_say_when_to_come_again(
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


def test_who_hangs_up_makes_room_for_another(start: Start, settings: dict[str, str], eventually: Eventually) -> None:
    url = start("serve", until="serving on", EVENT_STREAMS_PER_USER="1", **settings).url

    def is_free() -> bool:
        with httpx2.stream("GET", f"{url}/api/tasks/events", headers=HEADERS, timeout=PATIENCE) as answer:
            return answer.status_code == 200

    with following(url) as stream:
        assert stream.titles() == []
        assert not is_free()
    eventually(is_free)


def test_a_stream_without_news_tells_that_it_is_there(hasty: Running) -> None:
    with following(hasty.url, HASTY_HEADERS) as stream:
        assert [stream.line(": ") for _ in range(3)] == ["ping"] * 3


PAGES = 3


@pytest.fixture
def laden(hasty: Running) -> Running:
    """A server with more tasks than fit into the buffers on the way."""
    for _ in range(PAGES):
        operations = [{"op": "create", "title": "x", "description": "x" * 9000} for _ in range(100)]
        httpx2.post(
            f"{hasty.url}/api/tasks/batch", headers=HASTY_HEADERS, json={"operations": operations}, timeout=PATIENCE
        ).raise_for_status()
    return hasty


@contextmanager
def reluctant(url: str) -> Iterator[socket.socket]:
    """Somebody who has asked for a stream, and has little room for it."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
        client.settimeout(PATIENCE)
        client.connect(("127.0.0.1", urlsplit(url).port))
        head = ["GET /api/tasks/events HTTP/1.1", "Host: x", f"Authorization: {HASTY_HEADERS['Authorization']}"]
        client.sendall("\r\n".join([*head, "", ""]).encode())
        yield client


def test_who_takes_nothing_is_cut_off(laden: Running, eventually: Eventually) -> None:
    def status() -> int:
        with httpx2.stream("GET", f"{laden.url}/api/tasks/events", headers=HASTY_HEADERS, timeout=PATIENCE) as answer:
            return answer.status_code

    with reluctant(laden.url) as client:
        taken = client.recv(100)
        assert taken.startswith(b"HTTP/1.1 200 ")
        assert status() == 429
        eventually(lambda: status() == 200)
        with suppress(ConnectionResetError):
            while some := client.recv(65_536):
                taken += some
        assert taken.count(b"data: ") < PAGES


def test_who_is_merely_slow_gets_everything(laden: Running) -> None:
    with reluctant(laden.url) as client:
        taken = b""
        while taken.count(b"data: ") < PAGES:
            some = client.recv(16_384)
            assert some, "it was cut off"
            taken += some
            time.sleep(0.02)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems give up after minutes")
def test_who_has_vanished_is_given_up() -> None:
    with listening("127.0.0.1", 0) as [server], socket.create_connection(server.getsockname()):
        accepted, _ = server.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == WRITE_TIMEOUT * 1000
