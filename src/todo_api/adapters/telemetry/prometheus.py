"""Metrics for Prometheus, for all processes of the service together, on a separate port.

Each process writes its metrics into files of one directory, which `serve` aggregates when they are scraped:
https://prometheus.github.io/client_python/multiprocess/. The library reads the directory's name from the environment
when it is imported, so set it before importing this module.
"""

import asyncio
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from todo_api.application.background import in_background

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SAMPLE_INTERVAL = 1.0  # seconds


class PrometheusMetrics:
    """Writes the metrics of this process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Histogram(
            "todo_api_request_seconds", "Duration of requests in seconds",
            ("method", "route", "status"), buckets=_BUCKETS, registry=self._registry,
        )  # fmt: skip
        self._statements = Histogram(
            "todo_api_statement_seconds", "Duration of statements in seconds, as the database took",
            ("operation", "error"), buckets=_BUCKETS, registry=self._registry,
        )  # fmt: skip
        self._fetches = Counter(
            "todo_api_key_fetches", "Attempts to fetch the JWK set", ("succeeded",), registry=self._registry
        )
        self._watched: list[tuple[Gauge, Callable[[], int]]] = []

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        self._requests.labels(method, route, status).observe(seconds)

    def statement(self, operation: str, seconds: float, error: str | None) -> None:
        self._statements.labels(operation, error or "").observe(seconds)

    def key_fetch(self, succeeded: bool) -> None:  # noqa: FBT001 - the only argument
        self._fetches.labels(str(succeeded).lower()).inc()

    def watch(self, name: str, description: str, read: Callable[[], int]) -> None:
        """Record the value at each sample, summed over the processes that run."""
        gauge = Gauge(f"todo_api_{name}", description, registry=self._registry, multiprocess_mode="livesum")
        self._watched.append((gauge, read))

    def sampling(self) -> AbstractAsyncContextManager[None]:
        return in_background(self._sample())

    async def _sample(self) -> None:
        while True:
            for gauge, read in self._watched:
                gauge.set(read())
            await asyncio.sleep(_SAMPLE_INTERVAL)


@contextmanager
def serving_metrics(directory: str, host: str, port: int) -> Iterator[None]:
    """Serve the metrics of all processes that write into the directory.

    Raises:
        OSError: The address cannot be listened on.
    """
    registry = CollectorRegistry()
    registry.register(_LiveProcessCollector(directory))
    server, thread = start_http_server(port, host, registry)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _LiveProcessCollector(Collector):
    """Aggregates all processes, without the gauges of processes that have ended."""

    def __init__(self, directory: str) -> None:
        self._directory = Path(directory)
        self._all = MultiProcessCollector(None, directory)  # type: ignore[no-untyped-call] # the library's

    def collect(self) -> Iterable[Metric]:
        for file in self._directory.glob("gauge_live*.db"):
            pid = file.stem.rpartition("_")[2]
            if not _is_running(int(pid)):
                mark_process_dead(pid, str(self._directory))  # type: ignore[no-untyped-call] # the library's
        found: Iterable[Metric] = self._all.collect()  # type: ignore[no-untyped-call] # the library's
        return found


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
