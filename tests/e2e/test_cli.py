import json
import os
import re
import resource
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from alembic import command
from alembic.config import Config

import jwt
from todo_api.adapters.postgres.schema import REVISION
from todo_api.cli import main
from todo_api.development import kept_secret, welcome
from todo_api.local_postgres import open_server
from todo_api.serving import listening, url_of
from todo_api.settings import ConfigurationError

Process = subprocess.Popen[str]
Pids = Callable[[Path], list[int]]
Eventually = Callable[[Callable[[], object]], None]
Started = Callable[..., Process]
Query = Callable[[str, str], Any]
Call = Callable[..., tuple[int, str, str]]
Complaint = Callable[..., str]

ROOT = Path(__file__).parents[2]
TODO_API = (sys.executable, "-m", "todo_api")
SECRET = "a-secret-of-the-user's-own-with-more-than-32-characters"
FROM_OUTSIDE = ("DATABASE", "BETTER_AUTH", "HOST", "PORT", "WORKERS", "DATA_DIR", "NEON", "CORS", "PG", "POSTGRES")


@dataclass(frozen=True)
class Running:
    """A `dev` or `serve` that has said where it serves."""

    process: Process
    output: str

    @property
    def url(self) -> str:
        found = re.search(r"serving on (\S+)", self.output)
        assert found
        return found[1]

    @property
    def curls(self) -> list[str]:
        return [line for line in self.output.splitlines() if line.startswith("curl ")]

    @property
    def headers(self) -> dict[str, str]:
        found = re.search(r"Authorization: Bearer [\w.-]+", self.output)
        assert found
        return {"Authorization": found[0].partition(": ")[2]}

    def titles(self) -> list[str]:
        return [task["title"] for task in httpx2.get(f"{self.url}/api/tasks", headers=self.headers).json()]

    def add(self, title: str) -> None:
        answer = httpx2.post(f"{self.url}/api/tasks", headers=self.headers, json={"title": title})
        assert answer.status_code == 201

    def end(self, number: int) -> tuple[int, str]:
        """The exit status, and what it had to say until then."""
        self.process.send_signal(number)
        rest, _ = self.process.communicate(timeout=15)
        return self.process.returncode, rest


Start = Callable[..., Running]


def environment(**settings: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(FROM_OUTSIDE)}
    return inherited | {"PORT": "0"} | settings


@pytest.fixture
def start(started: Started, tmp_path: Path) -> Start:
    """Starts a command that serves, and waits until it says that it does."""

    def run(*arguments: str, until: str = "Ctrl-C", command: tuple[str, ...] = TODO_API, **settings: str) -> Running:
        process = started(
            *command, *arguments,
            env=environment(**settings), cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        output = ""
        assert process.stdout
        while until not in output:
            line = process.stdout.readline()
            assert line, f"it ended: {output}"
            output += line
        return Running(process, output)

    return run


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Where `dev` keeps its PostgreSQL."""
    return tmp_path / ".data" / "postgres"


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Call]:
    """Runs a command that comes to an end, in this process, which is quicker; returns its status, stdout and stderr."""

    def run(*arguments: str, **settings: str) -> tuple[int, str, str]:
        for name in os.environ.keys() - environment().keys():
            monkeypatch.delenv(name)
        for name, value in environment(**settings).items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path)
        try:
            status = main(arguments)
        except SystemExit as end:  # argparse's
            status = int(end.code or 0)
        return status, *capsys.readouterr()

    handler = signal.getsignal(signal.SIGTERM)
    yield run
    signal.signal(signal.SIGTERM, handler)


@pytest.fixture
def complaint(call: Call) -> Complaint:
    """The one line of a command that cannot be done."""

    def run(*arguments: str, **settings: str) -> str:
        status, out, err = call(*arguments, **settings)
        assert (status, out) == (1, "")
        [line] = err.splitlines()
        return line

    return run


def migrate(url: str) -> None:
    """As operators do, by Alembic."""
    config = Config(ROOT / "alembic.ini", attributes={"database_url": url, "configure_logging": False})
    command.upgrade(config, "head")


def claims_of(token: str, secret: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token.removesuffix("\n"), secret, algorithms=["HS256"])
    return claims


# --- help, token, openapi ----------------------------------------------------------------


def test_help_names_the_commands_and_each_explains_itself(call: Call) -> None:
    script = Path(sys.executable).with_name("todo-api")
    overview = subprocess.run([script, "--help"], capture_output=True, text=True, check=True).stdout
    for name in ("dev", "serve", "token", "openapi"):
        assert re.search(rf"^ +{name} +\w", overview, re.MULTILINE)
        assert call(name, "--help")[1].startswith(f"usage: todo-api {name} ")


def test_no_command_and_wrong_flags_are_usage_errors(call: Call) -> None:
    assert call()[0] == 2
    for wrong in (["--port", "65536"], ["--port", "x"]):
        assert "argument --port" in call("dev", *wrong)[2]
    assert "argument --hours" in call("token", "--hours", "0")[2]
    assert "argument USER" in call("token", "")[2]
    assert "argument --workers" in call("serve", "--workers", "0")[2]


def test_a_token_before_anything_ran_is_signed_with_the_secret_that_is_kept(tmp_path: Path, call: Call) -> None:
    token = call("token")[1]
    kept = tmp_path / ".data" / "secret"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    claims = claims_of(token, kept.read_text().strip())
    assert claims.keys() == {"sub", "iat", "exp"}
    assert claims["sub"] == "dev-user"
    assert claims["exp"] - claims["iat"] == 24 * 3600
    assert abs(datetime.fromtimestamp(claims["iat"], UTC) - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_token_as_one_wants_it_with_a_secret_of_ones_own(tmp_path: Path, call: Call) -> None:
    arguments = ["token", "alice", "--hours", "0.5", "--scope", "tasks:read", "--scope", "tasks:write"]
    claims = claims_of(call(*arguments, BETTER_AUTH_SECRET=SECRET)[1], SECRET)
    assert claims["sub"] == "alice"
    assert claims["scope"] == "tasks:read tasks:write"
    assert claims["exp"] - claims["iat"] == 1800
    assert not (tmp_path / ".data").exists()


def test_commands_that_start_at_once_agree_on_the_secret(tmp_path: Path, started: Started) -> None:
    options = {"cwd": tmp_path, "env": environment(), "stdout": subprocess.PIPE}
    tokens = [process.communicate()[0] for process in [started(*TODO_API, "token", **options) for _ in range(3)]]
    secret = (tmp_path / ".data" / "secret").read_text().strip()
    assert [claims_of(token, secret)["sub"] for token in tokens] == ["dev-user"] * 3


def test_a_secret_that_was_not_written_to_its_end_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("short\n")
    made = kept_secret(tmp_path)
    assert len(made) > 40
    assert kept_secret(tmp_path) == made


def test_openapi_needs_no_configuration(tmp_path: Path, call: Call) -> None:
    document = json.loads(call("openapi")[1])
    assert "/api/tasks" in document["paths"]
    assert not (tmp_path / ".data").exists()


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"PORT": "eighty"}, "PORT"),
        ({"BETTER_AUTH_URL": "example.com"}, "BETTER_AUTH_URL"),
        ({"BETTER_AUTH_SECRET": "kept-from-the-log"}, "BETTER_AUTH_SECRET"),
        ({"DATABASE_URL": "mysql://u:kept-from-the-log@h/d", "BETTER_AUTH_SECRET": SECRET}, "DATABASE_URL"),
        ({"BETTER_AUTH_SECRET": SECRET}, "DATABASE_URL"),
        ({"DATABASE_URL": "postgresql://u:kept-from-the-log@127.0.0.1:1/d"}, "BETTER_AUTH_URL"),
        (
            {"DATABASE_URL": "postgresql://u:kept-from-the-log@127.0.0.1:1/d", "BETTER_AUTH_SECRET": SECRET},
            "DATABASE_URL",
        ),
    ],
)
def test_serve_names_the_setting_that_will_not_do(complaint: Complaint, settings: dict[str, str], named: str) -> None:
    line = complaint("serve", **settings)
    assert line.startswith("todo-api: ")
    assert named in line
    assert "kept-from-the-log" not in line
    assert SECRET not in line


# --- dev ---------------------------------------------------------------------------------


def test_dev_serves_what_it_prints_and_keeps_the_data(start: Start, data: Path, postmasters: Pids) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is missing")
    first = start("dev")
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    for line in first.curls:
        pasted = subprocess.run(line + " --silent --fail", shell=True, capture_output=True, text=True, check=True)
        assert "Try todo-api" in pasted.stdout
    assert httpx2.get(f"{first.url}/docs").status_code == 200
    assert "server" not in httpx2.get(f"{first.url}/docs").headers
    assert first.end(signal.SIGINT) == (0, "\n")
    assert postmasters(data) == []
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    second = start("dev")
    assert second.titles() == ["Try todo-api"]
    assert second.end(signal.SIGTERM) == (0, "\n")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    # Processor time, because the clock also counts what else runs on the machine.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 5
    assert postmasters(data) == []


def test_dev_that_is_killed_takes_its_database_with_it_and_loses_nothing(
    start: Start, data: Path, postmasters: Pids, eventually: Eventually
) -> None:
    running = start("dev")
    for number in range(2):
        running.add(f"task {number}")
        running.process.kill()
        running = start("dev")  # while the server before may still be stopping
    assert running.titles() == ["task 1", "task 0"]
    running.process.kill()
    eventually(lambda: not postmasters(data))


def test_dev_ends_with_the_process_that_started_it(
    start: Start, data: Path, postmasters: Pids, eventually: Eventually
) -> None:
    shell = ("sh", "-c", '"$0" "$@" --exit-with-parent=$$ & wait', *TODO_API)
    running = start("dev", command=shell)
    assert len(postmasters(data)) == 1
    running.process.kill()
    eventually(lambda: not postmasters(data))


def test_dev_does_not_start_when_that_process_has_gone_before(tmp_path: Path, started: Started) -> None:
    dev = started(*TODO_API, "dev", "--exit-with-parent=1", env=environment(), cwd=tmp_path)
    assert dev.wait(60) == 0


def test_dev_with_a_port_that_is_taken_says_so_and_starts_nothing(complaint: Complaint, data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"PORT {port}" in complaint("dev", PORT=str(port))
    assert not data.exists()


def test_two_devs_share_one_database_until_the_last_ends(start: Start, data: Path, postmasters: Pids) -> None:
    first, second = start("dev"), start("dev")
    first.add("shared")
    assert len(postmasters(data)) == 1
    assert first.end(signal.SIGINT)[0] == 0
    assert second.titles() == ["shared"]
    assert second.end(signal.SIGINT)[0] == 0
    assert postmasters(data) == []


def test_dev_uses_the_database_and_the_secret_that_it_is_given(
    start: Start, tmp_path: Path, query: Query, data: Path
) -> None:
    with open_server(tmp_path / "pg", durable=False) as url:
        running = start("dev", DATABASE_URL=url, BETTER_AUTH_SECRET=SECRET)
        running.add("elsewhere")
        assert query(url, "select version_num from alembic_version") == REVISION
        claims_of(running.headers["Authorization"].split()[1], SECRET)
        assert running.end(signal.SIGINT)[0] == 0
    assert not data.parent.exists()


def test_dev_refuses_the_data_of_another_postgresql(complaint: Complaint, data: Path) -> None:
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("12\n")
    assert "PostgreSQL 12" in complaint("dev")


def test_dev_does_not_touch_a_database_from_the_future(tmp_path: Path, query: Query, complaint: Complaint) -> None:
    with open_server(tmp_path / "pg", durable=False) as url:
        query(url, "create table alembic_version as select 'future' as version_num")
        assert "another version of todo-api" in complaint("dev", DATABASE_URL=url)


# --- serve -------------------------------------------------------------------------------


def test_serve_waits_for_the_migrations_and_then_serves(
    start: Start, tmp_path: Path, query: Query, call: Call, complaint: Complaint
) -> None:
    with open_server(tmp_path / "pg", durable=False) as url:
        settings = {"DATABASE_URL": url, "BETTER_AUTH_SECRET": SECRET}
        assert "alembic upgrade head" in complaint("serve", **settings)
        assert query(url, "select count(*) from pg_tables where schemaname = 'public'") == 0
        migrate(url)
        token = call("token", **settings)[1].strip()
        for workers in ("1", "2"):
            running = start("serve", "--workers", workers, until="\n", **settings)
            answer = httpx2.get(f"{running.url}/api/tasks", headers={"Authorization": f"Bearer {token}"}, timeout=30)
            assert (answer.status_code, answer.json()) == (200, [])
            assert "server" not in answer.headers
            assert running.end(signal.SIGTERM)[0] == 0
        query(url, "update alembic_version set version_num = 'future'")
        assert "alembic upgrade head" in complaint("serve", **settings)


# --- sockets and addresses ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("localhost", "localhost"),
        ("0.0.0.0", "127.0.0.1"),  # where a client finds it
        ("::", "[::1]"),
        ("::1", "[::1]"),
    ],
)
def test_the_address_that_is_printed(host: str, name: str) -> None:
    with listening("127.0.0.1", 0) as sockets:
        port = sockets[0].getsockname()[1]
        assert url_of(sockets, host) == f"http://{name}:{port}"


def test_every_address_of_a_name_has_the_same_port() -> None:
    with listening("localhost", 0) as sockets:
        [port] = {one.getsockname()[1] for one in sockets}
        for one in sockets:
            socket.create_connection(one.getsockname()[:2]).close()
        with pytest.raises(ConfigurationError, match=f"PORT {port}"), listening("localhost", port):
            pytest.fail("it listened")


def test_a_host_that_is_none_of_this_machine() -> None:
    for host in ("192.0.2.1", "no such host"):
        with pytest.raises(ConfigurationError, match="HOST"), listening(host, 0):
            pytest.fail("it listened")


def test_brackets_are_quoted_for_the_shell() -> None:
    assert "curl 'http://[::1]:8000/api/tasks' -H" in welcome("http://[::1]:8000", "token", "somewhere")
