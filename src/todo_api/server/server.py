"""A single serving process."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress

import uvicorn
from starlette.types import ASGIApp

from todo_api.server.process import exit_on_sigterm, raise_open_files_limit
from todo_api.server.protocol import HttpProtocol
from todo_api.server.sockets import BACKLOG

KEEP_ALIVE = 75  # seconds: longer than proxies keep idle connections, so that the proxy closes them
HEALTH_CHECK_TIMEOUT = 20  # seconds for a worker to respond to its supervisor, on a machine that starts many at once


class Server(uvicorn.Server):
    """uvicorn's server with a callback when it is ready; it accepts the backlog before it stops."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None] = lambda: None) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept the connections in the backlog, which closing the sockets would reset, and shut down."""
        for one in sockets or []:
            with suppress(BlockingIOError):
                while True:
                    connection, _ = one.accept()
                    await asyncio.get_running_loop().connect_accepted_socket(self._new_protocol, connection)
        for server in self.servers:
            server.close()
        await asyncio.sleep(0)  # let new connections get their protocol, which is then shut down too
        await super().shutdown(sockets)

    def _new_protocol(self) -> HttpProtocol:
        return HttpProtocol(self.config, self.server_state, self.lifespan.state)


def serve(app: ASGIApp, sockets: list[socket.socket], *, grace: int, on_ready: Callable[[], None]) -> None:
    """Serve in this process until SIGINT or SIGTERM.

    Args:
        app: The application.
        sockets: Sockets to accept connections on.
        grace: Seconds that requests in progress have to finish.
        on_ready: Called once, when the server accepts requests.
    """
    exit_on_sigterm()
    raise_open_files_limit()
    with suppress(KeyboardInterrupt):  # uvicorn has shut down, and repeats the signal
        Server(uvicorn_config(app, grace=grace), on_ready).run(sockets)


def uvicorn_config(app: ASGIApp | str, *, grace: int, workers: int = 1) -> uvicorn.Config:
    """Configure uvicorn for an application, or for the name of a factory of applications."""
    return uvicorn.Config(
        app,
        factory=isinstance(app, str),
        workers=workers,
        http=HttpProtocol,
        lifespan="on",
        ws="none",
        backlog=BACKLOG,
        log_config=None,  # logs.py configures logging
        access_log=False,  # the application logs requests
        proxy_headers=False,  # the application knows which proxies to trust
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=grace,
        timeout_worker_healthcheck=HEALTH_CHECK_TIMEOUT,
    )
