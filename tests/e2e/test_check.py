import http.server
import json
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from tests.e2e.programs import SECRET, Call, migrate
from tests.jwt.signing import Signer

from todo_api.dev.postgres import open_server


class Front(http.server.BaseHTTPRequestHandler):
    """A front end that publishes a key."""

    def do_GET(self) -> None:
        body = json.dumps({"keys": [Signer("EdDSA").jwk()]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def front() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Front) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def problems(output: str) -> dict[str, str]:
    found = [line.removeprefix("problem").strip() for line in output.splitlines() if line.startswith("problem")]
    return {name: rest for name, _, rest in (line.partition(": ") for line in found)}


def test_a_complete_configuration_passes(call: Call, front: str, tmp_path: Path) -> None:
    with open_server(tmp_path / "pg", durable=False) as url:
        settings = {"DATABASE_URL": url, "BETTER_AUTH_URL": front, "CORS_ORIGINS": front}
        status, out, _ = call("check", **settings)
        assert status == 1
        assert list(problems(out)) == ["database"]
        assert "alembic upgrade head" in problems(out)["database"]
        migrate(url)
        status, out, err = call("check", **settings)
    assert (status, err, problems(out)) == (0, "", {})
    assert "1 published" in out


def test_all_problems_are_reported_at_once_without_secrets(call: Call) -> None:
    status, out, err = call(
        "check",
        DATABASE_URL="postgresql://user:kept-from-the-log@127.0.0.1:1/d",
        DATABASE_POOLSIZE="3",
        BETTER_AUTH_URL="http://127.0.0.1:1",
        BETTER_AUTH_SECRET=SECRET,
        RATE_LIMIT_REDIS_URL="redis://:kept-from-the-log@127.0.0.1:1",
        TRUSTED_PROXIES="10.0.0.0/8, proxy.internal",
        METRICS_PORT="9090",
        METRICS_HOST="256.0.0.1",
        MAX_CONNECTIONS="100000000",
    )
    found = problems(out)
    assert status == 1
    assert list(found) == [
        "names of settings",
        "database",
        "keys of tokens",
        "web origins",
        "trusted proxies",
        "rate limits",
        "metrics and traces",
        "open files",
    ]
    assert "DATABASE_POOLSIZE" in found["names of settings"]
    assert "BETTER_AUTH_JWKS_URL" in found["keys of tokens"]
    assert "proxy.internal" in found["trusted proxies"]
    assert "METRICS_HOST" in found["metrics and traces"]
    assert "8 of 9 checks failed" in err
    assert "kept-from-the-log" not in out + err
    assert SECRET not in out + err


def test_requests_and_metrics_need_different_ports(call: Call) -> None:
    out = call("check", BETTER_AUTH_SECRET=SECRET, PORT="8123", METRICS_PORT="8123")[1]
    assert "METRICS_PORT is 8123, the same as PORT" in problems(out)["metrics and traces"]


@pytest.mark.parametrize(
    ("name", "meant"),
    [("DATABSE_URL", "DATABASE_URL"), ("WORKER", "WORKERS"), ("METRICS_PROT", "METRICS_PORT"), ("PORTS", "PORT")],
)
@pytest.mark.parametrize("in_file", [False, True])
def test_a_typo_in_a_name_is_found(call: Call, tmp_path: Path, name: str, meant: str, *, in_file: bool) -> None:
    (tmp_path / ".env").write_text(f"{name}=1\n" if in_file else "")
    out = call("check", BETTER_AUTH_SECRET=SECRET, **({} if in_file else {name: "1"}))[1]
    assert f"unknown settings: {name} (did you mean {meant}?);" in problems(out)["names of settings"]


@pytest.mark.parametrize("name", ["HOSTNAME", "LOGNAME", "PATH", "POSTGRES_BIN", "OTEL_SERVICE_NAME", "DOCKER_HOST"])
def test_names_of_other_programs_are_ignored(call: Call, name: str) -> None:
    assert "names of settings" not in problems(call("check", BETTER_AUTH_SECRET=SECRET, **{name: "1"})[1])


@pytest.mark.parametrize(
    ("name", "value"),
    [("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")],
)
def test_an_unusable_collector_is_found(call: Call, name: str, value: str) -> None:
    assert name in problems(call("check", BETTER_AUTH_SECRET=SECRET, **{name: value})[1])["metrics and traces"]


@pytest.mark.parametrize("origins", ["*", "app.example.com", "https://app.example.com/path"])
def test_invalid_origins_are_found(call: Call, origins: str) -> None:
    assert "web origins" in problems(call("check", BETTER_AUTH_SECRET=SECRET, CORS_ORIGINS=origins)[1])


def test_invalid_rates_are_found(call: Call) -> None:
    found = problems(call("check", BETTER_AUTH_SECRET=SECRET, DATABASE_URL="postgresql:///d", RATE_LIMIT="lots")[1])
    assert found["settings"].startswith("RATE_LIMIT is lots")
