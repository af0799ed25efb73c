"""An embedded PostgreSQL, without Docker, root or a system service.

    with open_server(Path(".data/postgres")) as url:
        ...

Each process that uses a data directory holds a shared lock on a file beside it. One supervisor process per directory
owns the server, and stops it as soon as it gets the lock exclusively. The kernel releases the locks of a process
however it exits, so `kill -9` and crashes leave no server behind. Any number of processes can share a server.
"""

from todo_api.dev.postgres.binaries import LocalPostgresError
from todo_api.dev.postgres.server import open_server

__all__ = ["LocalPostgresError", "open_server"]
