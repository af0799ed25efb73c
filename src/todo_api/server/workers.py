"""Several processes that serve on the same sockets."""

import socket
import sys
from collections.abc import Callable
from typing import NoReturn

import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors.multiprocess import Multiprocess, Process

from todo_api.server.process import raise_open_files_limit
from todo_api.server.server import Server, uvicorn_config
from todo_api.server.sockets import ServerStartError


def serve_in_workers(
    factory: str, sockets: list[socket.socket], *, workers: int, grace: int, on_ready: Callable[[], None]
) -> None:
    """Serve in several processes until SIGINT or SIGTERM, and replace a process that dies.

    Args:
        factory: The function that creates the application in each process, as `module:function`. It calls `give_up` if
            a retry would fail too.
        sockets: Sockets to accept connections on.
        workers: The number of processes.
        grace: Seconds that requests in progress have to finish.
        on_ready: Called once, when all processes accept requests.

    Raises:
        ServerStartError: A worker has given up; all are stopped.
    """
    for one in sockets:
        one.set_inheritable(True)
    raise_open_files_limit()
    supervisor = Supervisor(uvicorn_config(factory, workers=workers, grace=grace), sockets, on_ready)
    supervisor.run()
    if supervisor.has_failed:
        raise ServerStartError("a worker cannot start, for the reason above")


def give_up(reason: str) -> NoReturn:
    """Stop this worker, the supervisor and all other workers."""
    sys.stderr.write(f"{reason}\n")
    sys.exit(STARTUP_FAILURE)


class Worker(Process):
    """uvicorn's worker process, with the server of this package."""

    def target(self, sockets: list[socket.socket] | None = None) -> None:
        self._our_server = Server(self.config)  # before the thread that responds to pings needs it
        super().target(sockets)

    @property
    def server(self) -> Server:
        return self._our_server


class Supervisor(Multiprocess):
    """uvicorn's supervisor of workers, which calls back when all of them serve."""

    def __init__(self, config: uvicorn.Config, sockets: list[socket.socket], on_ready: Callable[[], None]) -> None:
        super().__init__(config, sockets)
        self.has_failed = False
        self._on_ready: Callable[[], None] | None = on_ready

    def init_processes(self) -> None:
        self.processes = [self._start_worker() for _ in range(self.processes_num)]

    def keep_subprocess_alive(self) -> None:
        """Replace workers that have ended or do not respond; uvicorn calls this twice a second."""
        for index, worker in enumerate(self.processes):
            if worker.is_alive(self.config.timeout_worker_healthcheck):
                continue
            worker.kill()
            worker.join()
            if worker.exitcode == STARTUP_FAILURE:
                self.has_failed = True
                self.should_exit.set()
                return
            self.processes[index] = self._start_worker()
        if self._on_ready and all(worker.is_ready() for worker in self.processes):
            self._on_ready()
            self._on_ready = None

    def restart_all(self) -> None:
        """Replace the workers one by one, on SIGHUP."""
        for index, old in enumerate(self.processes):
            new = self._start_worker()
            if not new.wait_until_ready(self.config.timeout_worker_healthcheck, self.should_exit):
                new.kill()
                new.join()
                return
            old.terminate()
            old.join()
            self.processes[index] = new

    def handle_ttin(self) -> None:
        self.processes_num += 1
        self.processes.append(self._start_worker())

    def terminate_all(self) -> None:
        """Close the sockets here first, so that new connections are refused once the last worker closes them."""
        for one in self.sockets:
            one.close()
        super().terminate_all()

    def _start_worker(self) -> Worker:
        worker = Worker(self.config, self.sockets)
        worker.start()
        worker.child_conn.close()  # the worker has the only copy: a ping fails as soon as it exits
        return worker
