"""A server without a database and with shorter timeouts: tenths of a second instead of seconds."""

import socket

from tests.http.application import make_app

from todo_api.adapters.http.app import HttpConfig
from todo_api.adapters.memory.repository import InMemoryTaskRepository
from todo_api.application.services import Limits
from todo_api.server.protocol import HttpProtocol
from todo_api.server.server import serve
from todo_api.server.sockets import listening, url_of

HOST = "127.0.0.1"

if __name__ == "__main__":
    HttpProtocol.write_timeout = 0.5
    app = make_app(InMemoryTaskRepository(), Limits(event_streams=1), HttpConfig(keep_alive=0.1))
    with listening(HOST, 0) as sockets:
        for one in sockets:  # small, so that the progress of a slow client is visible before megabytes have been sent
            one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65_536)
        url = url_of(sockets, HOST)
        serve(app, sockets, grace=1, on_ready=lambda: print("serving on", url, flush=True))  # noqa: T201
