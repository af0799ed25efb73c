"""Metrics and traces as OpenTelemetry's collector and Prometheus receive them."""

import http.server
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from threading import Thread
from typing import Any

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client.parser import text_string_to_metric_families
from tests.e2e.programs import SECRET, Eventually, Running, Start, environment, migrate

from todo_api.dev.postgres import open_server
from todo_api.dev.token import mint_token

PRIVATE = "a title that is nobody's business"
HEADERS = {"Authorization": f"Bearer {mint_token(SECRET, 'alice', timedelta(hours=1))}"}
SIGNED = jwt.encode({"sub": "alice", "exp": 4_000_000_000}, Ed25519PrivateKey.generate(), "EdDSA", {"kid": "1"})
OF_A_KEY = {"Authorization": f"Bearer {SIGNED}"}  # which has to be fetched


class Collector(http.server.ThreadingHTTPServer):
    """Receives OTLP over HTTP."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Receiver)
        self.received: list[tuple[str, bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def spans(self) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = {}
        for path, body in self.received:
            if path == "/v1/traces":
                for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                    for scope in resource.scope_spans:
                        for span in scope.spans:
                            found.setdefault(span.name, []).append(span)
        return found

    def metrics(self) -> set[str]:
        bodies = [body for path, body in self.received if path == "/v1/metrics"]
        return {
            metric.name
            for body in bodies
            for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }


class Receiver(http.server.BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") != "gzip":
            self.server.received.append((self.path, body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with open_server(tmp_path_factory.mktemp("pg"), durable=False) as url:
        migrate(url)
        yield url


def use(running: Running) -> None:
    with httpx2.Client(base_url=running.url, headers=HEADERS, timeout=30) as client:
        task = client.post("/api/tasks", json={"title": PRIVATE}).json()
        assert client.get(f"/api/tasks/{task['id']}").status_code == 200
        assert client.get("/api/tasks", params={"cursor": PRIVATE}).status_code == 400


def test_traces_and_metrics_are_exported_as_the_standard_variables_say(
    start: Start, database: str, collector: Collector
) -> None:
    running = start(
        "serve", until="serving on",
        DATABASE_URL=database, BETTER_AUTH_SECRET=SECRET, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
        BETTER_AUTH_JWKS_URL=f"{collector.url}/no-keys-here",
    )  # fmt: skip
    use(running)
    assert httpx2.get(f"{running.url}/api/tasks", headers=OF_A_KEY, timeout=30).status_code == 503
    status, log = running.end(signal.SIGTERM)
    assert status == 0
    spans = collector.spans()
    (request,) = spans["GET /api/tasks/{task_id}"]
    (statement,) = (span for span in spans["SELECT"] if span.trace_id == request.trace_id)
    assert statement.start_time_unix_nano >= request.start_time_unix_nano
    assert statement.end_time_unix_nano <= request.end_time_unix_nano
    assert request.trace_id.hex() in log  # the same in the lines of the log
    expected = {"http.server.request.duration", "db.client.operation.duration", "todo_api.key_fetches"}
    gauges = {"todo_api.database_connections_in_use", "todo_api.database_callers_waiting", "todo_api.event_streams"}
    assert collector.metrics() >= expected | gauges
    assert PRIVATE.encode() not in b"".join(body for _, body in collector.received)
    assert b"nobody" not in b"".join(body for _, body in collector.received)


def test_a_missing_collector_does_not_delay_the_stop_for_long(start: Start, database: str) -> None:
    running = start(
        "serve", until="serving on",
        DATABASE_URL=database, BETTER_AUTH_SECRET=SECRET, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1",
    )  # fmt: skip
    use(running)
    status, _ = running.end(signal.SIGTERM)  # which sleeps for 15 seconds; by default, the exporter retries for 20
    assert status == 0


def test_no_library_of_metrics_is_loaded_by_default() -> None:
    program = """
import sys
from todo_api.main import create_app
from todo_api.settings import Settings
create_app(Settings(_env_file=None, DATABASE_URL="postgresql:///d", better_auth_secret="x" * 40))
print([name for name in sys.modules if name.startswith(("prometheus_client", "opentelemetry.sdk"))])
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment())
    assert ran.stdout == "[]\n"


@pytest.mark.parametrize("workers", ["1", "2"])
def test_prometheus_gets_the_sum_of_all_processes(
    start: Start, database: str, workers: str, eventually: Eventually
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    running = start(
        "serve", until="serving on",
        DATABASE_URL=database, BETTER_AUTH_SECRET=SECRET, WORKERS=workers, METRICS_PORT=str(port),
        BETTER_AUTH_JWKS_URL="http://127.0.0.1:1/no-keys-here",
    )  # fmt: skip

    def samples() -> dict[str, float]:
        text = httpx2.get(f"http://127.0.0.1:{port}/metrics").text
        found = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
        return {f"{sample.name} {sample.labels.get('route', '')}".strip(): sample.value for sample in found}

    for _ in range(20):  # each on a connection of its own, so that each process gets some
        assert httpx2.get(f"{running.url}/api/tasks", headers=HEADERS, timeout=30).status_code == 200
    assert samples()["todo_api_request_seconds_count /api/tasks"] == 20
    eventually(lambda: "todo_api_event_streams" in samples())
    assert samples()["todo_api_statement_seconds_count"] >= 20
    assert httpx2.get(f"{running.url}/api/tasks", headers=OF_A_KEY, timeout=30).status_code == 503
    assert samples()["todo_api_key_fetches_total"] >= 1
    assert running.end(signal.SIGTERM)[0] == 0
