import resource
import shutil
import signal
import socket
import stat
import subprocess
from pathlib import Path

import httpx2
import pytest
from tests.e2e.programs import (
    SECRET,
    TODO_API,
    Complaint,
    Eventually,
    Pids,
    Query,
    Start,
    Started,
    claims_of,
    environment,
)

from todo_api.adapters.sqlalchemy.schema import REVISION
from todo_api.dev.postgres import open_server


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
    status, last_words = first.end(signal.SIGINT)
    assert (status, last_words.strip()) == (0, "")
    assert postmasters(data) == []
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    second = start("dev")
    assert second.titles() == ["Try todo-api"]
    status, last_words = second.end(signal.SIGTERM)
    assert (status, last_words.strip()) == (0, "")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    # CPU time, because elapsed time includes other programs on the machine.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 5
    assert postmasters(data) == []


def test_a_killed_dev_stops_its_database_and_loses_nothing(
    start: Start, data: Path, postmasters: Pids, eventually: Eventually
) -> None:
    running = start("dev")
    for number in range(2):
        running.add(f"task {number}")
        running.process.kill()
        running = start("dev")  # while the previous server may still be stopping
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


def test_dev_does_not_start_if_that_process_has_ended(tmp_path: Path, started: Started) -> None:
    dev = started(*TODO_API, "dev", "--exit-with-parent=1", env=environment(), cwd=tmp_path)
    assert dev.wait(60) == 0


def test_dev_refuses_a_port_that_is_in_use(complaint: Complaint, data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"PORT {port}" in complaint("dev", PORT=str(port))
    assert not data.exists()


def test_two_devs_share_one_database(start: Start, data: Path, postmasters: Pids) -> None:
    first, second = start("dev"), start("dev")
    first.add("shared")
    assert len(postmasters(data)) == 1
    assert first.end(signal.SIGINT)[0] == 0
    assert second.titles() == ["shared"]
    assert second.end(signal.SIGINT)[0] == 0
    assert postmasters(data) == []


def test_dev_uses_the_configured_database_and_secret(start: Start, tmp_path: Path, query: Query, data: Path) -> None:
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


def test_dev_leaves_the_database_of_a_newer_version_alone(tmp_path: Path, query: Query, complaint: Complaint) -> None:
    with open_server(tmp_path / "pg", durable=False) as url:
        query(url, "create table alembic_version as select 'future' as version_num")
        assert "another version of todo-api" in complaint("dev", DATABASE_URL=url)
