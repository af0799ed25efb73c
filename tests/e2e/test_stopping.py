"""A server that stops while a connection is in the backlog."""

import socket

import uvicorn
from tests.http.application import make_app

from todo_api.adapters.memory.repository import InMemoryTaskRepository
from todo_api.server.protocol import HttpProtocol
from todo_api.server.server import Server
from todo_api.server.sockets import listening

HOST = "127.0.0.1"


async def test_connections_in_the_backlog_are_served_before_the_stop() -> None:
    config = uvicorn.Config(make_app(InMemoryTaskRepository()), http=HttpProtocol, log_config=None)
    config.load()
    with listening(HOST, 0) as sockets:
        server = Server(config)
        server.lifespan = config.lifespan_class(config)
        await server.startup(sockets)
        with socket.create_connection(sockets[0].getsockname(), timeout=10) as client:
            client.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            await server.shutdown(sockets)  # the event loop has not accepted the connection
            response = client.recv(65536)
        assert response.startswith(b"HTTP/1.1 200 ")
        assert b"connection: close\r\n" in response
