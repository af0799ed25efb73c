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
        """A server with nothing in it yet, which does not run yet.

        Raises:
            LocalPostgresError: there is no PostgreSQL here.
        """
        server = cls(data, port, settings)
        server.run("initdb", "-D", data, "--username=postgres", "--encoding=UTF8", "--locale=C", "--auth=trust")
        return server

    @classmethod
    def replicate(cls, primary: "Server", data: Path, port: int) -> Self:
        """A replica of a server that runs; it does not run yet."""
        server = cls(data, port)
        server.run("pg_basebackup", "-D", data, "-d", primary.url, "--write-recovery-conf", "--checkpoint=fast")
        return server

    def run(self, program: str, *arguments: str | Path) -> None:
        """One of PostgreSQL's own programs, as the user whom the data belong to."""
        server_user(self.data).own_directory(self.data)
        with self._log.open("ab") as log:
            status = self._spawn(program, *arguments, log=log).wait(TIMEOUT)
        assert status == 0, self._log.read_text()

    def start(self) -> None:
        """Start it; see `accepts` for when that is done."""
        options = [f"--{name}={value}" for name, value in self.settings.items()]
        with self._log.open("ab") as log:
            self._process = self._spawn("postgres", "-D", self.data, *options, log=log)

    async def accepts(self) -> None:
        """Wait until it takes connections."""
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
        """Start it anew, so that it takes connections to this address from anybody who can reach it."""
        self.kill()
        self.settings["listen_addresses"] += f",{address}"
        with (self.data / "pg_hba.conf").open("a") as access:
            access.write("host all all samenet trust\n")
        self.start()
        await self.accepts()

    def suspend(self) -> None:
        """Have it do nothing any more, until it is killed."""
        for process in self._processes():
            process.suspend()

    def kill(self) -> None:
        """End all of its processes by `kill -9`, as a machine that loses its power would."""
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
        """The first column of what a statement returns, past everything that is under test."""
        connection = await asyncpg.connect(self.url, timeout=5)
        try:
            return [row[0] for row in await connection.fetch(sql, *values)]
        finally:
            await connection.close()

    async def __aenter__(self) -> Self:
        """Start it, and wait until it takes connections."""
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
        """End it and forget its data."""
        self.kill()
        shutil.rmtree(self.data)

    def _processes(self) -> list[psutil.Process]:
        """All of them; the first is suspended, or it would start others in their place."""
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
    """Also where nobody has asked for its exit status yet."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
