"""A PostgreSQL of one's own: no Docker, no root, no system service.

    with open_server(Path(".data/postgres")) as url:
        ...

Every process that uses a data directory holds a shared lock on a file beside it. One supervisor process per directory
owns the server, and stops it as soon as it gets that lock alone. The kernel drops a process's locks however it ends, so
neither `kill -9` nor a crash leaves a server behind, and any number of processes share one server without a count.
"""

from todo_api.dev.postgres.binaries import LocalPostgresError
from todo_api.dev.postgres.server import open_server

__all__ = ["LocalPostgresError", "open_server"]
