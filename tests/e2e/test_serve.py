import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import httpx2
import psutil
import pytest
from tests.e2e.programs import SECRET, TODO_API, Complaint, Eventually, Query, Start, Started, environment, migrate

from todo_api.dev.postgres import open_server
from todo_api.dev.token import mint_token

ADVICE = "Set it, here and for Better Auth, to the output of: openssl rand -base64 32"


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
def test_serve_names_the_invalid_setting(complaint: Complaint, settings: dict[str, str], named: str) -> None:
    line = complaint("serve", **settings)
    assert line.startswith("todo-api: ")
    assert named in line
    assert "kept-from-the-log" not in line
    assert SECRET not in line


def test_serve_waits_for_the_migrations_and_then_serves(
    start: Start, tmp_path: Path, query: Query, complaint: Complaint, started: Started
) -> None:
    with open_server(tmp_path / "pg", durable=False) as url:
        settings = {"DATABASE_URL": url, "BETTER_AUTH_SECRET": SECRET}
        assert "alembic upgrade head" in complaint("serve", **settings)
        assert query(url, "select count(*) from pg_tables where schemaname = 'public'") == 0
        migrate(url)
        token = mint_token(SECRET, "dev-user", timedelta(hours=1))
        for workers in ("1", "2"):
            running = start("serve", "--workers", workers, until="\n", **settings)
            response = httpx2.get(f"{running.url}/api/tasks", headers={"Authorization": f"Bearer {token}"}, timeout=30)
            assert (response.status_code, response.json()) == (200, [])
            assert "server" not in response.headers
            assert running.end(signal.SIGTERM)[0] == 0
        query(url, "update alembic_version set version_num = 'future'")
        refused = started(*TODO_API, "serve", env=environment(**settings), cwd=tmp_path, stderr=subprocess.PIPE)
        assert "alembic upgrade head" in refused.communicate(timeout=60)[1]
        assert refused.returncode == 1


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with open_server(tmp_path_factory.mktemp("pg"), durable=False) as url:
        migrate(url)
        yield url


def workers_of(supervisor: int) -> set[int]:
    """Return the serving processes; multiprocessing has an additional one."""
    workers = set()
    for child in psutil.Process(supervisor).children():
        with suppress(psutil.NoSuchProcess):  # it has just exited
            if "--multiprocessing-fork" in child.cmdline():
                workers.add(child.pid)
    return workers


def responds_alone(worker: int, workers: set[int], url: str) -> bool:
    """Return whether the worker responds faster than a new one could start, while the others are suspended."""
    others = [psutil.Process(other) for other in workers - {worker}]
    for other in others:
        other.suspend()
    try:
        return httpx2.get(f"{url}/health/ready", timeout=1).is_success
    finally:
        for other in others:
            other.resume()


def test_all_workers_serve_and_a_dead_worker_is_replaced(start: Start, database: str, eventually: Eventually) -> None:
    settings = {"DATABASE_URL": database, "BETTER_AUTH_SECRET": SECRET}
    running = start("serve", "--workers", "3", "--no-access-log", until="\n", **settings)
    workers = workers_of(running.process.pid)
    assert len(workers) == 3
    assert all(responds_alone(worker, workers, running.url) for worker in workers)
    dead = workers.pop()
    psutil.Process(dead).kill()
    eventually(lambda: len(workers_of(running.process.pid) - {dead}) == 3, 60)
    assert workers_of(running.process.pid) > workers
    assert httpx2.get(f"{running.url}/health/ready").is_success
    assert running.end(signal.SIGTERM) == (0, "")


def test_a_worker_that_cannot_start_stops_the_others(started: Started, database: str, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import os, sys\nif '--multiprocessing-fork' in sys.orig_argv: os.environ['BETTER_AUTH_SECRET'] = 'short'\n"
    )
    settings = {"DATABASE_URL": database, "BETTER_AUTH_SECRET": SECRET, "PYTHONPATH": str(tmp_path)}
    refused = started(
        *TODO_API, "serve", "--workers", "2",
        env=environment(**settings), cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    out, err = refused.communicate(timeout=60)
    *reasons, last = err.splitlines()
    assert (refused.returncode, out) == (1, "")
    assert set(reasons) == {"todo-api: BETTER_AUTH_SECRET has 5 characters and needs 32 or more. " + ADVICE}
    assert last == "todo-api: a worker cannot start, for the reason above"
