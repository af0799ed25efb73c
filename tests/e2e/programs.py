"""The programs that these tests run, and the types of the fixtures that run them."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import jwt
from alembic import command
from alembic.config import Config

Process = subprocess.Popen[str]
Pids = Callable[[Path], list[int]]
Eventually = Callable[..., None]
Started = Callable[..., Process]
Query = Callable[[str, str], Any]
Call = Callable[..., tuple[int, str, str]]
Hold = Callable[[Path], tuple[Process, str]]
Complaint = Callable[..., str]

ROOT = Path(__file__).parents[2]
TODO_API = (sys.executable, "-m", "todo_api")
SECRET = "a-secret-of-the-user's-own-with-more-than-32-characters"
FROM_OUTSIDE = (
    *("DATABASE", "BETTER_AUTH", "HOST", "PORT", "WORKERS", "DATA_DIR", "NEON", "CORS", "PG", "POSTGRES", "MAX_"),
    *("RATE_LIMIT", "TRUSTED_PROXIES", "ROOT_PATH", "LOG_FORMAT", "ACCESS_LOG", "OTEL", "METRICS", "PROMETHEUS"),
    *("HEADER_TIMEOUT", "REQUEST_TIMEOUT"),
)


@dataclass(frozen=True)
class Running:
    """A `dev` or `serve` that has printed its URL."""

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
        response = httpx2.post(f"{self.url}/api/tasks", headers=self.headers, json={"title": title})
        assert response.status_code == 201

    def end(self, number: int) -> tuple[int, str]:
        """Send a signal; return the exit status and the rest of the output."""
        self.process.send_signal(number)
        rest, _ = self.process.communicate(timeout=15)
        return self.process.returncode, rest


Start = Callable[..., Running]


def environment(**settings: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(FROM_OUTSIDE)}
    return inherited | {"PORT": "0"} | settings


def migrate(url: str) -> None:
    """Migrate with Alembic, as operators do."""
    config = Config(ROOT / "alembic.ini", attributes={"database_url": url, "configure_logging": False})
    command.upgrade(config, "head")


def line_of(process: Process) -> str:
    """Return the next line of its output."""
    assert process.stdout
    return process.stdout.readline().strip()


def claims_of(token: str, secret: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token.removesuffix("\n"), secret, algorithms=["HS256"])
    return claims
