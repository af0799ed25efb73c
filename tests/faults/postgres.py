"""A durable PostgreSQL that can be killed."""

import asyncio
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import asyncpg
import psutil
from tests.e2e.programs import migrate

from todo_api.dev.postgres.binaries import find_binaries
from todo_api.dev.postgres.unprivileged import before_exec, server_user

TIMEOUT = 60.0
NOT_YET = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


class Server:
    """A data directory and its server, on a port of this machine, durable as PostgreSQL is by default."""

    def __init__(self, data: Path, port: int, settings: Mapping[str, str] | None = None) -> None:
        self.data = data
        self.port = port
        self.url = f"postgresql://postgres@127.0.0.1:{port}/postgres?sslmode=disable"
        self.settings = {"listen_addresses": "127.0.0.1", "port": str(port), "unix_socket_directories": ""}
        self.settings |= settings or {}
        self._process: subprocess.Popen[bytes] | None = None
        self._log = data.with_name(f"{data.name}.log")

    @classmethod
    def make(cls, data: Path, port: int, **settings: str) -> Self:
        """Create an empty server without starting it.

        Raises:
            LocalPostgresError: there is no PostgreSQL here.
        """
        server = cls(data, port, settings)
        server.run("initdb", "-D", data, "--username=postgres", "--encoding=UTF8", "--locale=C", "--auth=trust")
        return server

    @classmethod
    def replicate(cls, primary: "Server", data: Path, port: int) -> Self:
        """Create a replica of a running server without starting it."""
        server = cls(data, port)
        server.run("pg_basebackup", "-D", data, "-d", primary.url, "--write-recovery-conf", "--checkpoint=fast")
        return server

    def run(self, program: str, *arguments: str | Path) -> None:
        """Run one of PostgreSQL's programs as the owner of the data."""
        server_user(self.data).own_directory(self.data)
        with self._log.open("ab") as log:
            status = self._spawn(program, *arguments, log=log).wait(TIMEOUT)
        assert status == 0, self._log.read_text()

    def start(self) -> None:
        """Start the server; `accepts` waits until it is ready."""
        options = [f"--{name}={value}" for name, value in self.settings.items()]
        with self._log.open("ab") as log:
            self._process = self._spawn("postgres", "-D", self.data, *options, log=log)

    async def accepts(self) -> None:
        """Wait until it accepts connections."""
        async with asyncio.timeout(TIMEOUT):
            while True:
                try:
                    await self.fetch("SELECT 1")
                except NOT_YET:
                    assert self._process
                    assert self._process.poll() is None, self._log.read_text()
                    await asyncio.sleep(0.01)
                else:
                    return

    async def configure(self, **settings: str) -> None:
        """Change settings while it runs."""
        for name, value in settings.items():
            await self.fetch(f"ALTER SYSTEM SET {name} = '{value}'")
        await self.fetch("SELECT pg_reload_conf()")

    async def listen_also(self, address: str) -> None:
        """Restart it, so that it accepts connections to this address from any reachable client."""
        self.kill()
        self.settings["listen_addresses"] += f",{address}"
        with (self.data / "pg_hba.conf").open("a") as access:
            access.write("host all all samenet trust\n")
        self.start()
        await self.accepts()

    def suspend(self) -> None:
        """Suspend it until it is killed."""
        for process in self._processes():
            process.suspend()

    def kill(self) -> None:
        """Kill all of its processes with `kill -9`, as in a power failure."""
        if self._process is None:
            return
        processes = self._processes()
        for process in processes:
            process.kill()
        self._process.wait()
        while not all(map(_is_over, processes)):
            time.sleep(0.005)
        self._process = None

    async def migrate(self) -> None:
        await asyncio.to_thread(migrate, self.url)

    async def fetch(self, sql: str, *values: object) -> list[Any]:
        """Return the first column of a statement's result, on a connection that does not use the tested code."""
        connection = await asyncpg.connect(self.url, timeout=5)
        try:
            return [row[0] for row in await connection.fetch(sql, *values)]
        finally:
            await connection.close()

    async def __aenter__(self) -> Self:
        """Start it, and wait until it accepts connections."""
        self.start()
        try:
            await self.accepts()
        except BaseException:
            self.kill()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it and delete its data."""
        self.kill()
        shutil.rmtree(self.data)

    def _processes(self) -> list[psutil.Process]:
        """Return all processes. The first is suspended, otherwise it would replace the others."""
        assert self._process
        postmaster = psutil.Process(self._process.pid)
        postmaster.suspend()
        return [postmaster, *postmaster.children(recursive=True)]

    def _spawn(self, program: str, *arguments: str | Path, log: Any) -> subprocess.Popen[bytes]:
        binary = find_binaries().directory / program
        user = server_user(self.data)
        return subprocess.Popen(
            [binary, *arguments],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
            preexec_fn=before_exec(user, [binary, self.data]),  # noqa: PLW1509 - it calls the system and no more
        )  # fmt: skip


def _is_over(process: psutil.Process) -> bool:
    """Return whether the process has exited, even if its exit status has not been read."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
