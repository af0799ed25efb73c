"""A server, without a database, for which time passes faster: what takes seconds elsewhere takes tenths here."""

import socket

from tests.http.application import make_app

from todo_api.adapters.http.app import HttpConfig
from todo_api.adapters.memory.repository import InMemoryTaskRepository
from todo_api.application.services import Limits
from todo_api.server import protocol, serving

HOST = "127.0.0.1"

if __name__ == "__main__":
    protocol.LONGEST_STALL = 0.5
    app = make_app(InMemoryTaskRepository(), Limits(event_streams=1), HttpConfig(keep_alive=0.1))
    with serving.listening(HOST, 0) as sockets:
        for one in sockets:  # what a slow client takes is to be seen at once, and not when megabytes are through
            one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65_536)
        url = serving.url_of(sockets, HOST)
        serving.serve(app, sockets, grace=1, announce=lambda: print("serving on", url, flush=True))  # noqa: T201
