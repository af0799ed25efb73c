"""The image and Docker Compose for real: `.venv/bin/pytest --database=container tests/deploy`."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from tests.e2e.programs import SECRET, environment
from tests.ports import unused_port

from todo_api.dev.token import mint_token

ROOT = Path(__file__).parents[2]
LARGEST = 200_000_000  # bytes
PASSWORD_LENGTH = 48

Compose = Callable[..., str]


@pytest.fixture
def address() -> str:
    return f"127.0.0.1:{unused_port()}"


@pytest.fixture
def compose(request: pytest.FixtureRequest, address: str) -> Iterator[Compose]:
    """Run `docker compose` in a started project, which is removed after these tests."""
    if request.config.getoption("--database") != "container":
        pytest.skip("install Docker, and ask for it with --database=container")
    settings = environment(COMPOSE_PROJECT_NAME=f"test-{uuid4().hex}", BETTER_AUTH_SECRET=SECRET)

    def run(*arguments: str) -> str:
        command = ("docker", "compose", "--env-file", os.devnull, *arguments)
        host, _, port = address.partition(":")
        done = subprocess.run(
            command, env=settings | {"HOST": host, "PORT": port}, cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    try:
        run("up", "--build", "--detach", "--wait")
        yield run
    finally:
        run("down", "--volumes")


@pytest.fixture
def tasks(compose: Compose, address: str) -> Iterator[httpx2.Client]:
    token = mint_token(SECRET, "dev-user", timedelta(hours=1))
    with httpx2.Client(
        base_url=f"http://{address}", headers={"Authorization": f"Bearer {token}"}, timeout=30
    ) as client:
        yield client


def inspected(compose: Compose, service: str) -> dict[str, Any]:
    container = compose("ps", "--quiet", service).strip()
    [found] = json.loads(subprocess.check_output(("docker", "inspect", container)))
    return dict(found)


def titles(client: httpx2.Client) -> list[str]:
    return [task["title"] for task in client.get("/api/tasks").raise_for_status().json()]


def test_containers_are_small_restricted_and_durable(compose: Compose, tasks: httpx2.Client) -> None:
    """One test, because all parts use one project, which takes a minute to start."""
    the_image_is_small_and_its_user_may_do_nothing(compose)
    the_password_is_where_it_belongs_alone(compose)
    tasks.post("/api/tasks", json={"title": "Survive"}).raise_for_status()
    for arguments in (("restart", "db"), ("restart", "api"), ("down",)):
        compose(*arguments)
        compose("up", "--detach", "--wait")
        assert titles(tasks) == ["Survive"]


def the_image_is_small_and_its_user_may_do_nothing(compose: Compose) -> None:
    [image] = json.loads(subprocess.check_output(("docker", "image", "inspect", inspected(compose, "api")["Image"])))
    assert image["Size"] < LARGEST
    assert compose("exec", "-T", "api", "id", "--user").strip() == "10001"
    attempts = "cat /password/password || pip list || todo-api token || echo none of it"
    assert compose("exec", "-T", "api", "bash", "-c", attempts) == "none of it\n"
    assert compose("exec", "-T", "--user", "0", "api", "bash", "-c", "touch /x || echo read only") == "read only\n"


def the_password_is_where_it_belongs_alone(compose: Compose) -> None:
    password = compose("exec", "-T", "db", "cat", "/password/password").strip()
    assert len(password) == PASSWORD_LENGTH
    assert not any(password in json.dumps(inspected(compose, service)) for service in ("db", "api"))
    assert password not in compose("logs")
