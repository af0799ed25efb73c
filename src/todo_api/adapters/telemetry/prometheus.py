"""The metrics for Prometheus, on a port of their own, for all processes of the service together.

The processes keep their numbers in files of a directory, and the one that started them adds these up when it is asked:
https://prometheus.github.io/client_python/multiprocess/. The library looks for the directory's name in the environment
when it is imported, so nothing imports this module before that is there.
"""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class PrometheusMeter:
    """Counts in the files of this process."""

    def __init__(self) -> None:
        """Prepare the files, in the directory that the environment names."""
        self._registry = CollectorRegistry()
        self._requests = Histogram(
            "todo_api_request_seconds", "Requests, by the seconds that they took",
            ("method", "route", "status"), buckets=_BUCKETS, registry=self._registry,
        )  # fmt: skip
        self._statements = Histogram(
            "todo_api_statement_seconds", "Statements, by the seconds that the database took for them",
            ("operation", "error"), buckets=_BUCKETS, registry=self._registry,
        )  # fmt: skip
        self._fetches = Counter(
            "todo_api_key_fetches", "Attempts to fetch the JWK set", ("succeeded",), registry=self._registry
        )
        self._watched: list[tuple[Gauge, Callable[[], int]]] = []

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count it."""
        self._requests.labels(method, route, status).observe(seconds)

    def statement(self, operation: str, seconds: float, error: str | None) -> None:
        """Count it."""
        self._statements.labels(operation, error or "").observe(seconds)

    def key_fetch(self, succeeded: bool) -> None:  # noqa: FBT001 - it is all there is to tell
        """Count it."""
        self._fetches.labels(str(succeeded).lower()).inc()

    def watch(self, name: str, description: str, read: Callable[[], int]) -> None:
        """Write it down at each sample; those of all processes that live are added up."""
        gauge = Gauge(f"todo_api_{name}", description, registry=self._registry, multiprocess_mode="livesum")
        self._watched.append((gauge, read))

    def sample(self) -> None:
        """Write down what is watched."""
        for gauge, read in self._watched:
            gauge.set(read())


class Exposition:
    """Answers Prometheus for all processes that keep their numbers in a directory."""

    def __init__(self, directory: str, host: str, port: int) -> None:
        """Listen there, or raise OSError."""
        registry = CollectorRegistry()
        registry.register(_OfTheLiving(directory))
        self._server, self._thread = start_http_server(port, host, registry)

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _OfTheLiving(Collector):
    """Adds up what the processes counted; how much there is of something right now, only those that still run know."""

    def __init__(self, directory: str) -> None:
        self._directory = Path(directory)
        self._all = MultiProcessCollector(None, directory)  # type: ignore[no-untyped-call] # the library's

    def collect(self) -> Iterable[Metric]:
        for file in self._directory.glob("gauge_live*.db"):
            pid = file.stem.rpartition("_")[2]
            if not _runs(int(pid)):
                mark_process_dead(pid, str(self._directory))  # type: ignore[no-untyped-call] # the library's
        found: Iterable[Metric] = self._all.collect()  # type: ignore[no-untyped-call] # the library's
        return found


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
