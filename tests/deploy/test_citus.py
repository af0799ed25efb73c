"""deploy/citus/docker-compose.yml for real: only with `--database=citus`, and with Docker."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest
from tests.citus_containers import why_not
from tests.e2e.programs import SECRET, environment
from tests.ports import unused_port

from todo_api.dev.token import mint_token

ROOT = Path(__file__).parents[2]
USERS = [f"user-{number}" for number in range(20)]  # some on each worker
PATIENCE = 60.0  # seconds

Compose = Callable[..., str]


@pytest.fixture
def port() -> int:
    return unused_port()


@pytest.fixture
def composed_cluster(request: pytest.FixtureRequest, port: int) -> Iterator[Compose]:
    """Run `docker compose` in a started project, which is removed after the test."""
    if request.config.getoption("--database") != "citus":
        pytest.skip("needs --database=citus")
    if reason := why_not():
        pytest.skip(reason)
    settings = environment(
        COMPOSE_PROJECT_NAME=f"test-{uuid4().hex}",
        POSTGRES_PASSWORD=uuid4().hex,
        BETTER_AUTH_SECRET=SECRET,
        PORT=f"{port}",
    )
    options = ("--env-file", os.devnull, "--file", "deploy/citus/docker-compose.yml")

    def run(*arguments: str) -> str:
        command = ("docker", "compose", *options, *arguments)
        done = subprocess.run(command, env=settings, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    try:
        run("up", "--build", "--detach", "--wait")
        yield run
    finally:
        run("down", "--volumes")


@pytest.fixture
def client(composed_cluster: Compose, port: int) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        yield client


def authorization(user: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {mint_token(SECRET, user, timedelta(hours=1))}"}


def add(client: httpx2.Client) -> list[int]:
    """Add a task for each user, and return the statuses."""
    return [
        client.post("/api/tasks", json={"title": "Survive"}, headers=authorization(user)).status_code for user in USERS
    ]


def counts(client: httpx2.Client) -> set[int]:
    """Return the numbers of tasks that users have."""
    return {len(client.get("/api/tasks", headers=authorization(user)).raise_for_status().json()) for user in USERS}


def test_the_cluster_survives_its_servers(composed_cluster: Compose, client: httpx2.Client) -> None:
    """One test, because all parts use one project, which takes a minute to start."""
    assert "distributed with Citus" in composed_cluster("exec", "-T", "api-1", "todo-api", "check")
    assert set(add(client)) == {201}
    only_users_of_a_killed_worker_get_503(composed_cluster, client)
    composed_cluster("kill", "api-1")
    before = counts(client)
    assert before == {1, 2}
    composed_cluster("down")
    composed_cluster("up", "--detach", "--wait")
    assert counts(client) == before


def only_users_of_a_killed_worker_get_503(compose: Compose, client: httpx2.Client) -> None:
    compose("kill", "worker-1")
    assert set(add(client)) == {201, 503}
    compose("start", "worker-1")
    end = time.monotonic() + PATIENCE
    while {client.get("/api/tasks", headers=authorization(user)).status_code for user in USERS} != {200}:
        assert time.monotonic() < end, "its users are not served again"
        time.sleep(0.5)
