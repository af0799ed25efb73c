"""What `todo_api.server` relies on in uvicorn; run this before raising the upper bound of its version.

All of it is public, but uvicorn's documentation does not guarantee it.
"""

import asyncio
import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import httptools
import pytest
import uvicorn
from packaging.specifiers import SpecifierSet
from starlette.responses import PlainTextResponse
from tests.deploy.test_locks import PYPROJECT
from uvicorn.config import STARTUP_FAILURE
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState
from uvicorn.supervisors.multiprocess import Multiprocess, Process

from todo_api.server.protocol import HttpProtocol
from todo_api.server.server import Server, uvicorn_config
from todo_api.server.workers import Supervisor, Worker

SOURCE = Path(__file__).parents[2] / "src" / "todo_api" / "server"
OVERRIDDEN = [
    (Server, uvicorn.Server, {"startup", "shutdown"}),
    (Worker, Process, {"target", "server"}),
    (
        Supervisor,
        Multiprocess,
        {"init_processes", "keep_subprocess_alive", "restart_all", "handle_ttin", "terminate_all"},
    ),
    (
        HttpProtocol,
        HttpToolsProtocol,
        {
            *("connection_made", "connection_lost", "data_received", "pause_writing", "resume_writing"),
            *("on_message_begin", "on_headers_complete", "on_message_complete", "send_400_response", "shutdown"),
        },
    ),
]


def test_the_installed_version_is_the_one_that_is_allowed() -> None:
    [specifier] = [text.removeprefix("uvicorn") for text in PYPROJECT["project"]["dependencies"] if "uvicorn" in text]
    assert "<" in specifier
    assert version("uvicorn") in SpecifierSet(specifier)


def test_the_server_uses_no_private_name_and_patches_no_module() -> None:
    text = "\n".join(path.read_text() for path in SOURCE.glob("*.py"))
    assert "uvicorn._" not in text
    assert "multiprocess.Process =" not in text
    public = {name for _, base, names in OVERRIDDEN for name in names if not name.startswith("_")}
    assert {name for _, _, names in OVERRIDDEN for name in names} == public


@pytest.mark.parametrize(("ours", "theirs", "names"), OVERRIDDEN, ids=lambda one: getattr(one, "__name__", ""))
def test_every_method_that_is_overridden_exists(ours: type, theirs: type, names: set[str]) -> None:
    own = {name for name in vars(ours) if not name.startswith("_") and name in dir(theirs)}
    assert own == names
    for name in names:
        before, after = getattr(theirs, name), getattr(ours, name)
        if callable(before):
            assert list(inspect.signature(before).parameters) == list(inspect.signature(after).parameters)


async def respond(scope: object, receive: object, send: object) -> None:
    await PlainTextResponse("x")(scope, receive, send)  # type: ignore[arg-type]


class Transport(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


@contextmanager
def connection() -> Iterator[tuple[HttpToolsProtocol, Transport, ServerState]]:
    config = uvicorn_config(respond, grace=1)
    config.load()
    state = ServerState()
    protocol = HttpToolsProtocol(config, state, {"key": "value"})
    transport = Transport()
    protocol.connection_made(transport)
    yield protocol, transport, state
    protocol.connection_lost(None)


async def test_a_connection_has_the_attributes_that_are_read() -> None:
    with connection() as (protocol, transport, state):
        assert protocol.transport is transport
        assert protocol.connections is state.connections
        assert protocol in protocol.connections
        assert protocol.app_state == {"key": "value"}
        assert protocol.loop is asyncio.get_running_loop()
        initially: list[object] = [protocol.cycle, protocol.timeout_keep_alive_task]
        assert initially == [None, None]
        protocol.data_received(b"GET / HTTP/1.1\r\nHost: x\r\nA")
        assert protocol.headers == [(b"host", b"x")]
        protocol.data_received(b": x\r\n\r\n")
        assert protocol.cycle.response_complete is False
        assert protocol.cycle.keep_alive is True
        await asyncio.gather(*state.tasks)
        assert protocol.cycle.response_complete
        assert protocol.timeout_keep_alive == uvicorn_config(respond, grace=1).timeout_keep_alive
        assert protocol.timeout_keep_alive_task.when() > asyncio.get_running_loop().time() + 60
        protocol.timeout_keep_alive_handler()
        assert transport.closed
    assert protocol not in state.connections


async def test_keep_alive_of_a_cycle_decides_whether_the_connection_is_closed() -> None:
    with connection() as (protocol, transport, state):
        protocol.data_received(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        protocol.cycle.keep_alive = False
        await asyncio.gather(*state.tasks)
        assert b"connection: close\r\n" in transport.written
        assert transport.closed


async def test_an_error_of_a_callback_ends_the_parsing_as_a_bad_request() -> None:
    class Failing(HttpToolsProtocol):
        def on_headers_complete(self) -> None:
            raise ValueError

    config = uvicorn_config(respond, grace=1)
    config.load()
    protocol, transport = Failing(config, ServerState(), {}), Transport()
    protocol.connection_made(transport)
    protocol.data_received(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert transport.written.startswith(b"HTTP/1.1 400 ")
    assert issubclass(httptools.HttpParserCallbackError, httptools.HttpParserError)


def test_a_worker_tells_its_supervisor_whether_it_is_ready() -> None:
    worker = Worker(uvicorn_config("nothing:here", workers=2, grace=1), [])
    assert isinstance(worker, Process)
    assert worker.exitcode is None
    assert worker.is_alive(timeout=0) is False
    assert worker.is_ready(timeout=0) is False
    worker.parent_conn.close()
    worker.child_conn.close()


def test_a_start_that_failed_has_a_status_of_its_own() -> None:
    assert STARTUP_FAILURE not in (0, 1)


def test_a_server_has_the_attributes_that_its_shutdown_reads() -> None:
    server = Server(uvicorn_config(respond, grace=1))
    server.config.load()
    assert server.config.lifespan_class(server.config).state == {}
    assert server.server_state.connections == set()
