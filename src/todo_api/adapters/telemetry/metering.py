"""What is measured while the service runs, for OpenTelemetry and for Prometheus.

Nothing is measured unless somebody asks for it: OpenTelemetry by the variables of its specification
(https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/), Prometheus by METRICS_PORT.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Protocol

from opentelemetry import metrics, trace
from opentelemetry.metrics import CallbackOptions, Observation

from todo_api.application.background import in_background

SAMPLED_EVERY = 1.0  # seconds

# Where the processes of the service keep their numbers for Prometheus; `serve` sets it if METRICS_PORT is set.
PROMETHEUS_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"

_EXPORTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT")


def exports_telemetry(environment: Mapping[str, str]) -> bool:
    """Say whether OpenTelemetry's variables ask for traces and metrics."""
    disabled = environment.get("OTEL_SDK_DISABLED", "").lower() == "true"
    return not disabled and any(environment.get(name) for name in _EXPORTS)


class Meter(Protocol):
    """Counts for somebody who wants to know. Times are in seconds."""

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        ...

    def statement(self, operation: str, seconds: float, error: str | None) -> None:
        """Count a statement that the database has run, or failed to run with this kind of error."""
        ...

    def key_fetch(self, succeeded: bool) -> None:  # noqa: FBT001 - it is all there is to tell
        """Count an attempt to fetch the keys of tokens."""
        ...

    def watch(self, name: str, description: str, read: Callable[[], int]) -> None:
        """Tell from time to time what `read` says."""
        ...

    def sample(self) -> None:
        """Look now at what is watched."""
        ...


class Meters:
    """Several meters as one."""

    def __init__(self, meters: Sequence[Meter]) -> None:
        """Take the meters, of which there may be none."""
        self._meters = meters

    def __bool__(self) -> bool:
        """Say whether anybody wants to know."""
        return bool(self._meters)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """See Meter."""
        for meter in self._meters:
            meter.request(method, route, status, seconds)

    def statement(self, operation: str, seconds: float, error: str | None) -> None:
        """See Meter."""
        for meter in self._meters:
            meter.statement(operation, seconds, error)

    def key_fetch(self, succeeded: bool) -> None:  # noqa: FBT001 - it is all there is to tell
        """See Meter."""
        for meter in self._meters:
            meter.key_fetch(succeeded)

    def watch(self, name: str, description: str, read: Callable[[], int]) -> None:
        """See Meter."""
        for meter in self._meters:
            meter.watch(name, description, read)

    def sampling(self) -> AbstractAsyncContextManager[None]:
        """Look regularly at what is watched, for as long as the block runs."""
        return in_background(self._sample()) if self._meters else nullcontext()

    async def _sample(self) -> None:
        while True:
            for meter in self._meters:
                meter.sample()
            await asyncio.sleep(SAMPLED_EVERY)


class OpenTelemetryMeter:
    """Makes a span of each statement, and the metrics that FastAPI does not make; it makes those of the requests.

    Names are those of the semantic conventions for databases
    (https://opentelemetry.io/docs/specs/semconv/database/database-metrics/), where there are any.
    """

    def __init__(self) -> None:
        """Take what is configured, or will be when the service starts."""
        self._tracer = trace.get_tracer("todo_api")
        self._meter = metrics.get_meter("todo_api")
        self._durations = self._meter.create_histogram("db.client.operation.duration", unit="s")
        self._fetches = self._meter.create_counter("todo_api.key_fetches", description="attempts to fetch the JWK set")

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Do nothing: FastAPI does."""

    def statement(self, operation: str, seconds: float, error: str | None) -> None:
        """Make a span, which has just ended, and count."""
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

    def key_fetch(self, succeeded: bool) -> None:  # noqa: FBT001 - it is all there is to tell
        """Count it."""
        self._fetches.add(1, {"succeeded": succeeded})

    def watch(self, name: str, description: str, read: Callable[[], int]) -> None:
        """Have it read when metrics are exported."""

        def observe(_: CallbackOptions) -> list[Observation]:
            return [Observation(read())]

        self._meter.create_observable_gauge(f"todo_api.{name}", callbacks=[observe], description=description)

    def sample(self) -> None:
        """Do nothing: what is exported is read then."""


def wanted_meters(environment: Mapping[str, str]) -> Meters:
    """Return a meter for each who wants to know, as the environment of this process says."""
    meters: list[Meter] = []
    if exports_telemetry(environment):
        meters.append(OpenTelemetryMeter())
    if environment.get(PROMETHEUS_DIRECTORY):
        from todo_api.adapters.telemetry.prometheus import PrometheusMeter  # noqa: PLC0415 - not loaded where it is not wanted

        meters.append(PrometheusMeter())
    return Meters(meters)
