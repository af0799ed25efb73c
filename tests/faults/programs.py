"""The service as a process that is killed and started again."""

import json
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.e2e.programs import SECRET, TODO_API, environment
from tests.faults.network import Namespace

from todo_api.dev.token import mint_token

TIMEOUT = 30.0  # seconds, on a busy machine


class Service:
    """`todo-api serve`, always on the same port, with its log in a file."""

    def __init__(
        self,
        log: Path,
        port: int,
        settings: Mapping[str, str],
        inside: Namespace | None = None,
        program: Sequence[str] | None = None,  # instead of todo-api, with the same commands
    ) -> None:
        host, before = (inside.there, inside.inside) if inside else ("127.0.0.1", ())
        self.log = log
        self.url = f"http://{host}:{port}"
        self._command = (*before, *(program or TODO_API), "serve")
        # A full pipe would stop it, and a line for each request of a load is a lot of lines.
        defaults = {"BETTER_AUTH_SECRET": SECRET, "RATE_LIMIT": "off", "ACCESS_LOG": "false", "LOG_FORMAT": "json"}
        self._environment = environment(**{**defaults, "HOST": host, "PORT": str(port), **settings})
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the service, and wait until it serves."""
        with self.log.open("ab") as log:
            offset = log.tell()
            self.process = subprocess.Popen(
                self._command, env=self._environment, cwd=self.log.parent, stdout=log, stderr=log
            )
        end = time.monotonic() + TIMEOUT
        while b"is serving on" not in self.log.read_bytes()[offset:]:
            assert self.process.poll() is None, self.log.read_text()[offset:]
            assert time.monotonic() < end, "it does not start"
            time.sleep(0.02)

    def kill(self) -> None:
        """Send SIGKILL."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def terminate(self) -> int:
        """Send SIGTERM, wait, and return the exit status."""
        assert self.process
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(TIMEOUT)
        self.process = None
        return status

    def logged(self, level: str) -> list[dict[str, Any]]:
        """Return the log at a level."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [line for line in lines if line["level"] == level]


def authorization(user_id: str) -> dict[str, str]:
    """Return the header of a user."""
    return {"Authorization": f"Bearer {mint_token(SECRET, user_id, timedelta(hours=1))}"}
