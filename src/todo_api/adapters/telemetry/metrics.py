"""The metrics of the service, for OpenTelemetry, for Prometheus, for both or for neither.

OpenTelemetry is enabled by the variables of its specification
(https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/), Prometheus by METRICS_PORT.
"""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from todo_api.adapters.telemetry.opentelemetry import OpenTelemetryMetrics
    from todo_api.adapters.telemetry.prometheus import PrometheusMetrics

PROMETHEUS_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"  # set by `serve` if METRICS_PORT is set

Backend: TypeAlias = "OpenTelemetryMetrics | PrometheusMetrics"

_EXPORTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT")


class Metrics:
    """Passes everything to each back end; falsy if there is none. Durations are in seconds."""

    def __init__(self, backends: Sequence[Backend]) -> None:
        self._backends = backends

    def __bool__(self) -> bool:
        return bool(self._backends)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Record a request and the status of its response."""
        for backend in self._backends:
            backend.request(method, route, status, seconds)

    def statement(self, operation: str, seconds: float, error: str | None) -> None:
        """Record a statement of the database, and the type of the error if it failed."""
        for backend in self._backends:
            backend.statement(operation, seconds, error)

    def key_fetch(self, succeeded: bool) -> None:  # noqa: FBT001 - the only argument
        """Record an attempt to fetch the keys that verify tokens."""
        for backend in self._backends:
            backend.key_fetch(succeeded)

    def watch(self, name: str, description: str, read: Callable[[], int]) -> None:
        """Record the value of `read` regularly."""
        for backend in self._backends:
            backend.watch(name, description, read)

    @asynccontextmanager
    async def sampling(self) -> AsyncGenerator[None]:
        """Read the watched values while the block runs."""
        async with AsyncExitStack() as stack:
            for backend in self._backends:
                await stack.enter_async_context(backend.sampling())
            yield


def exports_telemetry(environment: Mapping[str, str]) -> bool:
    """Return whether OpenTelemetry's variables enable traces and metrics."""
    disabled = environment.get("OTEL_SDK_DISABLED", "").lower() == "true"
    return not disabled and any(environment.get(name) for name in _EXPORTS)


def create_metrics(environment: Mapping[str, str]) -> Metrics:
    """Create the back ends that the environment enables. Only their libraries are loaded."""
    backends: list[Backend] = []
    if exports_telemetry(environment):
        from todo_api.adapters.telemetry.opentelemetry import OpenTelemetryMetrics  # noqa: PLC0415

        backends.append(OpenTelemetryMetrics())
    if environment.get(PROMETHEUS_DIRECTORY):
        from todo_api.adapters.telemetry.prometheus import PrometheusMetrics  # noqa: PLC0415

        backends.append(PrometheusMetrics())
    return Metrics(backends)
