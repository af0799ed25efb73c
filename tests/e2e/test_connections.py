"""The limits of connections, tested on the real server by clients that misbehave."""

import json
import re
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from email import message_from_bytes
from email.message import Message
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from tests.e2e.programs import SECRET, Running, Start, migrate

from todo_api.dev.postgres import open_server
from todo_api.dev.token import mint_token

TOKEN = mint_token(SECRET, "alice", timedelta(hours=1))


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with open_server(tmp_path_factory.mktemp("pg"), durable=False) as url:
        migrate(url)
        yield url


@pytest.fixture
def running(start: Start, database: str) -> Running:
    return start(
        "serve", until="serving on",
        DATABASE_URL=database, BETTER_AUTH_SECRET=SECRET,
        HEADER_TIMEOUT="0.5", REQUEST_TIMEOUT="0.5", MAX_HEADER_BYTES="4096", MAX_CONNECTIONS="20",
    )  # fmt: skip


@contextmanager
def connected(running: Running) -> Iterator[socket.socket]:
    parts = urlsplit(running.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=20) as client:
        yield client


def refusal_of(client: socket.socket) -> tuple[int, str]:
    """Return status and code of a problem with id and security headers; it must close the connection."""
    head, problem = document_of(client)
    assert head["content-type"] == "application/problem+json"
    assert head["x-request-id"] == problem["request_id"]
    assert head["x-content-type-options"] == "nosniff"
    assert head["content-security-policy"].startswith("default-src 'none'")
    return problem["status"], problem["code"]


def document_of(client: socket.socket) -> tuple[Message, dict[str, Any]]:
    received = b""
    while part := client.recv(65536):
        received += part
    head, _, body = received.partition(b"\r\n\r\n")
    status, _, fields = head.partition(b"\r\n")
    problem = json.loads(body)
    assert int(status.split()[1]) == problem.get("status", 200)
    return message_from_bytes(fields), problem


def response_of(client: socket.socket) -> bytes:
    """Read a response with a JSON object, which may arrive in parts."""
    received = b""
    while not received.endswith(b"}"):
        part = client.recv(65536)
        assert part, f"the connection was closed after {received!r}"
        received += part
    return received


def assert_it_still_serves(running: Running) -> None:
    response = httpx2.get(f"{running.url}/api/tasks", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=20)
    assert response.status_code == 200


def test_a_slow_header_times_out(running: Running) -> None:
    with connected(running) as client:
        started = time.monotonic()
        client.sendall(b"GET /api/tasks HTTP/1.1\r\n")
        with suppress(OSError):  # a broken pipe, or a reset
            while time.monotonic() - started < 20:
                client.sendall(b"X-Drop: 1\r\n")
                time.sleep(0.1)
        assert time.monotonic() - started < 15
    with connected(running) as client:
        client.sendall(b"GET /api/tasks HTTP/1.1\r\nHost: x\r\n")
        assert refusal_of(client) == (408, "request-timeout")
    assert_it_still_serves(running)


def test_the_second_header_of_a_connection_times_out_too(running: Running) -> None:
    with connected(running) as client:
        client.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert response_of(client).startswith(b"HTTP/1.1 200")
        client.sendall(b"GET /health HTTP/1.1\r\n")
        assert refusal_of(client) == (408, "request-timeout")


def test_a_connection_without_a_request_is_closed(running: Running) -> None:
    with connected(running) as client:
        assert client.recv(1) == b""


def test_a_missing_body_times_out(running: Running) -> None:
    head = f"POST /api/tasks HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close\r\n"
    with connected(running) as client:
        client.sendall(head.encode() + b'Content-Type: application/json\r\nContent-Length: 15\r\n\r\n{"ti')
        assert refusal_of(client) == (408, "request-timeout")
    assert_it_still_serves(running)


HALF = b"POST /api/tasks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n12345"


def test_the_rest_of_a_refused_request_may_arrive_before_another(running: Running) -> None:
    with connected(running) as client:
        client.sendall(HALF)
        assert response_of(client).startswith(b"HTTP/1.1 401")
        client.sendall(b"12345")
        time.sleep(1)
        client.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert response_of(client).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("rest", [b"6", b"\r\n"])
def test_the_rest_of_a_refused_request_times_out(running: Running, rest: bytes) -> None:
    with connected(running) as client:
        client.sendall(HALF if rest == b"6" else b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert response_of(client).startswith(b"HTTP/1.1 ")
        client.sendall(rest)
        client.settimeout(10)
        while client.recv(65536):
            pass


@pytest.mark.parametrize("end", [b"", b"\r\n\r\n"])
@pytest.mark.parametrize("field", [b"X-Long: " + b"x" * 5000, b"\r\n".join(b"X-%d: x" % n for n in range(1000))])
def test_a_long_header_is_refused(running: Running, field: bytes, end: bytes) -> None:
    with connected(running) as client:
        client.sendall(b"GET /api/tasks HTTP/1.1\r\nHost: x\r\n" + field + end)
        assert refusal_of(client) == (431, "header-too-large")
    assert_it_still_serves(running)


def test_connections_beyond_the_limit_are_refused(running: Running) -> None:
    with ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(connected(running))
        with connected(running) as client:
            assert refusal_of(client) == (503, "too-many-connections")
    time.sleep(0.2)
    assert_it_still_serves(running)


def test_a_refused_request_has_an_id_in_the_response_and_the_log(running: Running) -> None:
    named = b"GET /health HTTP/1.1\r\nX-Request-ID: mine\r\n"
    with connected(running) as client:
        client.sendall(named + b"X-Long: " + b"x" * 5000 + b"\r\n\r\n")
        assert document_of(client)[1]["request_id"] == "mine"
    with connected(running) as client:
        client.sendall(named + b"\r\n")
        assert response_of(client).startswith(b"HTTP/1.1 200")
        client.sendall(b"no HTTP\r\n\r\n")
        made = document_of(client)[1]["request_id"]
    assert re.fullmatch("[0-9a-f]{32}", made)
    log = [json.loads(line) for line in running.end(signal.SIGTERM)[1].splitlines()]
    refused = [(line["request_id"], line["status"]) for line in log if line["event"] == "refused"]
    assert refused == [("mine", 431), (made, 400)]


def test_head_responses_have_no_body_and_keep_the_connection(running: Running) -> None:
    auth = f"Authorization: Bearer {TOKEN}".encode()
    with connected(running) as client:
        for path in (b"/api/tasks", b"/api/me/export", b"/api/tasks/events", b"/docs", b"/nowhere"):
            client.sendall(b"HEAD " + path + b" HTTP/1.1\r\nHost: x\r\n" + auth + b"\r\n\r\n")
            received = b""
            while not received.endswith(b"\r\n\r\n"):
                part = client.recv(65536)
                assert part, f"the connection was closed after {received!r}"
                received += part
            assert received.startswith(b"HTTP/1.1 404" if path == b"/nowhere" else b"HTTP/1.1 200")
        client.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
        assert response_of(client).endswith(b'{"status":"ok"}')


@pytest.mark.parametrize("field", [b"", b"Connection: keep-alive\r\n"])
def test_an_http_1_0_client_gets_no_chunks(running: Running, field: bytes) -> None:
    field += f"Authorization: Bearer {TOKEN}\r\n".encode()
    with connected(running) as client:
        client.sendall(b"GET /api/me/export HTTP/1.0\r\n" + field + b"\r\n")
        head, export = document_of(client)
        assert export["format"] == "todo-api-export"
        assert (head["connection"], head["transfer-encoding"], head["content-length"]) == ("close", None, None)
    with connected(running) as client:
        client.sendall(b"GET /api/me HTTP/1.0\r\n" + field + b"\r\n")
        head, account = document_of(client)
        assert account["user_id"] == "alice"
        assert (head["connection"], head["transfer-encoding"]) == ("close", None)


def test_an_http_1_0_client_follows_events_without_chunks(running: Running) -> None:
    with connected(running) as client:
        client.sendall(f"GET /api/tasks/events HTTP/1.0\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode())
        received = b""
        while b"\n\n" not in received:
            part = client.recv(65536)
            assert part
            received += part
    head, _, body = received.partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in head.lower()
    assert body.startswith(b"retry: ")


ORIGIN = b"Origin: http://localhost:3000\r\n"


@pytest.mark.parametrize(
    ("request_header", "allowed"),
    [
        (ORIGIN + b"X-Long: " + b"x" * 5000, "http://localhost:3000"),
        (ORIGIN + b"Accept: */*\r\nno field\r\n\r\n", "http://localhost:3000"),
        (ORIGIN + b"no field\r\n\r\n", None),  # a field is read when the next one begins
        (b"Origin: http://evil.example\r\nAccept: */*\r\nno field\r\n\r\n", None),
        (b"X-Long: " + b"x" * 5000, None),
    ],
)
def test_pages_can_read_why_the_server_refused_their_request(
    running: Running, request_header: bytes, allowed: str | None
) -> None:
    with connected(running) as client:
        client.sendall(b"GET /api/tasks HTTP/1.1\r\nHost: x\r\n" + request_header)
        head, _ = document_of(client)
    assert head["access-control-allow-origin"] == allowed
    assert head["vary"] == ("Origin" if allowed else None)
    assert ("X-Request-ID" in (head["access-control-expose-headers"] or "")) == (allowed is not None)


def test_a_page_can_read_that_the_body_of_its_request_was_malformed(running: Running) -> None:
    with connected(running) as client:
        request = b"POST /api/tasks HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nX-Request-ID: mine\r\n"
        client.sendall(request + ORIGIN + b"\r\nzz\r\n")
        head, problem = document_of(client)
    assert (problem["status"], problem["request_id"]) == (400, "mine")
    assert head["access-control-allow-origin"] == "http://localhost:3000"


@pytest.mark.parametrize("rest", [b"X-Long: " + b"x" * 5000, b"no field\r\n\r\n"])
def test_refused_head_requests_get_no_body(running: Running, rest: bytes) -> None:
    with connected(running) as client:
        client.sendall(b"HEAD /api/tasks HTTP/1.1\r\nHost: x\r\n" + rest)
        received = b""
        while part := client.recv(65536):
            received += part
    assert received.startswith(b"HTTP/1.1 4")
    assert received.endswith(b"\r\n\r\n")
