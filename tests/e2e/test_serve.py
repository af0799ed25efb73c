import signal
import subprocess
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from tests.e2e.programs import SECRET, TODO_API, Complaint, Query, Start, Started, environment, migrate

from todo_api.development import mint_token
from todo_api.local_postgres import open_server


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
            answer = httpx2.get(f"{running.url}/api/tasks", headers={"Authorization": f"Bearer {token}"}, timeout=30)
            assert (answer.status_code, answer.json()) == (200, [])
            assert "server" not in answer.headers
            assert running.end(signal.SIGTERM)[0] == 0
        query(url, "update alembic_version set version_num = 'future'")
        refused = started(*TODO_API, "serve", env=environment(**settings), cwd=tmp_path, stderr=subprocess.PIPE)
        assert "alembic upgrade head" in refused.communicate(timeout=60)[1]
        assert refused.returncode == 1
