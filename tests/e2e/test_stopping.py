"""A server that stops in the very moment in which somebody has connected."""

import socket

import uvicorn
from tests.http.application import make_app

from todo_api.adapters.memory.repository import InMemoryTaskRepository
from todo_api.server.protocol import HttpProtocol
from todo_api.server.server import Server
from todo_api.server.sockets import listening

HOST = "127.0.0.1"


async def test_who_waits_at_the_door_is_taken_in() -> None:
    config = uvicorn.Config(make_app(InMemoryTaskRepository()), http=HttpProtocol, log_config=None)
    config.load()
    with listening(HOST, 0) as sockets:
        server = Server(config)
        server.lifespan = config.lifespan_class(config)
        await server.startup(sockets)
        with socket.create_connection(sockets[0].getsockname(), timeout=10) as client:
            client.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            await server.shutdown(sockets)  # the connection is in the queue: the loop has had no turn to accept it
            answer = client.recv(65536)
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b"connection: close\r\n" in answer
