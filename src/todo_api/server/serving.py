"""The HTTP server: sockets that are had before anything else is started, and uvicorn on them."""

import asyncio
import errno
import os
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import uvicorn
from fastapi import FastAPI
from uvicorn.supervisors import multiprocess
from uvicorn.supervisors.multiprocess import Multiprocess, Process

from todo_api.server.protocol import LONGEST_STALL, Protocol
from todo_api.settings import ConfigurationError

BACKLOG = 2048
PATIENCE_WITH_WORKERS = 20  # seconds in which one must answer the supervisor, on a machine where many start at once
KEEP_ALIVE = 75  # seconds: longer than proxies keep idle connections, lest one sends a request as this end hangs up
ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where a client finds such a server


@contextmanager
def listening(host: str, port: int) -> Iterator[list[socket.socket]]:
    """Listening sockets on every address of the host, for as long as the block runs.

    Raises:
        ConfigurationError: the port is taken or reserved, or the host is none of this machine's.
    """
    sockets = _listen(host, port)
    try:
        yield sockets
    finally:
        _close(sockets)


def url_of(sockets: list[socket.socket], host: str) -> str:
    """The address by which a client on this machine finds the sockets."""
    name = ANY_ADDRESS.get(host, host)
    return f"http://{f'[{name}]' if ':' in name else name}:{sockets[0].getsockname()[1]}"


def serve(
    app: FastAPI,
    sockets: list[socket.socket],
    *,
    grace: int,
    announce: Callable[[], None],
) -> None:
    """Serves in this process until SIGINT or SIGTERM, and calls back when it answers.

    Args:
        app: the application.
        sockets: where to accept.
        grace: seconds that requests under way have to end.
        announce: called once, when requests are answered.
    """
    exit_on_sigterm()
    allow_open_files()
    with suppress(KeyboardInterrupt):  # uvicorn has shut down already, and repeats the signal
        Server(_config(app, grace=grace), announce).run(sockets)


def serve_in_workers(
    factory: str, sockets: list[socket.socket], *, workers: int, grace: int, announce: Callable[[], None]
) -> None:
    """Serves in several processes until SIGINT or SIGTERM, and calls back when all of them answer.

    Each calls the factory, `module:function`. One that dies is replaced.

    Raises:
        ConfigurationError: one could not start, having said why; all have ended.
    """
    for one in sockets:
        one.set_inheritable(True)
    allow_open_files()
    supervisor = _Supervisor(_config(factory, workers=workers, grace=grace), sockets, announce)
    supervisor.run()
    if supervisor.has_failed:
        raise ConfigurationError("a worker cannot start, for the reason above")


def exit_on_sigterm() -> None:
    """Lets SIGTERM end the process as if it had come to its end: with clean-up, and successfully."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))


def allow_open_files() -> None:
    """Lets this process, and those that it starts, open as many files as the system allows: each connection is one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # where the system's own word for "any number" is more than it grants
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def end_with(parent: int) -> None:
    """Ends this process, as SIGTERM does, when its parent is not the given process, or not any more."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


class Server(uvicorn.Server):
    """Uvicorn's server, which says when it answers, and leaves nobody at the door."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None] = lambda: None) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._announce()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Takes in who is at the door: the system would reset those connections when the sockets are closed."""
        for one in sockets or []:
            with suppress(BlockingIOError):
                while True:
                    connection, _ = one.accept()
                    await asyncio.get_running_loop().connect_accepted_socket(self._protocol, connection)
        await super().shutdown(sockets)

    def _protocol(self) -> Protocol:
        return Protocol(self.config, self.server_state, self.lifespan.state)


class _Worker(Process):
    def target(self, sockets: list[socket.socket] | None = None) -> None:
        """Called in a process of its own."""
        self._server = Server(self.config)
        super().target(sockets)


multiprocess.Process = _Worker  # type: ignore[misc] # the supervisor cannot be told by other means


class _Supervisor(Multiprocess):
    def __init__(self, config: uvicorn.Config, sockets: list[socket.socket], announce: Callable[[], None]) -> None:
        super().__init__(config, sockets)
        self._announce = announce
        self._is_announced = False
        self._answered: set[int | None] = set()

    def keep_subprocess_alive(self) -> None:
        """Called twice a second."""
        for worker in self.processes:
            worker.child_conn.close()  # which it alone has now: when it ends, nobody waits for its answer
            if worker.pid not in self._answered:
                self._watch_start_of(worker)
        if not self._is_announced and self._answered.issuperset(worker.pid for worker in self.processes):
            self._is_announced = True
            self._announce()
        super().keep_subprocess_alive()

    def terminate_all(self) -> None:
        """Leaves the sockets to the workers: whoever connects after the last has closed them is refused at once."""
        for one in self.sockets:
            one.close()
        super().terminate_all()

    @property
    def has_failed(self) -> bool:
        """Whether a worker has ended before it answered, and not by a signal: others in its place would do so too."""
        return any((worker.exitcode or 0) > 0 for worker in self.processes if worker.pid not in self._answered)

    def _watch_start_of(self, worker: Process) -> None:
        if self.has_failed:
            self.should_exit.set()
        elif worker.is_ready(timeout=1):
            self._answered.add(worker.pid)


def _config(app: FastAPI | str, *, grace: int, workers: int = 1) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        factory=isinstance(app, str),
        workers=workers,
        http=Protocol,
        lifespan="on",
        ws="none",
        backlog=BACKLOG,
        log_config=None,  # logs.py has configured all there is
        access_log=False,  # the application's own tells more, and no more than may be told
        proxy_headers=False,  # the application knows whom to believe
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=grace,
        timeout_worker_healthcheck=PATIENCE_WITH_WORKERS,
    )


def _listen(host: str, port: int) -> list[socket.socket]:
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise ConfigurationError(f"HOST is {host}, which is no address: {error.strerror}") from error
    sockets: list[socket.socket] = []
    for family, _, _, _, address in dict.fromkeys(addresses):
        taken = sockets[0].getsockname()[1] if sockets else port
        try:
            sockets.append(_listen_on(family, (address[0], taken, *address[2:]), alone=len(addresses) == 1))
        except OSError as error:
            # "localhost" often has an IPv6 address that the machine has not.
            if error.errno == errno.EADDRNOTAVAIL and len(addresses) > 1:
                continue
            _close(sockets)
            raise ConfigurationError(_reason(error, host, port)) from error
    if not sockets:
        raise ConfigurationError(f"HOST is {host}, which is no address of this machine")
    return sockets


def _close(sockets: list[socket.socket]) -> None:
    for one in sockets:
        one.close()


def _listen_on(family: int, address: tuple[object, ...], *, alone: bool) -> socket.socket:
    server = socket.socket(family)
    try:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, not alone)
        if sys.platform == "linux":  # a client that has vanished without a word is given up, and so is its stream
            server.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(LONGEST_STALL * 1000))
        server.bind(address)
        server.listen(BACKLOG)  # at once: until it listens, the system lets another process have the port too
    except OSError:
        server.close()
        raise
    return server


def _reason(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"PORT {port} of {host} is taken by another program: set PORT to a free one, such as {port % 65535 + 1}"
    if error.errno == errno.EACCES:
        return f"PORT {port} is reserved for the system: set PORT to 1024 or more"
    return f"HOST is {host} and PORT is {port}: {error.strerror}"
