"""The log of `todo-api serve`: one JSON line for each request, without private data."""

import json
import signal
import subprocess
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from tests.e2e.programs import SECRET, TODO_API, Started, environment, migrate

from todo_api.dev.postgres import open_server
from todo_api.dev.token import mint_token

PRIVATE = "a title that is nobody's business"


@pytest.mark.parametrize("workers", ["1", "2"])
def test_serve_logs_requests_and_errors_without_private_data(started: Started, tmp_path: Path, workers: str) -> None:
    token = mint_token(SECRET, "alice@example.com", timedelta(hours=1))
    headers = {"Authorization": f"Bearer {token}"}
    with open_server(tmp_path / "pg", durable=False) as url:
        migrate(url)
        settings = environment(DATABASE_URL=url, BETTER_AUTH_SECRET=SECRET, WORKERS=workers)
        process = started(
            *TODO_API, "serve", env=settings, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert process.stdout
        base = process.stdout.readline().split()[-1]
        with httpx2.Client(base_url=base, timeout=30) as client:
            assert client.post("/api/tasks", json={"title": PRIVATE}, headers=headers).status_code == 201
            assert client.get("/api/tasks", params={"search": PRIVATE}, headers=headers).status_code == 400
            assert client.get("/api/tasks", headers={"Authorization": "Bearer x.y.z"}).status_code == 401
    with httpx2.Client(base_url=base, timeout=30) as client:  # the database is gone
        named = {**headers, "X-Request-ID": "the-one-that-failed"}
        assert client.get("/api/tasks", headers=named).status_code == 503
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=30)
    lines = [json.loads(line) for line in log.splitlines()]
    requests = [(line["method"], line["route"], line["status"]) for line in lines if line["event"] == "request"]
    assert requests == [("POST", "/api/tasks", 201), *(("GET", "/api/tasks", status) for status in (400, 401, 503))]
    failed = [line for line in lines if line.get("request_id") == "the-one-that-failed"]
    assert [line["level"] for line in failed] == ["warning", "info"]
    for private in (PRIVATE, SECRET, token, "alice", url):
        assert private not in log
