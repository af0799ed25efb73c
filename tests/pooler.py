"""PgBouncer in transaction mode, where the next statement may run on another connection to the server."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit, urlunsplit

from tests.ports import unused_port

from todo_api.dev.postgres.unprivileged import before_exec, server_user

PGBOUNCER = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
MISSING = "there is no pgbouncer on this machine: install it (apt install pgbouncer)"

_servers: dict[str, str] = {}  # behind the poolers, by the poolers' host and port


def direct(url: str) -> str:
    """Return the URL of the same database without the pooler."""
    parts = urlsplit(url)
    server = _servers.get(parts.netloc.rpartition("@")[2])
    return urlunsplit(urlsplit(server)._replace(path=parts.path)) if server else url


@contextmanager
def open_pooler(server: str, directory: Path, *, connections: int) -> Iterator[str]:
    """Run a pooler with so many server connections while the block runs; yield the URL through it."""
    assert PGBOUNCER
    port = unused_port()
    file = directory / f"pgbouncer-{port}.ini"
    file.write_text(_configuration(server, port, connections))
    sockets = parse_qs(urlsplit(server).query).get("host", [])
    process = subprocess.Popen(
        [PGBOUNCER, "-q", file],
        stderr=subprocess.DEVNULL,
        preexec_fn=before_exec(server_user(Path("/nowhere")), [file, *map(Path, sockets)]),  # noqa: PLW1509 - see there
    )
    parts = urlsplit(server)
    place = f"127.0.0.1:{port}"
    _servers[place] = server
    try:
        _wait_for(port)
        yield urlunsplit(parts._replace(netloc=f"pooled@{place}", query="sslmode=disable"))
    finally:
        del _servers[place]
        process.terminate()
        process.wait()


def _configuration(server: str, port: int, connections: int) -> str:
    parts = urlsplit(server)
    query = parse_qs(parts.query)
    host = query.get("host", [parts.hostname])[0]
    login = f"user={unquote(parts.username or 'postgres')}"
    if parts.password:
        login += f" password={unquote(parts.password)}"
    return f"""
[databases]
* = host={host} port={query.get("port", [parts.port or 5432])[0]} {login}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {connections}
max_client_conn = 500
logfile =
"""


def _wait_for(port: int) -> None:
    end = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            assert time.monotonic() < end, "the pooler does not come up"
            time.sleep(0.02)
        else:
            return
