"""Metrics and spans for OpenTelemetry."""

import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext

from opentelemetry import metrics, trace
from opentelemetry.metrics import Observation


class OpenTelemetryMetrics:
    """Records what FastAPI does not. FastAPI records the spans and the metrics of requests.

    Names follow the semantic conventions for databases:
    https://opentelemetry.io/docs/specs/semconv/database/database-metrics/
    """

    def __init__(self) -> None:
        self._tracer = trace.get_tracer("todo_api")
        self._meter = metrics.get_meter("todo_api")
        self._durations = self._meter.create_histogram("db.client.operation.duration", unit="s")
        self._fetches = self._meter.create_counter("todo_api.key_fetches", description="attempts to fetch the JWK set")

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Do nothing; FastAPI records requests."""

    def statement(self, operation: str, seconds: float, error: str | None) -> None:
        """Record the duration, and a span that ends now."""
        attributes = {"db.system.name": "postgresql", "db.operation.name": operation}
        if error:
            attributes["error.type"] = error
        self._durations.record(seconds, attributes)
        end = time.time_ns()
        start = end - int(seconds * 1e9)
        span = self._tracer.start_span(operation, kind=trace.SpanKind.CLIENT, attributes=attributes, start_time=start)
        if error:
            span.set_status(trace.StatusCode.ERROR)
        span.end(end)

    def key_fetch(self, succeeded: bool) -> None:  # noqa: FBT001 - the only argument
        self._fetches.add(1, {"succeeded": succeeded})

    def watch(self, name: str, description: str, read: Callable[[], int]) -> None:
        callbacks = [lambda _: [Observation(read())]]
        self._meter.create_observable_gauge(f"todo_api.{name}", callbacks, description=description)

    def sampling(self) -> AbstractAsyncContextManager[None]:
        """Do nothing; each export reads the values."""
        return nullcontext()
