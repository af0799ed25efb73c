"""An unusable database raises the error of the port, in time and without the password."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from tests.domain.builders import NOW, a_task
from tests.postgres.proxy import Proxy, open_proxy
from tests.postgres.running import Service

from todo_api.domain.errors import RepositoryUnavailableError
from todo_api.domain.listing import TaskQuery

Connect = Callable[..., Service]


async def assert_unavailable(service: Service) -> None:
    repository = service.tasks
    task = a_task("nobody")
    for call in (
        repository.check(),
        repository.get("nobody", task.id),
        repository.page("nobody", TaskQuery()),
        repository.add(task),
        repository.save(task),
        repository.remove("nobody", task.id, now=NOW),
    ):
        with pytest.raises(RepositoryUnavailableError) as refusal:
            async with asyncio.timeout(2):
                await call
        assert "secret" not in str(refusal.value)


async def test_a_closed_port(connect: Connect, unused_port: int) -> None:
    await assert_unavailable(connect(f"postgresql://ada:secret@127.0.0.1:{unused_port}/todo"))


async def test_a_missing_socket(connect: Connect, tmp_path: Path) -> None:
    await assert_unavailable(connect(f"postgresql:///todo?host={tmp_path}&user=ada"))


async def test_a_missing_database(connect: Connect, server_url: str) -> None:
    await assert_unavailable(connect(urlunsplit(urlsplit(server_url)._replace(path="/missing_database"))))


async def test_a_database_without_the_tables(connect: Connect, fresh_database: str) -> None:
    await assert_unavailable(connect(fresh_database))


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("28P01", 'password authentication failed for user "ada"'),
        ("28000", "no pg_hba.conf entry"),
        ("3D000", "database does not exist"),
        ("53300", "sorry, too many clients already"),
        ("57P03", "the database system is starting up"),
        ("57P01", "terminating connection due to administrator command"),
        ("08P01", "server login has been failing, try again later"),  # as PgBouncer says it
        (None, "hangs up"),
    ],
)
async def test_a_server_that_refuses(
    connect: Connect, caplog: pytest.LogCaptureFixture, code: str | None, message: str
) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1024)
        if code:
            fields = b"".join(
                f"{kind}{text}\0".encode() for kind, text in zip("SVCM", ("FATAL", "FATAL", code, message), strict=True)
            )
            writer.write(b"E" + (len(fields) + 5).to_bytes(4) + fields + b"\0")
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        with caplog.at_level(logging.WARNING):
            await assert_unavailable(connect(f"postgresql://ada:secret@127.0.0.1:{port}/todo?sslmode=disable"))
    assert caplog.records
    assert "secret" not in caplog.text


async def test_a_server_that_never_responds(connect: Connect) -> None:
    silence = asyncio.Event()

    async def say_nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await silence.wait()
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        await assert_unavailable(connect(f"postgresql://ada:secret@127.0.0.1:{port}/todo", connect_timeout=0.1))
        silence.set()


async def test_a_server_that_comes_back_is_used_again(connect: Connect, database_url: str, unused_port: int) -> None:
    service = connect(Proxy(database_url, unused_port).url)
    repository = service.tasks
    for _ in range(2):
        with pytest.raises(RepositoryUnavailableError):
            await repository.check()
        async with open_proxy(database_url, unused_port):
            await repository.check()
